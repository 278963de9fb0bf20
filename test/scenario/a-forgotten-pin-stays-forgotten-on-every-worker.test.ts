import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { WORKER_LIMITS } from '../../src/core/limits-workers.ts';
import type { ClientAnswer } from '../support/client.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { startWorkers } from '../support/workers.ts';

const OWN = 'demo-cluster-01.k8s.example.com';

it('whoever polls with a retired key while its cluster is given a fresh start does not undo it', async (t) => {
  const gateway = await startWorkers(t, 2, { PIN_CLUSTER_KEYS: 'enforce' });
  const [rightful, stolen] = [await gateway.pki.cluster(OWN), await gateway.pki.cluster(OWN)];
  const [through] = [...(await gateway.ways(2)).values()];
  assert.ok(through !== undefined);
  const health = async (certificate: typeof rightful): Promise<number> =>
    (await gateway.send({ path: '/health', certificate })).status;
  for (let round = 0; round < 6; round++) {
    // Two keys that are seen at once, by two workers, may be taken in either order.
    for (const one of [rightful, stolen]) {
      assert.equal(await health(one), 200);
      await sleep(3 * WORKER_LIMITS.shareIntervalMs);
    }
    await until(async () => {
      await health(stolen);
      return (await health(rightful)) === 495;
    }, 'the rightful key to be refused');
    let polling = true;
    const polls = Array.from({ length: 4 }, async () => {
      while (polling) await health(rightful);
    });
    const reset: ClientAnswer = await through.send({
      method: 'DELETE',
      path: `/trust/pins/${OWN}`,
      token: WRITE_TOKEN,
    });
    assert.equal(reset.status, 200, reset.body.toString());
    const after = await Promise.all(Array.from({ length: 16 }, () => health(rightful)));
    polling = false;
    await Promise.all(polls);
    assert.deepEqual([...new Set(after)], [200], `round ${round}`);
    assert.equal(
      (await through.send({ method: 'DELETE', path: `/trust/pins/${OWN}`, token: WRITE_TOKEN })).status,
      200,
    );
  }
});
