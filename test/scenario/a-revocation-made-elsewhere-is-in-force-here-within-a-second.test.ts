import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { keepOpen, within } from '../support/kept-open.ts';
import { certificateSha256, lift, revoke } from '../support/revocations.ts';

it('a revocation through one process is in force in another that shares the store, open connections included', async (t) => {
  const here = await startTestGateway(t);
  const { pki, directory } = here;
  const there = await startTestGateway(t, {
    pki,
    environment: { DATABASE_URL: `sqlite://${directory}/fleet.db` },
  });
  const certificate = await pki.cluster('demo-cluster-01.k8s.example.com');
  const kept = await keepOpen(there, certificate);
  const other = await keepOpen(there, await pki.cluster('demo-cluster-02.k8s.example.com'));

  const asked = performance.now();
  const { id } = await revoke(here, { certificate_sha256: certificateSha256(certificate.pem) });
  const ended = await within(1_000, kept.ended, 'the end of a connection to the other process');
  t.diagnostic(`ended ${(ended - asked).toFixed(0)} ms after the request to the first process`);
  assert.equal((await there.send({ path: '/health', certificate })).status, 495);
  assert.equal((await other.get('/health'))?.status, 200);

  assert.equal((await lift(here, id)).status, 200);
  const letIn = async (): Promise<void> => {
    while ((await there.send({ path: '/health', certificate })).status !== 200);
  };
  await within(1_000, letIn(), 'lifting is noticed, too');
});
