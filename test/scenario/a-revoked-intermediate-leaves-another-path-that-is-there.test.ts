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
  const onlyRevoked = { ...certificate, chainPem: leaf.chainPem };
  assert.equal((await gateway.send({ path: '/health', certificate: onlyRevoked })).status, 495);

  await revoke(gateway, { spki_sha256: spkiSha256(cross.pem) });
  assert.equal(await get(), 495, 'the key is the same in both');
});
