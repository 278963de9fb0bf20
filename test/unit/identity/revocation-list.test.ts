import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Minted } from '../../../certs-dev/mint.ts';
import { type CertificateFacts, readCertificate } from '../../../src/core/identity/certificate.ts';
import { issuerKeyOf } from '../../../src/core/identity/issuer-key.ts';
import { createRevocationList, type RevocationEntry } from '../../../src/core/identity/revocation-list.ts';
import {
  keyOfTarget,
  type RevocationTarget,
  readRevocationTarget,
  targetOfKey,
} from '../../../src/core/identity/revocation-target.ts';
import { parseDateTime } from '../../../src/core/rfc3339.ts';
import { ca, judged, leaf, NOW, refusalOf, ruleOf, trustOf } from './pki.ts';

const DNS = 'one.k8s.example.com';
const entry = (target: RevocationTarget, more: Partial<RevocationEntry> = {}): RevocationEntry => ({
  id: 'rev-1',
  target,
  reason: 'stolen',
  untilMs: undefined,
  ...more,
});

describe('a list of revocations', () => {
  let root: Minted;
  let client: Minted;
  let facts: CertificateFacts;
  let issuer: CertificateFacts;
  before(async () => {
    root = await ca('root');
    client = await leaf(root);
    facts = readCertificate(client.der);
    issuer = readCertificate(root.der);
  });
  const verdictUnder = (...entries: RevocationEntry[]) => {
    const list = createRevocationList(entries, 1);
    return judged([client], trustOf([root]), { revocation: list, revokedClusters: list });
  };

  it('refuses each kind of target, naming revocation and reason', () => {
    const targets: readonly RevocationTarget[] = [
      { kind: 'certificate_sha256', sha256: facts.sha256 },
      { kind: 'spki_sha256', sha256: facts.spkiSha256 },
      {
        kind: 'issuer_serial',
        issuerSha256: issuer.sha256,
        serial: facts.serial,
        issuerKey: issuerKeyOf(issuer),
      },
      { kind: 'certificate_sha256', sha256: issuer.sha256 },
      { kind: 'spki_sha256', sha256: issuer.spkiSha256 },
      { kind: 'cluster_dns', dns: DNS },
    ];
    for (const target of targets) {
      const verdict = verdictUnder(entry(target));
      const { rule, detail, revocationId } = refusalOf(verdict);
      assert.deepEqual([rule, revocationId], ['revoked', 'rev-1'], target.kind);
      assert.match(detail, /\(rev-1\): stolen$/);
      // A cluster is known only while its path holds; the others are refused before that plays a part.
      const end = target.kind === 'cluster_dns' ? facts.notAfter : Number.POSITIVE_INFINITY;
      assert.equal(verdict.validUntil, end);
    }
  });

  it('refuses nothing else', () => {
    const targets: readonly RevocationTarget[] = [
      { kind: 'certificate_sha256', sha256: facts.spkiSha256 },
      { kind: 'spki_sha256', sha256: facts.sha256 },
      {
        kind: 'issuer_serial',
        issuerSha256: facts.sha256,
        serial: facts.serial,
        issuerKey: issuerKeyOf(facts),
      },
      {
        kind: 'issuer_serial',
        issuerSha256: issuer.sha256,
        serial: issuer.serial,
        issuerKey: issuerKeyOf(issuer),
      },
      { kind: 'cluster_dns', dns: `x.${DNS}` },
      { kind: 'cluster_dns', dns: 'k8s.example.com' },
    ];
    assert.equal(ruleOf(verdictUnder(...targets.map((target) => entry(target)))), 'accepted');
  });

  it('is over at `until`, and not a millisecond before; a remembered refusal ends then', () => {
    const target = { kind: 'certificate_sha256', sha256: facts.sha256 } as const;
    const at = (untilMs: number) => verdictUnder(entry(target, { untilMs }));
    assert.equal(ruleOf(at(NOW)), 'accepted');
    assert.equal(ruleOf(at(NOW + 1)), 'revoked');
    assert.equal(at(NOW + 5_000).validUntil, NOW + 5_000);
    const ofCluster = verdictUnder(entry({ kind: 'cluster_dns', dns: DNS }, { untilMs: NOW + 7_000 }));
    assert.equal(ofCluster.validUntil, NOW + 7_000);
  });

  it('lets the longest of several decide', () => {
    const target = { kind: 'certificate_sha256', sha256: facts.sha256 } as const;
    const verdict = verdictUnder(
      entry(target, { id: 'short', untilMs: NOW + 1_000 }),
      entry(target, { id: 'long', untilMs: NOW + 9_000 }),
      entry(target, { id: 'over', untilMs: NOW - 1 }),
    );
    assert.deepEqual([refusalOf(verdict).revocationId, verdict.validUntil], ['long', NOW + 9_000]);
  });

  it('counts what is in force, by kind', () => {
    const list = createRevocationList(
      [
        entry({ kind: 'cluster_dns', dns: 'a.example' }),
        entry({ kind: 'cluster_dns', dns: 'b.example' }, { untilMs: NOW }),
        entry({ kind: 'spki_sha256', sha256: 'ab' }),
      ],
      7,
    );
    assert.equal(list.version, 7);
    assert.deepEqual(list.count(NOW), {
      certificate_sha256: 0,
      spki_sha256: 1,
      issuer_serial: 0,
      cluster_dns: 1,
    });
  });

  it('of 20,000 entries answers 10,000 times within a second', () => {
    const entries = Array.from({ length: 20_000 }, (_, n) =>
      entry({ kind: 'certificate_sha256', sha256: n.toString(16).padStart(64, '0') }, { id: `rev-${n}` }),
    );
    const list = createRevocationList(entries, 1);
    const started = performance.now();
    for (let n = 0; n < 10_000; n++) assert.equal(list.check(facts, issuer, NOW), undefined);
    assert.ok(performance.now() - started < 1_000);
  });
});

describe('the target of a revocation', () => {
  it('is canonical: lower case, no colons, serials in whole octets without leading zeros', () => {
    const upper = 'AB'.repeat(32);
    const read = (body: object) => readRevocationTarget(body, () => 'cd').target;
    assert.deepEqual(read({ certificate_sha256: upper }), {
      kind: 'certificate_sha256',
      sha256: 'ab'.repeat(32),
    });
    assert.deepEqual(read({ spki_sha256: upper.match(/../g)?.join(':') }), {
      kind: 'spki_sha256',
      sha256: 'ab'.repeat(32),
    });
    for (const serial of ['0A1B', 'a1b', '00:0A:1B', '000a1b']) {
      const target = read({ issuer_sha256: upper, serial });
      assert.deepEqual(target, {
        kind: 'issuer_serial',
        issuerSha256: 'ab'.repeat(32),
        serial: '0a1b',
        issuerKey: 'cd',
      });
    }
  });

  it('comes back from its key as it was, and nothing else does', () => {
    const targets: readonly RevocationTarget[] = [
      { kind: 'certificate_sha256', sha256: 'ab' },
      { kind: 'spki_sha256', sha256: 'ab' },
      { kind: 'issuer_serial', issuerSha256: 'ab', serial: '01', issuerKey: 'cd' },
      { kind: 'cluster_dns', dns: 'a.example' },
    ];
    for (const target of targets) assert.deepEqual(targetOfKey(keyOfTarget(target)), target);
    for (const key of [
      '',
      'cluster_dns',
      'cluster_dns a b',
      'issuer_serial ab',
      'issuer_serial ab 01',
      'other ab',
      'spki_sha256 ',
    ])
      assert.equal(targetOfKey(key), undefined, key);
  });
});

it('a moment of RFC 3339 is read, and nothing that looks like one', () => {
  assert.equal(parseDateTime('2030-01-31T12:00:00Z'), Date.UTC(2030, 0, 31, 12));
  assert.equal(parseDateTime('2030-01-31t12:00:00.5+02:00'), Date.UTC(2030, 0, 31, 10, 0, 0, 500));
  assert.equal(parseDateTime('2028-02-29T00:00:00z'), Date.UTC(2028, 1, 29));
  for (const bad of [
    '2030-01-31',
    '2030-01-31T12:00:00',
    '2030-02-30T00:00:00Z',
    '2030-13-01T00:00:00Z',
    '2030-01-31T24:00:00Z',
    '2030-01-31T12:00:60Z',
    '2030-01-31T12:00:00+24:00',
    '1',
    'tomorrow',
  ])
    assert.equal(parseDateTime(bad), undefined, bad);
});
