import assert from 'node:assert/strict';
import { it } from 'node:test';
import { READ_TOKEN } from '../support/gateway.ts';
import { until } from '../support/until.ts';
import { metric, startWorkers } from '../support/workers.ts';

const PATH = '/api/v2/flux/clusters/demo-cluster-03.k8s.example.com/namespaces';

it('a worker that is killed is replaced; the connections of the others, and new ones, are served all the while', async (t) => {
  const gateway = await startWorkers(t, 2);
  const ways = await gateway.ways(2);
  for (const way of ways.values()) {
    for (let n = 0; n < 5; n++) assert.equal((await way.send({ path: '/health' })).status, 200);
  }
  const counted = metric(
    await gateway.metrics(),
    'fluxgate_request_duration_seconds_count{operation="getHealth"}',
  );
  assert.ok((counted ?? 0) >= 12, String(counted));

  const [victim, survivor] = gateway.served();
  assert.ok(victim !== undefined && survivor !== undefined);
  process.kill(victim.pid, 'SIGKILL');
  await assert.rejects(async () => ways.get(victim.worker)?.send({ path: '/health' }));
  for (let n = 0; n < 20; n++) {
    assert.equal((await gateway.send({ path: PATH, token: READ_TOKEN })).status, 200, `new connection ${n}`);
    assert.equal((await ways.get(survivor.worker)?.send({ path: '/health' }))?.status, 200, `kept one ${n}`);
  }
  await until(() => gateway.served().length === 3, 'a third worker', 30_000);
  const crash = gateway.log().find(({ msg }) => msg.startsWith('a worker ended by itself'));
  assert.deepEqual([crash?.level, crash?.['worker'], crash?.['signal']], ['error', victim.worker, 'SIGKILL']);
  const [, , newcomer] = gateway.served();
  assert.deepEqual([...(await gateway.ways(2)).keys()].sort(), [survivor.worker, newcomer?.worker].sort());

  const after = await gateway.metrics();
  // Read by each worker in its sandbox, and added up.
  assert.ok((metric(after, 'fluxgate_process_resident_memory_bytes') ?? 0) > 50 * 1_048_576, 'memory');
  assert.equal(metric(after, 'fluxgate_workers'), 2);
  assert.equal(metric(after, 'fluxgate_workers_replaced_total'), 1);
  const still = metric(after, 'fluxgate_request_duration_seconds_count{operation="getHealth"}');
  assert.ok((still ?? 0) >= (counted ?? 0) + 20, `a sum never goes back: ${counted}, then ${still}`);
});

it('a worker that is asked to end by whoever finds its process drains, and is replaced', async (t) => {
  const gateway = await startWorkers(t, 2);
  const [first] = gateway.served();
  assert.ok(first !== undefined);
  process.kill(first.pid, 'SIGTERM');
  await until(() => gateway.served().length === 3, 'a third worker', 30_000);
  assert.ok(gateway.log().some(({ msg, worker }) => msg === 'stopped' && worker === first.worker));
});
