import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../../src/core/fleet/objects.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const bulk = (gateway: TestGateway, select: object, operations: object[], query = '', headers = {}) =>
  gateway.send({
    method: 'POST',
    path: `/bulk${query}`,
    token: WRITE_TOKEN,
    headers,
    body: { select, operations },
  });

const read = async (gateway: TestGateway, id: string): Promise<Cluster> =>
  (await gateway.send({ path: `/clusters/${id}`, token: WRITE_TOKEN })).json<Cluster>();

test('one bulk change is one plan and one revision, and can be reverted', async (t) => {
  const gateway = await startTestGateway(t);
  const before = await gateway.fleet();
  const operations = [
    { op: 'merge', merge: { labels: { wave: 'first' } } },
    { op: 'assign', kind: 'platform_component', id: 'podinfo', oci_tag: '6.9.3' },
    { op: 'set', id: 'cert-manager', oci_tag: null },
    { op: 'assign', kind: 'rolebinding', id: 'developers-view' },
  ];
  const ids = ['demo-cluster-01', 'demo-cluster-02', 'demo-cluster-03'];
  const dry = await bulk(gateway, { ids }, operations, '?dry_run=true');
  assert.equal(dry.status, 200);
  assert.equal(await gateway.fleet(), before);
  const done = (await bulk(gateway, { ids }, operations)).json<Record<string, object>>();
  assert.deepEqual([done['carried_out'], done['revision']], [true, 2]);
  assert.deepEqual(done['plan'], dry.json()['plan']);
  for (const id of ids) {
    const cluster = await read(gateway, id);
    assert.deepEqual(cluster.labels, { wave: 'first' });
    const podinfo = cluster.platform_components.find((entry) => entry.id === 'podinfo');
    assert.deepEqual([podinfo?.enabled, podinfo?.oci_tag], [true, '6.9.3']);
    assert.ok(!('oci_tag' in (cluster.platform_components.find((e) => e.id === 'cert-manager') ?? {})));
    assert.ok(cluster.rolebindings.some((entry) => entry.id === 'developers-view'));
  }
  const path = '/revisions/2/revert';
  const refused = await gateway.send({ method: 'POST', path, token: WRITE_TOKEN });
  const { plan } = refused.json<{ plan: { plan_hash: string } }>();
  const headers = { 'Confirm-Plan': plan.plan_hash };
  assert.equal((await gateway.send({ method: 'POST', path, token: WRITE_TOKEN, headers })).status, 200);
  assert.equal(await gateway.fleet(), before);
});

test('clusters are selected by environment and label, and listed by label', async (t) => {
  const gateway = await startTestGateway(t);
  const label = { op: 'merge', merge: { labels: { 'example.com/region': 'east' } } };
  assert.equal((await bulk(gateway, { environment: 'qa' }, [label])).status, 200);
  const listed = await gateway.send({
    path: '/clusters?label=example.com%2Fregion%3Deast',
    token: WRITE_TOKEN,
  });
  assert.deepEqual(
    listed.json<Cluster[]>().map(({ id }) => id),
    ['demo-cluster-02'],
  );
  const count = { op: 'merge', merge: { node_count: 7 } };
  const labels = { 'example.com/region': 'east' };
  assert.equal((await bulk(gateway, { labels }, [count])).status, 200);
  assert.deepEqual([(await read(gateway, 'demo-cluster-02')).node_count], [7]);
  assert.notEqual((await read(gateway, 'demo-cluster-01')).node_count, 7);
  assert.equal((await bulk(gateway, { labels, environment: 'prod' }, [count])).status, 400);
  // Another value, another key, and a key that every object inherits.
  for (const none of [{ 'example.com/region': 'west' }, { region: 'east' }, { constructor: 'east' }]) {
    assert.equal((await bulk(gateway, { labels: none }, [count])).status, 400, JSON.stringify(none));
  }
  assert.equal((await gateway.send({ path: '/clusters?label=nonsense', token: WRITE_TOKEN })).status, 400);
});

test('one cluster that cannot be changed stops all of it; what shrinks several asks first', async (t) => {
  const gateway = await startTestGateway(t);
  const before = await gateway.fleet();
  const everywhere = { ids: ['demo-cluster-01', 'demo-cluster-03'] };
  for (const [select, operations] of [
    [everywhere, [{ op: 'merge', merge: { cluster_dns: 'one.example.com' } }]],
    [everywhere, [{ op: 'assign', kind: 'namespace', id: 'nothing' }]],
    [
      everywhere,
      [
        { op: 'merge', merge: { node_count: 1 } },
        { op: 'merge', merge: { node_count: -1 } },
      ],
    ],
    [everywhere, [{ op: 'set', id: 'podinfo', oci_tag: 'no/tag' }]],
    [everywhere, [{ op: 'assign', kind: 'namespace', id: 'podinfo', enabled: true }]],
    [everywhere, [{ op: 'disable' }]],
    [everywhere, []],
    [{}, [{ op: 'disable', id: 'podinfo' }]],
    [{ ids: ['demo-cluster-01', 'nothing'] }, [{ op: 'disable', id: 'podinfo' }]],
    [{ ids: ['demo-cluster-01'], environment: 'prod' }, [{ op: 'disable', id: 'podinfo' }]],
  ] as [object, object[]][]) {
    const answer = await bulk(gateway, select, operations);
    assert.ok([400, 409].includes(answer.status), JSON.stringify(operations));
  }
  const guarded = await bulk(gateway, everywhere, [{ op: 'disable', id: 'metrics-server' }]);
  assert.equal(guarded.json()['error'], 'prune_guard');
  assert.equal(await gateway.fleet(), before);
});
