import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as pkijs from 'pkijs';
import { ca, judged, leaf, ruleOf, trustOf } from './pki.ts';
import { RULES } from './rules.ts';
import { askAll } from './three-verifiers.ts';

for (const [rule, rows] of Object.entries(RULES)) {
  describe(rule, () => {
    for (const { what, make, says } of rows) {
      const told = `ours ${says.ours}, OpenSSL ${says.openssl}, pkijs ${says.pkijs}`;
      it(`${what} (${told})`, async () => assert.deepEqual(await askAll(await make()), says));
    }
  });
}

describe('taken together', () => {
  const all = Object.values(RULES).flat();
  it('every rule is kept by one chain and broken by another', () => {
    for (const [rule, rows] of Object.entries(RULES)) {
      assert.ok(
        rows.some(({ what }) => what.startsWith('kept: ')),
        rule,
      );
      assert.ok(
        rows.some(({ what }) => what.startsWith('broken: ')),
        rule,
      );
    }
  });

  it('nobody accepts what we refuse and is right: a broken chain is refused by us, whoever accepts it', () => {
    for (const { what, says } of all) assert.equal(says.ours === 'accepted', what.startsWith('kept: '), what);
  });
});

describe('validity, to the second (OpenSSL has the machine’s clock only)', async () => {
  const root = await ca('root');
  const below = await leaf(root);
  const [begin, end] = [below.notBefore.getTime(), below.notAfter.getTime()];
  const trust = trustOf([root]);
  for (const [what, nowMs, says] of [
    ['a second before notBefore', begin - 1_000, 'not_yet_valid'],
    ['at notBefore', begin, 'accepted'],
    ['at notAfter', end, 'accepted'],
    ['a second after notAfter', end + 1_000, 'expired'],
  ] as const) {
    it(`${what}: ours ${says}, pkijs alike`, async () => {
      assert.equal(ruleOf(judged([below], trust, { nowMs })), says);
      const engine = new pkijs.CertificateChainValidationEngine({
        trustedCerts: [pkijs.Certificate.fromBER(root.der)],
        certs: [pkijs.Certificate.fromBER(below.der)],
        checkDate: new Date(nowMs),
      });
      assert.equal((await engine.verify()).result, says === 'accepted');
    });
  }
});
