import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Minted } from '../../../certs-dev/mint.ts';
import type { NameValue } from '../../../certs-dev/mint-extensions.ts';
import { readCertificate } from '../../../src/core/identity/certificate.ts';
import { readWhole } from '../../../src/core/identity/der.ts';
import { readDistinguishedName } from '../../../src/core/identity/distinguished-name.ts';
import { findNameConstraintBreach } from '../../../src/core/identity/name-constraints.ts';
import { ca, judged, leaf, refusalOf, ruleOf, trustOf } from './pki.ts';

type Type = NameValue['type'];
const octets = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** A constrained root over one leaf whose names are `names` besides its one dNSName, which no constraint here touches. */
async function ruleOver(
  constraints: { permitted?: readonly NameValue[]; excluded?: readonly NameValue[] },
  names: readonly NameValue[],
): Promise<string> {
  const root = await ca('root', { nameConstraints: constraints });
  return ruleOf(judged([await leaf(root, { subjectAltNames: names })], trustOf([root])));
}

const DNS = { type: 'dns', value: 'one.k8s.example.com' } as const;

describe('name constraints by form', () => {
  const table: readonly (readonly [Type, string | Uint8Array, string | Uint8Array, boolean | 'refused'])[] = [
    // form, constraint, name, whether the name lies within
    ['dns', 'example.com', 'one.example.com', true],
    ['dns', 'example.com', 'example.com', true],
    ['dns', 'EXAMPLE.com', 'One.Example.COM', true],
    ['dns', 'example.com', 'notexample.com', false],
    ['dns', 'example.com', 'example.com.evil.example', false],
    ['dns', '.example.com', 'one.example.com', true],
    ['dns', '.example.com', 'example.com', false],
    ['dns', '', 'one.example.com', true],
    ['dns', '*.example.com', 'one.example.com', 'refused'],
    ['dns', 'example.com\0.evil', 'one.example.com', 'refused'],
    ['email', 'ada@example.com', 'ada@example.com', true],
    ['email', 'ada@example.com', 'Ada@example.com', false],
    ['email', 'example.com', 'ada@Example.com', true],
    ['email', 'example.com', 'ada@sub.example.com', false],
    ['email', '.example.com', 'ada@sub.example.com', true],
    ['email', '.example.com', 'ada@example.com', false],
    ['email', '', 'ada@example.com', 'refused'],
    ['uri', 'fleet.example', 'spiffe://fleet.example/cluster/a', true],
    ['uri', 'fleet.example', 'https://fleet.example:8443/x', true],
    ['uri', 'fleet.example', 'https://sub.fleet.example/', false],
    ['uri', '.fleet.example', 'https://sub.fleet.example/', true],
    ['uri', 'fleet.example', 'https://fleet.example@evil.example/', 'refused'],
    ['uri', 'fleet.example', 'https://10.0.0.1/', 'refused'],
    ['uri', 'fleet.example', 'urn:fleet.example', 'refused'],
    ['ip', '10.0.0.0/8', '10.255.0.1', true],
    ['ip', '10.0.0.0/8', '11.0.0.1', false],
    ['ip', '10.0.0.0/8', 'fd00::1', false],
    ['ip', 'fd00::/8', 'fd12::1', true],
    ['ip', octets(10, 0, 0, 0, 255, 0, 255, 0), '10.0.0.1', 'refused'],
    ['ip', octets(10, 0, 0, 0), '10.0.0.1', 'refused'],
    ['ip', '10.0.0.0/8', octets(10, 0, 0), 'refused'],
    ['dirname', 'x', 'x', true],
    ['dirname', 'x', 'X', true],
    ['dirname', 'x', 'y', false],
    ['other', 'a@x', 'a@x', 'refused'],
  ];
  for (const [type, constraint, name, within] of table) {
    it(`${type}: ${JSON.stringify(constraint)} over ${JSON.stringify(name)}: ${within}`, async () => {
      const base = { type, value: constraint };
      const names = type === 'dns' ? [{ type, value: name }] : [DNS, { type, value: name }];
      // The subject is a directoryName as well, so it is permitted beside the one under test.
      const subject = type === 'dirname' ? [{ type, value: 'a client' } as const] : [];
      const permitted = await ruleOver({ permitted: [base, ...subject] }, names);
      const excluded = await ruleOver({ excluded: [base] }, names);
      assert.equal(permitted, within === true ? 'accepted' : 'name_constraints');
      assert.equal(excluded, within === false ? 'accepted' : 'name_constraints');
    });
  }

  it('leave the other forms alone', async () => {
    assert.equal(await ruleOver({ permitted: [{ type: 'email', value: 'x.example' }] }, [DNS]), 'accepted');
    assert.equal(await ruleOver({ excluded: [{ type: 'ip', value: '0.0.0.0/0' }] }, [DNS]), 'accepted');
  });

  it('need one permitted subtree, and no excluded one', async () => {
    const permitted = ['other.example', 'example.com'].map((value) => ({ type: 'dns', value }) as const);
    assert.equal(await ruleOver({ permitted }, [DNS]), 'accepted');
    assert.equal(await ruleOver({ permitted, excluded: [DNS] }, [DNS]), 'name_constraints');
  });
});

describe('name constraints in a chain', () => {
  const ONLY_X = { permitted: [{ type: 'dns', value: 'x.example' }] } as const;
  let root: Minted;
  before(async () => {
    root = await ca('root');
  });

  it('of an intermediate bind the leaf, and the refusal says whose they are', async () => {
    const issuing = await ca('issuing', { issuer: root, nameConstraints: ONLY_X });
    const refusal = refusalOf(judged([await leaf(issuing), issuing], trustOf([root])));
    assert.equal(refusal.rule, 'name_constraints');
    assert.equal(refusal.position, 'leaf');
    assert.match(refusal.detail, /DNS:one\.k8s\.example\.com is not among.*CN=issuing/);
  });

  it('of two CAs must both be met', async () => {
    const outer = await ca('outer', {
      nameConstraints: { permitted: [{ type: 'dns', value: 'example.com' }] },
    });
    const inner = await ca('inner', { issuer: outer, nameConstraints: ONLY_X });
    const names = [{ type: 'dns', value: 'a.x.example' }] as const;
    assert.equal(
      ruleOf(judged([await leaf(inner, { subjectAltNames: names }), inner], trustOf([outer]))),
      'name_constraints',
    );
  });

  it('bind the subject of an intermediate, but not of a self-issued one', async () => {
    const strict = await ca('strict', {
      nameConstraints: { excluded: [{ type: 'dirname', value: 'strict' }] },
    });
    const rolled = await ca('strict', { issuer: strict, key: 'P-384' });
    assert.equal(ruleOf(judged([await leaf(rolled), rolled], trustOf([strict]))), 'accepted');
    const other = await ca('outcast', {
      nameConstraints: { excluded: [{ type: 'dirname', value: 'issuing' }] },
    });
    const issuing = await ca('issuing', { issuer: other });
    const refusal = refusalOf(judged([await leaf(issuing), issuing], trustOf([other])));
    assert.deepEqual([refusal.rule, refusal.position], ['name_constraints', 'intermediate 1']);
  });

  it('reach a CN that reads like a DNS name where there is no dNSName, as in OpenSSL', async () => {
    const strict = await ca('strict', { nameConstraints: ONLY_X });
    const changes = { subject: { CN: 'evil.example' }, subjectAltNames: null };
    assert.equal(ruleOf(judged([await leaf(strict, changes)], trustOf([strict]))), 'name_constraints');
  });

  it('reach the emailAddress attributes of a subject', async () => {
    const strict = await ca('strict', {
      nameConstraints: { permitted: [{ type: 'email', value: 'x.example' }] },
    });
    const below = readCertificate((await leaf(strict)).der);
    // SEQUENCE { SET { SEQUENCE { emailAddress, IA5String } } }
    const attribute = Buffer.concat([
      Buffer.from('06092a864886f70d010901160b', 'hex'),
      Buffer.from('ada@y.examp'),
    ]);
    const wrap = (tag: number, content: Buffer): Buffer =>
      Buffer.concat([Buffer.of(tag, content.length), content]);
    const name = readWhole(new Uint8Array(wrap(0x30, wrap(0x31, wrap(0x30, attribute)))));
    const subject = readDistinguishedName(name, 'the subject');
    const path = [{ ...below, subject }, readCertificate(strict.der)];
    assert.match(
      findNameConstraintBreach(path, { nameComparisons: 0 })?.detail ?? '',
      /email:ada@y\.examp is not/,
    );
  });

  it('are refused when comparing them would be a burden', async () => {
    const many = (n: number) =>
      Array.from({ length: n }, (_, i) => ({ type: 'dns', value: `c${i}.example.com` }) as const);
    const heavy = await ca('heavy', { nameConstraints: { excluded: many(100) } });
    const heavier = await ca('heavier', { issuer: heavy, nameConstraints: { excluded: many(100) } });
    const below = await leaf(heavier, { subjectAltNames: many(100) });
    assert.equal(ruleOf(judged([below, heavier], trustOf([heavy]))), 'too_large');
  });
});
