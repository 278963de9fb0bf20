import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { mintCa } from '../../certs-dev/mint.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { certificateSha256, revoke } from '../support/revocations.ts';

it('after 20 revocations and 20 reloads at once all revocations and the last bundle are in force', async (t) => {
  const gateway = await startTestGateway(t);
  const { pki } = gateway;
  const certificates = await Promise.all(
    Array.from({ length: 20 }, (_, n) => pki.cluster(`c${n}.k8s.example.com`)),
  );
  const newRoot = await mintCa('the next cluster root');
  await writeFile(join(gateway.directory, 'cluster-ca.crt'), pki.clusterBundlePem + newRoot.pem);

  const [reloads, revocations] = await Promise.all([
    Promise.all(certificates.map(() => gateway.gateway.reload('SIGHUP'))),
    Promise.all(
      certificates.map(({ pem }) => revoke(gateway, { certificate_sha256: certificateSha256(pem) })),
    ),
  ]);
  assert.ok(reloads.every(Boolean));
  assert.equal(new Set(revocations.map(({ id }) => id)).size, 20);
  for (const certificate of certificates) {
    assert.equal((await gateway.send({ path: '/health', certificate })).status, 495);
  }
  const underNewRoot = await pki.cluster('new.k8s.example.com', { issuer: newRoot });
  assert.equal((await gateway.send({ path: '/health', certificate: underNewRoot })).status, 200);
  const listed = await gateway.send({ path: '/revocations', token: WRITE_TOKEN });
  assert.ok(listed.json<{ state: string }[]>().every(({ state }) => state === 'in_force'));
});
