import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AuditRecord } from '../../src/core/audit/trail.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

test('a change of several objects is found by each of them, and by nothing that it only speaks of', async (t) => {
  const gateway = await startTestGateway(t);
  const bulk = async (ids: readonly string[], labels: object): Promise<void> => {
    const body = { select: { ids }, operations: [{ op: 'merge', merge: { labels } }] };
    const answer = await gateway.send({ method: 'POST', path: '/bulk', token: WRITE_TOKEN, body });
    assert.equal(answer.status, 200, answer.body.toString());
  };
  const operationsOf = async (object: string, query = ''): Promise<(string | undefined)[]> => {
    const path = `/audit?object=${object}${query}`;
    const answer = await gateway.send({ path, token: WRITE_TOKEN });
    const entries = answer.json<AuditRecord[]>();
    if (query === '') assert.equal(answer.headers['x-total-count'], String(entries.length));
    return entries.filter(({ event }) => event === 'fleet_changed').map(({ operation }) => operation);
  };
  await bulk(['demo-cluster-01', 'demo-cluster-03'], { wave: 'demo-cluster-02' });
  await bulk(['demo-cluster-03'], { wave: 'second' });
  const path = '/clusters/demo-cluster-01';
  const body = { node_count: 7 };
  assert.equal((await gateway.send({ method: 'PATCH', path, token: WRITE_TOKEN, body })).status, 200);

  assert.deepEqual(await operationsOf('cluster/demo-cluster-01'), ['patchCluster', 'bulkChange', undefined]);
  assert.deepEqual(await operationsOf('cluster/demo-cluster-03'), ['bulkChange', 'bulkChange', undefined]);
  assert.deepEqual(
    await operationsOf('cluster/demo-cluster-02'),
    [undefined],
    'the seed, and no bulk change',
  );
  assert.deepEqual(await operationsOf('namespace/demo-cluster-01'), []);
  assert.deepEqual(await operationsOf('cluster/demo-cluster-01', '&limit=1&offset=1'), ['bulkChange']);
  assert.deepEqual(await operationsOf('cluster/demo-cluster-03', '&event=denied'), []);
});
