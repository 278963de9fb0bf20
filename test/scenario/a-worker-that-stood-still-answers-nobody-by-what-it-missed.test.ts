import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WORKER_LIMITS } from '../../src/core/limits-workers.ts';
import { certificateSha256, revoke } from '../support/revocations.ts';
import { makeToken, revokeToken } from '../support/tokens.ts';
import { startWorkers } from '../support/workers.ts';

/**
 * A worker that is stopped in its turn to write keeps everybody from writing until it goes on, or is ended as one that hangs: such
 * a round shows nothing. Longer than a revocation waits for a worker that does not answer, shorter than until that end.
 */
const HELD_MS = (WORKER_LIMITS.announceTimeoutMs + WORKER_LIMITS.hungMs) / 2;

it('what waits at a worker that is stopped while its credentials are revoked is refused when it goes on', async (t) => {
  const gateway = await startWorkers(t, 2);
  const [one, other] = gateway.served();
  assert.ok(one !== undefined && other !== undefined);
  const operators = await gateway.ways(2);
  const through = operators.get(one.worker);
  const waiting = operators.get(other.worker);
  assert.ok(through !== undefined && waiting !== undefined);
  for (let shown = 0; shown < 3; ) {
    const { id, token } = await makeToken(through, { kind: 'operator', roles: ['viewer'] });
    const certificate = await gateway.pki.cluster('demo-cluster-01.k8s.example.com');
    const cluster = (await gateway.ways(2, certificate)).get(other.worker);
    assert.ok(cluster !== undefined);
    assert.equal((await waiting.send({ path: '/clusters', token })).status, 200);
    process.kill(other.pid, 'SIGSTOP');
    const byToken = waiting.send({ path: '/clusters', token });
    const byCertificate = cluster.send({ path: '/health' }).then(
      ({ status }) => status,
      () => 'ended',
    );
    await sleep(50);
    const revoked = revokeToken(through, id);
    if ((await Promise.race([revoked, sleep(HELD_MS)])) === undefined) {
      process.kill(other.pid, 'SIGCONT');
      await Promise.all([byToken, byCertificate, revoked]);
      continue;
    }
    assert.equal((await revoked).status, 200);
    await revoke(through, { certificate_sha256: certificateSha256(certificate.pem) });
    await sleep(WORKER_LIMITS.behindMs);
    process.kill(other.pid, 'SIGCONT');
    assert.equal((await byToken).status, 401);
    const outcome = await byCertificate;
    assert.ok(outcome === 495 || outcome === 'ended', String(outcome));
    shown++;
  }
});
