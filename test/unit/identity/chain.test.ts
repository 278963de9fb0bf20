import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { Minted } from '../../../certs-dev/mint.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { ca, DAY, judged, leaf, NOW, refusalOf, ruleOf, trustOf } from './pki.ts';

const bytes = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'));
const UNKNOWN = { oid: '1.2.3.4', critical: true, value: bytes('0500') };
const past = { notBefore: new Date(NOW - 9 * DAY), notAfter: new Date(NOW - DAY) };
const future = { notBefore: new Date(NOW + DAY), notAfter: new Date(NOW + 9 * DAY) };

let root: Minted;
let stranger: Minted;
let issuing: Minted;
before(async () => {
  root = await ca('root');
  stranger = await ca('stranger');
  issuing = await ca('issuing', { issuer: root });
});

/** root → issuing → leaf, judged with the intermediate sent; each part may be changed. */
async function ruleWith(changes: {
  root?: Parameters<typeof ca>[1];
  issuing?: Parameters<typeof ca>[1];
  leaf?: Parameters<typeof leaf>[1];
}): Promise<{ rule: string; position: string; detail: string }> {
  const top = changes.root === undefined ? root : await ca('root', changes.root);
  const middle = await ca('issuing', { issuer: top, ...changes.issuing });
  const verdict = judged([await leaf(middle, changes.leaf), middle], trustOf([top]));
  return verdict.accepted ? { rule: 'accepted', position: '', detail: '' } : verdict.refusal;
}

describe('a chain that keeps every rule', () => {
  it('is accepted directly under the anchor, and through an intermediate sent or in the bundle', async () => {
    const direct = await leaf(root);
    assert.equal(ruleOf(judged([direct], trustOf([root]))), 'accepted');
    const below = await leaf(issuing);
    assert.equal(ruleOf(judged([below, issuing], trustOf([root]))), 'accepted');
    assert.equal(ruleOf(judged([below], trustOf([root, issuing]))), 'accepted');
  });

  it('is accepted with an intermediate as the only anchor, and whatever else is sent', async () => {
    const below = await leaf(issuing);
    assert.equal(ruleOf(judged([below], trustOf([issuing]))), 'accepted');
    assert.equal(ruleOf(judged([below, stranger, root, issuing, below], trustOf([issuing]))), 'accepted');
  });

  for (const key of ['P-256', 'P-384', 'P-521', 'Ed25519', 'RSA-2048', 'RSA-3072'] as const) {
    it(`is accepted with keys of ${key}`, async () => {
      assert.equal((await ruleWith({ root: { key }, issuing: { key }, leaf: { key } })).rule, 'accepted');
    });
  }

  for (const signatureHash of ['SHA-256', 'SHA-384', 'SHA-512'] as const) {
    it(`is accepted with RSASSA-PSS and ${signatureHash}`, async () => {
      const key = 'RSA-2048';
      const changes = { key, pss: true, signatureHash } as const;
      const { rule, detail } = await ruleWith({
        root: changes,
        issuing: changes,
        leaf: { pss: true, signatureHash },
      });
      assert.equal(rule, 'accepted', detail);
    });
  }

  it('is accepted for 4 certificates above the leaf and refused for 5', async () => {
    const above = [root];
    for (let i = 1; i <= LIMITS.certificatesAboveLeafMax; i += 1) {
      above.unshift(await ca(`level ${i}`, { issuer: above[0] as Minted }));
    }
    const [fifth, fourth] = above as [Minted, Minted];
    assert.equal(ruleOf(judged([await leaf(fourth), ...above.slice(1)], trustOf([root]))), 'accepted');
    assert.equal(ruleOf(judged([await leaf(fifth), ...above], trustOf([root]))), 'path_length');
  });
});

describe('trust', () => {
  it('is refused to a stranger, with a chain or without, and to one who signed itself', async () => {
    const below = await leaf(stranger);
    const refusal = refusalOf(judged([below], trustOf([root])));
    assert.equal(refusal.rule, 'untrusted');
    assert.match(refusal.detail, /"CN=stranger".*CLUSTER_CA_FILE/);
    assert.equal(ruleOf(judged([below, stranger], trustOf([root]))), 'untrusted');
    const self = await ca('root', { extendedKeyUsage: ['clientAuth'] });
    assert.equal(ruleOf(judged([self], trustOf([issuing]))), 'untrusted');
  });

  it('is refused, and the missing CA named, when the intermediate was not sent', async () => {
    const refusal = refusalOf(judged([await leaf(issuing)], trustOf([root])));
    assert.equal(refusal.rule, 'untrusted');
    assert.match(refusal.detail, /CN=issuing/);
  });

  it('is not moved by a CA of the same name: without key identifiers the signature tells', async () => {
    const anonymous = { subjectKeyId: null, authorityKeyId: null };
    const twin = await ca('root', anonymous);
    const real = await ca('root', anonymous);
    const below = await leaf(twin, { authorityKeyId: null });
    const refusal = refusalOf(judged([below], trustOf([real])));
    assert.equal(refusal.rule, 'bad_signature');
    assert.equal(refusal.position, 'leaf');
    assert.equal(ruleOf(judged([below], trustOf([real, twin]))), 'accepted', 'rotation overlap');
  });

  it('is not moved by a CA of the same name: with key identifiers they already tell', async () => {
    const twin = await ca('root');
    assert.equal(ruleOf(judged([await leaf(twin)], trustOf([root]))), 'untrusted');
  });

  it('does not go through a CA of another serial number or issuer than the leaf names, as in OpenSSL', async () => {
    const named = async (hex: string): Promise<string> => {
      const aki = { oid: '2.5.29.35', critical: false, value: bytes(hex) };
      const below = await leaf(numbered, { authorityKeyId: null, extensions: [aki] });
      return ruleOf(judged([below], trustOf([numbered])));
    };
    const numbered = await ca('numbered', { serial: bytes('0081') });
    const issuer = (CN: string): string => {
      const hex = Buffer.from(CN).toString('hex');
      const name = `3011310f300d06035504030c06${hex}`;
      return `a115a413${name}`;
    };
    assert.equal(await named('300482020081'), 'accepted');
    assert.equal(await named('3003820142'), 'untrusted');
    assert.equal(await named(`3017${issuer('abcdef')}`), 'untrusted');
  });

  it('needs the name of each link, even where the key fits', async () => {
    const renamed = await ca('renamed', { issuer: root, reuseKeyOf: issuing });
    assert.equal(ruleOf(judged([await leaf(issuing), renamed], trustOf([root]))), 'untrusted');
  });

  it('needs the signature of each link, not of the last alone', async () => {
    // A stranger's CA that copies the name and key identifier of an issuing CA.
    const forged = await ca('issuing', { issuer: stranger, subjectKeyId: issuing.subjectKeyId });
    const refusal = refusalOf(judged([await leaf(forged), issuing], trustOf([root])));
    assert.equal(refusal.rule, 'bad_signature');
  });
});

describe('the search for a path', () => {
  it('finds the valid one beside an expired twin of the intermediate, in any order', async () => {
    const expired = await ca('issuing', { issuer: root, reuseKeyOf: issuing, ...past });
    const below = await leaf(issuing);
    assert.equal(ruleOf(judged([below, expired, issuing], trustOf([root]))), 'accepted');
    assert.equal(ruleOf(judged([below, issuing, expired], trustOf([root]))), 'accepted');
    assert.equal(ruleOf(judged([below, expired], trustOf([root]))), 'expired');
  });

  it('finds the valid one through cross-signing when the other leads nowhere or to an expired root', async () => {
    const old = await ca('old root', past);
    const crossed = await ca('issuing', { issuer: old, reuseKeyOf: issuing });
    const below = await leaf(issuing);
    assert.equal(ruleOf(judged([below, crossed, issuing], trustOf([old, root]))), 'accepted');
    assert.equal(ruleOf(judged([below, crossed], trustOf([old, root]))), 'expired');
  });

  it('follows a self-issued certificate from the old key to the new', async () => {
    const renewed = await ca('root', { key: 'P-384' });
    const newWithOld = await ca('root', { issuer: root, reuseKeyOf: renewed });
    const below = await leaf(renewed);
    assert.equal(ruleOf(judged([below, newWithOld], trustOf([root]))), 'accepted');
  });

  it('ends in a circle of CAs that sign each other', async () => {
    const a = await ca('a', { issuer: root });
    const b = await ca('b', { issuer: a });
    const aByB = await ca('a', { issuer: b, reuseKeyOf: a });
    assert.equal(ruleOf(judged([await leaf(a), aByB, b], trustOf([root]))), 'untrusted');
    assert.equal(ruleOf(judged([await leaf(a), aByB, b, a], trustOf([root]))), 'accepted');
  });

  it('stops at its limit of signatures', async () => {
    const anonymous = { subjectKeyId: null, authorityKeyId: null };
    const twins = await Promise.all(
      Array.from({ length: LIMITS.signatureChecksMax + 1 }, () => ca('root', anonymous)),
    );
    const [last] = twins as [Minted];
    const other = await ca('root', anonymous);
    assert.equal(ruleOf(judged([await leaf(other, { authorityKeyId: null })], trustOf(twins))), 'too_large');
    assert.equal(ruleOf(judged([await leaf(last, { authorityKeyId: null })], trustOf(twins))), 'accepted');
  });
});

describe('the rules of each certificate', () => {
  const cases: readonly (readonly [string, string, string, Parameters<typeof ruleWith>[0]])[] = [
    ['an expired leaf', 'expired', 'leaf', { leaf: past }],
    ['an expired intermediate', 'expired', 'intermediate 1', { issuing: past }],
    ['an expired anchor', 'expired', 'anchor', { root: past }],
    ['a leaf of tomorrow', 'not_yet_valid', 'leaf', { leaf: future }],
    ['an intermediate of tomorrow', 'not_yet_valid', 'intermediate 1', { issuing: future }],
    ['an anchor of tomorrow', 'not_yet_valid', 'anchor', { root: future }],
    ['a CA as leaf', 'not_a_ca', 'leaf', { leaf: { basicConstraints: { ca: true } } }],
    [
      'an intermediate that is no CA',
      'not_a_ca',
      'intermediate 1',
      { issuing: { basicConstraints: { ca: false } } },
    ],
    [
      'an intermediate without basicConstraints',
      'not_a_ca',
      'intermediate 1',
      { issuing: { basicConstraints: null } },
    ],
    ['a leaf without digitalSignature', 'key_usage', 'leaf', { leaf: { keyUsage: ['keyEncipherment'] } }],
    [
      'an intermediate without keyCertSign',
      'key_usage',
      'intermediate 1',
      { issuing: { keyUsage: ['cRLSign'] } },
    ],
    ['a leaf without EKU', 'extended_key_usage', 'leaf', { leaf: { extendedKeyUsage: null } }],
    ['a leaf for servers', 'extended_key_usage', 'leaf', { leaf: { extendedKeyUsage: ['serverAuth'] } }],
    ['a leaf for anything', 'extended_key_usage', 'leaf', { leaf: { extendedKeyUsage: ['any'] } }],
    [
      'an intermediate for servers',
      'extended_key_usage',
      'intermediate 1',
      { issuing: { extendedKeyUsage: ['serverAuth'] } },
    ],
    ['an anchor for servers', 'extended_key_usage', 'anchor', { root: { extendedKeyUsage: ['serverAuth'] } }],
    ['a leaf of RSA-1024', 'weak_key', 'leaf', { leaf: { key: 'RSA-1024' } }],
    ['an intermediate of RSA-1024', 'weak_key', 'intermediate 1', { issuing: { key: 'RSA-1024' } }],
    ['a leaf signed with SHA-1', 'weak_signature', 'leaf', { leaf: { signatureHash: 'SHA-1' } }],
    [
      'an intermediate signed with SHA-1',
      'weak_signature',
      'intermediate 1',
      { issuing: { signatureHash: 'SHA-1' } },
    ],
    [
      'an unknown critical extension on the leaf',
      'unknown_critical_extension',
      'leaf',
      { leaf: { extensions: [UNKNOWN] } },
    ],
    [
      'one on the intermediate',
      'unknown_critical_extension',
      'intermediate 1',
      { issuing: { extensions: [UNKNOWN] } },
    ],
    ['one on the anchor', 'unknown_critical_extension', 'anchor', { root: { extensions: [UNKNOWN] } }],
    [
      'a demand for an explicit policy',
      'certificate_policy',
      'intermediate 1',
      { issuing: { extensions: [{ oid: '2.5.29.36', critical: true, value: bytes('3003800100') }] } },
    ],
    [
      'a mapping to anyPolicy',
      'certificate_policy',
      'intermediate 1',
      {
        issuing: {
          extensions: [
            { oid: '2.5.29.33', critical: true, value: bytes('300d300b06032a0304060455' + '1d2000') },
          ],
        },
      },
    ],
    [
      'a CA below pathLen 0',
      'path_length',
      'anchor',
      { root: { basicConstraints: { ca: true, pathLen: 0 } } },
    ],
  ];
  for (const [what, rule, position, changes] of cases) {
    it(`refuse ${what}: ${rule}, at the ${position}`, async () => {
      const found = await ruleWith(changes);
      assert.deepEqual([found.rule, found.position], [rule, position], found.detail);
    });
  }

  const fine: readonly (readonly [string, Parameters<typeof ruleWith>[0]])[] = [
    [
      'no keyUsage anywhere',
      { root: { keyUsage: null }, issuing: { keyUsage: null }, leaf: { keyUsage: null } },
    ],
    ['a leaf without basicConstraints', { leaf: { basicConstraints: null } }],
    ['clientAuth beside serverAuth', { leaf: { extendedKeyUsage: ['serverAuth', 'clientAuth'] } }],
    ['an intermediate for clients', { issuing: { extendedKeyUsage: ['clientAuth'] } }],
    ['an intermediate for anything', { issuing: { extendedKeyUsage: ['any'] } }],
    ['pathLen 1 above one intermediate', { root: { basicConstraints: { ca: true, pathLen: 1 } } }],
    ['pathLen 0 above the leaf', { issuing: { basicConstraints: { ca: true, pathLen: 0 } } }],
    ['an anchor that signed itself with SHA-1', { root: { signatureHash: 'SHA-1', key: 'RSA-2048' } }],
    [
      'an unknown extension that is not critical',
      { leaf: { extensions: [{ ...UNKNOWN, critical: false }] } },
    ],
    [
      'a policy that nobody demands',
      { leaf: { extensions: [{ oid: '2.5.29.32', critical: true, value: bytes('30053003060129') }] } },
    ],
  ];
  for (const [what, changes] of fine) {
    it(`accept ${what}`, async () => {
      const found = await ruleWith(changes);
      assert.equal(found.rule, 'accepted', found.detail);
    });
  }

  it('count no self-issued certificate against pathLen', async () => {
    const strict = await ca('strict', { basicConstraints: { ca: true, pathLen: 0 } });
    const rolled = await ca('strict', { issuer: strict, key: 'P-384' });
    assert.equal(ruleOf(judged([await leaf(rolled), rolled], trustOf([strict]))), 'accepted');
  });
});

describe('validity', () => {
  it('includes both of its seconds, and nothing beyond', async () => {
    const below = await leaf(root);
    const trust = trustOf([root]);
    const at = (nowMs: number): string => ruleOf(judged([below], trust, { nowMs }));
    const begin = below.notBefore.getTime();
    const end = below.notAfter.getTime();
    assert.equal(at(begin - 1), 'not_yet_valid');
    assert.equal(at(begin), 'accepted');
    assert.equal(at(end), 'accepted');
    assert.equal(at(end + 999), 'accepted');
    assert.equal(at(end + 1_000), 'expired');
    assert.notEqual(at(Number.NaN), 'accepted');
    assert.notEqual(at(Number.POSITIVE_INFINITY), 'accepted');
  });

  it('of the verdict ends with the first certificate of the path', async () => {
    const short = await ca('issuing', { issuer: root, notAfter: new Date(NOW + DAY) });
    const verdict = judged([await leaf(short), short], trustOf([root]));
    assert.equal(verdict.validUntil, NOW + DAY);
  });

  it('of a refusal ends when a certificate begins, or never', async () => {
    const trust = trustOf([root]);
    assert.equal(judged([await leaf(root, future)], trust).validUntil, NOW + DAY);
    const later = await ca('issuing', { issuer: root, ...future });
    assert.equal(judged([await leaf(later), later], trust).validUntil, NOW + DAY);
    assert.equal(judged([await leaf(root, past)], trust).validUntil, Number.POSITIVE_INFINITY);
  });

  it('is told with its date', async () => {
    const refusal = refusalOf(judged([await leaf(root, past)], trustOf([root])));
    assert.match(
      refusal.detail,
      /"CN=a client".*expired at 2030-01-14T12:00:00.000Z; it is 2030-01-15T12:00:00/,
    );
  });
});
