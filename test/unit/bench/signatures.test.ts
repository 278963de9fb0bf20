import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { readSignatures, writeSignatures } from '../../../bench/harness/signatures.ts';
import { fleetMint, fleetSigner, fleetTemplate } from '../../../bench/mint-fleet.ts';
import { createTestPki } from '../../support/pki.ts';

const pki = await createTestPki();
const template = await fleetTemplate(pki.clusterIntermediate);

function signatureFile(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'fluxgate-bench-test-'));
  t.after(() => rmSync(directory, { recursive: true }));
  return join(directory, 'signatures');
}

it('a cluster comes with the same certificate each time, and from each process of the load', (t) => {
  const path = signatureFile(t);
  const haveSigned = writeSignatures(path, fleetSigner(template));
  haveSigned(20);
  const mint = fleetMint(template, readSignatures(path));
  const first = Array.from({ length: 20 }, (_, number) => mint(number));
  haveSigned(10);
  haveSigned(50);
  const another = fleetMint(template, readSignatures(path));
  assert.deepEqual(
    Array.from({ length: 20 }, (_, number) => another(number)),
    first,
  );
  const { publicKey } = new X509Certificate(pki.clusterIntermediate.pem);
  for (let number = 0; number < 50; number++) {
    assert.ok(
      new X509Certificate(another(number)).verify(publicKey),
      `the signature is that of cluster ${number}`,
    );
  }
  assert.notEqual(fleetMint(template)(3), first[3], 'what is signed twice would be two certificates');
});

it('a cluster that nobody signed for does not come at all', (t) => {
  const path = signatureFile(t);
  writeSignatures(path, fleetSigner(template))(3);
  const mint = fleetMint(template, readSignatures(path));
  assert.doesNotThrow(() => mint(2));
  assert.throws(() => mint(3), /no signature is kept of cluster 3/);
});
