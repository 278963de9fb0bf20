import assert from 'node:assert/strict';
import { it } from 'node:test';
import { certificateSha256, lift, revoke } from '../support/revocations.ts';
import { startWorkers } from '../support/workers.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const WORKERS = 3;

it('a revocation, and its end, are in force on every worker when they are answered', async (t) => {
  const gateway = await startWorkers(t, WORKERS);
  const certificate = await gateway.pki.cluster(OWN);
  const operators = await gateway.ways(WORKERS);
  const [one] = operators.values();
  assert.ok(one);
  for (let round = 0; round < 3; round++) {
    const clusters = await gateway.ways(WORKERS, certificate);
    const { id } = await revoke(one, { certificate_sha256: certificateSha256(certificate.pem) });
    for (const [worker, cluster] of clusters) {
      // Its open connection was ended, or says so itself.
      const open = await cluster.send({ path: '/health' }).then(
        ({ status }) => status,
        () => 'ended',
      );
      assert.ok(open === 495 || open === 'ended', `worker ${worker}, open connection: ${open}`);
    }
    const refused = await Promise.all(
      Array.from({ length: 30 }, () => gateway.send({ path: '/health', certificate })),
    );
    assert.deepEqual([...new Set(refused.map(({ status }) => status))], [495]);
    assert.equal((await lift(one, id)).status, 200);
    const again = await Promise.all(
      Array.from({ length: 30 }, () => gateway.send({ path: '/health', certificate })),
    );
    assert.deepEqual([...new Set(again.map(({ status }) => status))], [200]);
  }
});
