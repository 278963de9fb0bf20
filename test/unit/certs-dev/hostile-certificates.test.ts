/** The certificates that scenario tests hurl at a gateway are what they say they are. */
import assert from 'node:assert/strict';
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { suite, test } from 'node:test';
import { createSecureContext, DEFAULT_CIPHERS } from 'node:tls';
import { judge } from '../../../src/core/identity/judge.ts';
import { createTrust, readBundle } from '../../../src/core/identity/trust.ts';
import type { Verdict } from '../../../src/core/identity/verdict.ts';
import { HOSTILE_TRUST_DOMAIN } from '../../support/hostile-case.ts';
import { hostileCertificates } from '../../support/hostile-certificates.ts';
import { createTestPki } from '../../support/pki.ts';

const pki = await createTestPki();
const hostile = await hostileCertificates(pki);

function verdictOn(chainPem: string, spiffeTrustDomain?: string): Verdict {
  const pems = chainPem.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [];
  return judge({
    presented: pems.map((pem) => new Uint8Array(new X509Certificate(pem).raw)),
    // OpenSSL's opinion set aside: our own rules alone must do.
    openssl: { authorized: true, error: undefined },
    trust: createTrust({
      cluster: readBundle(pki.clusterBundlePem, 'CLUSTER_CA_FILE'),
      operator: readBundle(pki.operatorBundlePem, 'OPERATOR_CA_FILE'),
      spiffeTrustDomain,
    }),
    nowMs: Date.now(),
  });
}

suite('good ones beside them are accepted', () => {
  for (const domain of [undefined, HOSTILE_TRUST_DOMAIN]) {
    test(`trust domain ${domain}`, async () => {
      const cluster = await pki.cluster('good.example.com');
      const operator = await pki.operator('op@example.com', ['g']);
      assert.ok(
        verdictOn(cluster.chainPem, domain).accepted && verdictOn(operator.chainPem, domain).accepted,
      );
    });
  }
});

suite('every hostile certificate', () => {
  for (const one of hostile) {
    test(`${one.name}: ${one.why}`, () => {
      const leaf = new X509Certificate(one.chainPem);
      assert.ok(leaf.checkPrivateKey(createPrivateKey(one.keyPem)), 'a client could present it');
      const load = (ciphers: string) => createSecureContext({ cert: one.chainPem, key: one.keyPem, ciphers });
      load(`${DEFAULT_CIPHERS}:@SECLEVEL=0`);
      if (one.name.startsWith('rsa-1024')) assert.throws(() => load(DEFAULT_CIPHERS), /key too small/);

      const verdict = verdictOn(one.chainPem, HOSTILE_TRUST_DOMAIN);
      assert.equal(verdict.accepted ? 'accepted' : verdict.refusal.rule, one.expectedRule);
      assert.equal(verdictOn(one.chainPem).accepted, one.onlyWithTrustDomain);
    });
  }

  test('is there once', () => {
    assert.equal(new Set(hostile.map(({ name }) => name)).size, hostile.length);
    assert.ok(hostile.length >= 40);
  });
});
