import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { confirmed, operator, poll, servedIds, verdict } from '../support/poll.ts';

const CLUSTERS = ['demo-cluster-01', 'demo-cluster-02', 'demo-cluster-03'];

test('deleting what is in use is refused, naming the users, and no cluster is served anything else', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const polls = (): Promise<unknown> => Promise.all(CLUSTERS.map((id) => poll(gateway, id)));
  const before = await polls();
  for (const [path, users] of [
    ['/platform_components/podinfo', ['/clusters/demo-cluster-01', '/clusters/demo-cluster-02']],
    [
      '/platform_components/cert-manager',
      [...CLUSTERS.map((id) => `/clusters/${id}`), '/platform_components/traefik'],
    ],
    ['/namespaces/cert-manager', CLUSTERS.map((id) => `/clusters/${id}`)],
    ['/rolebindings/developers-view', ['/clusters/demo-cluster-01']],
  ] as const) {
    const answer = await send('DELETE', path);
    assert.equal(verdict(answer), '409 in_use', path);
    const { details } = answer.json<{ details: { field: string }[] }>();
    assert.deepEqual(
      details.map(({ field }) => field),
      users,
    );
    assert.deepEqual(await polls(), before, path);
  }
});

test('deleting it together with its uses is a plan for each of them, and needs confirmation', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const path = '/platform_components/podinfo?detach=true';
  const before = await poll(gateway, 'demo-cluster-02');
  assert.equal(verdict(await send('DELETE', path)), '409 prune_guard several_clusters');
  assert.deepEqual(await poll(gateway, 'demo-cluster-02'), before);
  assert.equal((await confirmed(send, 'DELETE', path)).status, 200);
  for (const id of CLUSTERS.slice(0, 2)) {
    const ids = await servedIds(gateway, id, 'platform-components');
    assert.deepEqual(ids, ['cert-manager', 'traefik', 'metrics-server'], id);
  }
  const namespace = await send('DELETE', '/namespaces/podinfo?detach=true');
  assert.equal(verdict(namespace), '409 prune_guard several_clusters,namespace');
});
