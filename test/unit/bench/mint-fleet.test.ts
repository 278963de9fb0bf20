import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { dnsOf } from '../../../bench/harness/fleet-store.ts';
import { fleetMint, fleetTemplate } from '../../../bench/mint-fleet.ts';
import { createTestPki } from '../../support/pki.ts';

describe('certificates of a fleet', () => {
  it('are each signed for a name and serial number of its own', async () => {
    const pki = await createTestPki();
    const mint = fleetMint(await fleetTemplate(pki.clusterIntermediate));
    const issuer = new X509Certificate(pki.clusterIntermediate.pem);
    const serials = new Set<string>();
    // ECDSA signatures have several lengths.
    for (let number = 0; number < 200; number++) {
      const [leafPem = '', intermediatePem = ''] =
        mint(number * 4_999).match(/-----BEGIN[\s\S]+?-----END.*/g) ?? [];
      const leaf = new X509Certificate(leafPem);
      const dns = dnsOf(number * 4_999);
      assert.equal(leaf.subjectAltName, `DNS:${dns}`);
      assert.equal(leaf.subject, `CN=${dns}`);
      assert.ok(leaf.verify(issuer.publicKey) && leaf.checkIssued(issuer));
      assert.equal(new X509Certificate(intermediatePem).fingerprint256, issuer.fingerprint256);
      serials.add(leaf.serialNumber);
    }
    assert.equal(serials.size, 200);
  });
});
