import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mintCa, mintIntermediate } from '../../certs-dev/mint.ts';
import { startTestGateway } from '../support/gateway.ts';
import { createTestPki, type TestPki } from '../support/pki.ts';
import { certificateSha256, revoke, spkiSha256 } from '../support/revocations.ts';

const OWN = 'demo-cluster-01.k8s.example.com';

it('one of two certificates of a cross-signed intermediate may be revoked, its key may not', async (t) => {
  const minted = await createTestPki();
  const otherRoot = await mintCa('another cluster root');
  const { CN } = { CN: 'test cluster intermediate' };
  const cross = await mintIntermediate(CN, otherRoot, { reuseKeyOf: minted.clusterIntermediate });
  const pki: TestPki = {
    ...minted,
    clusterBundlePem: minted.clusterRoot.pem + otherRoot.pem,
    write: async (directory) => {
      const written = await minted.write(directory);
      const { writeFile } = await import('node:fs/promises');
      await writeFile(written.environment.CLUSTER_CA_FILE, minted.clusterRoot.pem + otherRoot.pem);
      return written;
    },
  };
  const gateway = await startTestGateway(t, { pki });
  const leaf = await minted.cluster(OWN);
  const certificate = {
    chainPem: leaf.pem + minted.clusterIntermediate.pem + cross.pem,
    keyPem: leaf.keyPem,
  };
  const get = async () => (await gateway.send({ path: '/health', certificate })).status;
  assert.equal(await get(), 200);

  await revoke(gateway, { certificate_sha256: certificateSha256(minted.clusterIntermediate.pem) });
  assert.equal(await get(), 200, 'the path through the other certificate of the same CA');
  const revokedOnly = async (one: typeof leaf) =>
    (await gateway.send({ path: '/health', certificate: { chainPem: one.chainPem, keyPem: one.keyPem } }))
      .status;
  assert.equal(await revokedOnly(await minted.cluster(OWN)), 495, 'no other path was shown for this leaf');
  // The path that it has was shown a moment ago, under this very trust: docs/decisions/known-leaves.md.
  assert.equal(await revokedOnly(leaf), 200);

  await revoke(gateway, { spki_sha256: spkiSha256(cross.pem) });
  assert.equal(await get(), 495, 'the key is the same in both');
  assert.equal(
    await revokedOnly(leaf),
    495,
    'what was known of the leaf ended with the trust that it was known under',
  );
});
