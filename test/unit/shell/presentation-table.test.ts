import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createPresentationTable } from '../../../src/shell/presentation-table.ts';
import type { Presentation } from '../../../src/shell/presentations.ts';

const TLS = { version: 'TLSv1.3', cipher: 'c', group: 'g' };
const ISSUERS = [new Uint8Array([1])];
const T0 = 1_777_852_800_000;

const certificateOf = (sha256: string) => ({
  sha256,
  spkiSha256: 'aa',
  serial: '01',
  subject: 'CN=east',
  issuer: 'CN=ca',
  anchorSha256: 'bb',
  issuersSha256: ['bb'],
  notAfter: 1,
});

const presentationOf = (name: string, change: Partial<Presentation> = {}): Presentation => ({
  kind: 'cluster',
  name,
  credential: 'certificate',
  certificate: certificateOf(name),
  tokenId: undefined,
  leaf: undefined,
  issuers: ISSUERS,
  tls: TLS,
  source: '10.0.0.1',
  firstSeenMs: T0,
  lastSeenMs: T0,
  count: 1,
  ...change,
});

const create = () => createPresentationTable({ tls: (tls) => tls, text: (text) => text });

describe('the table of presentations', () => {
  it('says of each key what was said of it, and of no other', () => {
    const table = create();
    const told = new Map<string, Presentation>();
    for (let n = 0; n < 1_000; n++) {
      const name = `c${n}`;
      const leaf = n % 7 === 0 ? new Uint8Array([n % 256]) : undefined;
      const token = { credential: 'token', certificate: undefined, tokenId: name } as const;
      const observed = { kind: 'operator', credential: 'observed' } as const;
      const times = { firstSeenMs: T0 + n, lastSeenMs: T0 + ((n * 7) % 1_000), count: n, source: name, leaf };
      const one = presentationOf(name, { ...times, ...[{}, token, observed][n % 3] });
      told.set(name, one);
      table.set(name, one);
    }
    for (const [name, one] of told) {
      assert.deepEqual(table.get(name), one);
      assert.deepEqual(table.credentialOf(name), { certificate: one.certificate, tokenId: one.tokenId });
      assert.equal(table.lastSeenMs(name), one.lastSeenMs);
      assert.equal(table.writtenMs(name), undefined);
    }
    // 143 × 7 = 1,001.
    assert.deepEqual(table.silent(3), ['c0', 'c143', 'c286']);
  });

  it('counts what is seen again, and changes nothing that was handed out', () => {
    const table = create();
    table.set('a', presentationOf('a'));
    const before = table.get('a');
    const certificate = certificateOf('a');
    const tls = { ...TLS, group: 'another' };
    table.again('a', { certificate, tls, source: '10.0.0.2', nowMs: T0 + 5 });
    assert.deepEqual(before, presentationOf('a'));
    const wanted = { certificate, tls, source: '10.0.0.2', lastSeenMs: T0 + 5, count: 2 };
    assert.deepEqual(table.get('a'), presentationOf('a', wanted));
    table.again('nobody', { certificate, tls, source: '10.0.0.2', nowMs: T0 });
    assert.equal(table.get('nobody'), undefined);
  });

  it('keeps a leaf until that very one is written', () => {
    const table = create();
    const [first, second] = [new Uint8Array([1]), new Uint8Array([2])];
    table.set('a', presentationOf('a', { leaf: first }));
    table.set('a', presentationOf('a', { leaf: second }));
    table.written('a', first, T0);
    assert.equal(table.get('a')?.leaf, second);
    assert.equal(table.writtenMs('a'), T0);
    table.written('a', second, T0 + 1);
    assert.equal(table.get('a')?.leaf, undefined);
  });

  it('a row that was somebody else’s says nothing of them', () => {
    const table = create();
    table.set('a', presentationOf('a', { leaf: new Uint8Array([1]) }));
    table.written('a', undefined, T0);
    table.delete('a');
    assert.equal(table.get('a'), undefined);
    assert.equal(table.size, 0);
    table.set('b', presentationOf('b', { kind: 'operator', credential: 'token', certificate: undefined }));
    assert.equal(table.writtenMs('b'), undefined);
    assert.deepEqual(table.credentialOf('b'), { certificate: undefined, tokenId: undefined });
    assert.equal(table.get('b')?.leaf, undefined);
  });
});
