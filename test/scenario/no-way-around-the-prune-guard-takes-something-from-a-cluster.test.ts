/** Every way of writing that came to mind, tried against one cluster: polls get what they got, or what a confirmed plan said. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../../src/core/fleet/objects.ts';
import { startTestGateway } from '../support/gateway.ts';
import { confirmed, operator, poll, servedIds, verdict } from '../support/poll.ts';

const ID = 'demo-cluster-01';
const PATH = `/clusters/${ID}`;
const bulk = (...operations: object[]) => ({ select: { ids: [ID] }, operations });
const hashOf = (answer: { json<T>(): T }): string =>
  answer.json<{ plan: { plan_hash: string } }>().plan.plan_hash;

test('a plan of one thing does not confirm another, nor the same thing in another fleet', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  const small = hashOf(await send('PUT', PATH, { namespaces: [{ id: 'traefik' }] }));
  const headers = { 'confirm-plan': small };
  const larger = await send('PUT', PATH, { namespaces: [] }, headers);
  assert.match(verdict(larger), /^409 prune_guard/);
  const elsewhere = await send(
    'PUT',
    '/clusters/demo-cluster-02',
    { namespaces: [{ id: 'traefik' }] },
    headers,
  );
  assert.match(verdict(elsewhere), /^409 prune_guard/);
  // The selection of a bulk change grows between plan and confirmation.
  const label = { labels: { wave: '1' } };
  assert.equal((await send('PATCH', PATH, label)).status, 200);
  const wave = {
    select: { labels: { wave: '1' } },
    operations: [{ op: 'unassign', kind: 'namespace', id: 'podinfo' }],
  };
  const seen = hashOf(await send('POST', '/bulk', wave));
  assert.equal((await send('PATCH', '/clusters/demo-cluster-02', label)).status, 200);
  const grown = await send('POST', '/bulk', wave, { 'confirm-plan': seen });
  assert.equal(verdict(grown), '409 prune_guard several_clusters,namespace');
  assert.deepEqual(await poll(gateway, ID), before);
});

test('operations of one bulk change add up, in whatever order and however they overlap', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  const off = (id: string) => ({ op: 'disable', id });
  const both = await send('POST', '/bulk', bulk(off('podinfo'), off('metrics-server')));
  assert.equal(verdict(both), '409 prune_guard several_inputs');
  const merged = await send('POST', '/bulk', bulk({ op: 'merge', merge: { namespaces: null } }));
  assert.match(verdict(merged), /^409 prune_guard .*namespace/);
  const emptied = await send(
    'POST',
    '/bulk',
    bulk(
      { op: 'merge', merge: { rolebindings: [] } },
      { op: 'assign', kind: 'rolebinding', id: 'platform-admins' },
    ),
  );
  assert.equal(verdict(emptied), '409 prune_guard several_inputs');
  const state = await send('POST', '/bulk', bulk({ op: 'merge', merge: { state: 'decommissioning' } }));
  assert.equal(verdict(state), '400 validation_error');
  assert.deepEqual(await poll(gateway, ID), before);
  const nothing = await send(
    'POST',
    '/bulk',
    bulk({ op: 'disable', id: 'metrics-server' }, { op: 'enable', id: 'metrics-server' }),
  );
  assert.equal(nothing.status, 200, 'what comes to nothing is not an accident');
  assert.deepEqual(await poll(gateway, ID), before);
});

test('a remembered answer is only an answer: what was undone meanwhile is not done again', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  const removal = bulk({ op: 'unassign', kind: 'namespace', id: 'podinfo' });
  const key = { 'idempotency-key': 'k-1' };
  const refused = await send('POST', '/bulk', removal, key);
  assert.equal(verdict(refused), '409 prune_guard namespace');
  const headers = { ...key, 'confirm-plan': hashOf(refused) };
  assert.equal((await send('POST', '/bulk', removal, headers)).status, 200);
  assert.equal((await send('POST', '/revisions/2/revert')).status, 200, 'to add is harmless');
  assert.deepEqual(await poll(gateway, ID), before);
  const again = await send('POST', '/bulk', removal, headers);
  assert.equal(again.headers['idempotency-replayed'], 'true');
  assert.deepEqual(await poll(gateway, ID), before);
  const other = await send('POST', '/bulk', bulk({ op: 'delete' }), headers);
  assert.equal(verdict(other), '409 conflict', 'the key is not good for another request');
});

test('a state is not a detour: what a freeze hides, and what a revert brings, is planned', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  const becomes = (state: string) => ['POST', `${PATH}/state`, { state, reason: 'a test' }] as const;
  assert.equal(
    verdict(await send('PATCH', PATH, { state: 'frozen', namespaces: [] })),
    '400 validation_error',
  );
  assert.equal((await send(...becomes('frozen'))).status, 200);
  assert.equal((await send('PUT', PATH, { namespaces: [] })).status, 200, 'nothing of it is served');
  assert.match(verdict(await send(...becomes('active'))), /^409 prune_guard .*namespace/);
  assert.match(verdict(await send(...becomes('decommissioning'))), /^409 prune_guard .*namespace/);
  assert.deepEqual(await poll(gateway, ID), before);
  assert.equal((await confirmed(send, ...becomes('active'))).status, 200);
  // The revert of an addition takes away.
  const { namespaces } = (await send('GET', '/clusters/demo-cluster-03')).json<Cluster>();
  const added = { namespaces: [...namespaces, { id: 'podinfo' }] };
  assert.equal((await send('PUT', '/clusters/demo-cluster-03', added)).status, 200);
  assert.equal(verdict(await send('POST', '/revisions/5/revert')), '409 prune_guard namespace');
  assert.match(verdict(await send('POST', '/revisions/1/revert')), /^409 (conflict|prune_guard)/);
  assert.ok((await servedIds(gateway, 'demo-cluster-03', 'namespaces')).includes('podinfo'));
});

test('two clusters do not exchange names unasked, and no letter that looks like another makes an id', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = [await poll(gateway, ID), await poll(gateway, 'demo-cluster-02')];
  const { files } = (await send('GET', '/export')).json<{ files: Record<string, string> }>();
  const swapped = Object.fromEntries(
    Object.entries(files).map(([path, text]) => [
      path,
      text.replace(
        /^cluster_dns: demo-cluster-0([12])\./m,
        (_all, n: string) => `cluster_dns: demo-cluster-0${3 - Number(n)}.`,
      ),
    ]),
  );
  const swap = await send('POST', '/import', { mode: 'merge', files: swapped });
  assert.match(verdict(swap), /^409 (prune_guard .*answers_move|conflict)/);
  for (const id of ['demo-cluster-０1', 'demo\u2010cluster-01', 'demo-cluster-01\u200b', 'DEMO-CLUSTER-01']) {
    assert.equal(
      (await send('PUT', `/clusters/${encodeURIComponent(id)}`, { namespaces: [] })).status,
      400,
      id,
    );
    const removal = await send('POST', '/bulk', { select: { ids: [id] }, operations: [{ op: 'delete' }] });
    assert.equal(removal.status, 400, id);
  }
  assert.deepEqual([await poll(gateway, ID), await poll(gateway, 'demo-cluster-02')], before);
});

test('what is harmless is not refused by mistake', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  for (const [method, path, body] of [
    ['PUT', PATH, { namespaces: [{ id: 'podinfo' }, { id: 'traefik' }, { id: 'cert-manager' }] }],
    ['PATCH', PATH, { platform_components: (await send('GET', PATH)).json<Cluster>().platform_components }],
    ['PATCH', '/platform_components/podinfo', { cluster_env_enabled: false, oci_tag: '7.0.0' }],
    ['PATCH', '/namespaces/podinfo', { labels: null, annotations: null }],
    ['PATCH', PATH, { patches: null, node_count: null, labels: { wave: '1' } }],
    [
      'POST',
      '/clusters',
      { id: 'new', cluster_name: 'new', cluster_dns: 'new.example.com', environment: 'prod' },
    ],
    ['PATCH', '/clusters/new', { cluster_dns: 'newer.example.com', environment: 'dev' }],
    ['DELETE', '/clusters/new', undefined],
    ['DELETE', '/rolebindings/developers-view?detach=true', undefined],
  ] as const) {
    const answer = await send(method, path, body);
    assert.ok(answer.status < 300, `${method} ${path} ${JSON.stringify(body)}: ${verdict(answer)}`);
  }
});
