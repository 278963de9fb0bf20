import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';

type Files = Record<string, string>;

const token = WRITE_TOKEN;
const exportOf = async (gateway: TestGateway): Promise<Files> =>
  (await gateway.send({ path: '/export', token })).json<{ files: Files }>().files;
const bringIn = (gateway: TestGateway, mode: string, files: Files, headers: Record<string, string> = {}) =>
  gateway.send({ method: 'POST', path: '/import', token, headers, body: { mode, files } });
const without = (files: Files, ...paths: string[]): Files =>
  Object.fromEntries(Object.entries(files).filter(([path]) => !paths.includes(path)));

test('the same fleet gives the same bytes, and importing them changes nothing', async (t) => {
  const gateway = await startTestGateway(t);
  const files = await exportOf(gateway);
  assert.deepEqual(await exportOf(gateway), files);
  assert.ok('clusters/demo-cluster-01.yaml' in files && '.fluxgate.yaml' in files);
  for (const mode of ['merge', 'authoritative']) {
    const outcome = (await bringIn(gateway, mode, files)).json<{ plan: { objects_changed: number } }>();
    assert.equal(outcome.plan.objects_changed, 0, mode);
    assert.ok(!('revision' in outcome), 'no revision of nothing');
  }
});

test('an empty store is filled from an export, and exports the same objects again', async (t) => {
  const from = await startTestGateway(t);
  const files = without(await exportOf(from), '.fluxgate.yaml');
  const namespaces = [{ id: 'only' }];
  const to = await startTestGateway(t, { seed: { namespaces } });
  assert.equal((await bringIn(to, 'merge', files)).status, 200);
  assert.deepEqual(without(await exportOf(to), '.fluxgate.yaml', 'namespaces/only.yaml'), files);
});

test('merge brings in edits and creations, never deletes, and refuses what both sides edited', async (t) => {
  const gateway = await startTestGateway(t);
  const exported = await exportOf(gateway);
  const put = { method: 'PUT', path: '/namespaces/traefik', token, body: { labels: { team: 'there' } } };
  assert.equal((await gateway.send(put)).status, 200);
  const edited: Files = {
    ...without(exported, 'rolebindings/web-team-edit.yaml'),
    'namespaces/podinfo.yaml': 'id: podinfo\nlabels: {team: here}\n',
    'namespaces/new.yaml': 'id: new\n',
  };
  const merged = await bringIn(gateway, 'merge', edited);
  assert.equal(merged.status, 200, merged.body.toString());
  const now = await exportOf(gateway);
  assert.match(now['namespaces/podinfo.yaml'] ?? '', /team: here/);
  assert.match(now['namespaces/traefik.yaml'] ?? '', /team: there/);
  assert.ok('namespaces/new.yaml' in now && 'rolebindings/web-team-edit.yaml' in now);
  const both = await bringIn(gateway, 'merge', {
    ...exported,
    'namespaces/traefik.yaml': 'id: traefik\nlabels: {team: both}\n',
  });
  assert.equal(both.status, 409);
  assert.match(both.body.toString(), /\/namespaces\/traefik/);
});

test('authoritative makes the fleet what the directory says, and not over what it has not seen', async (t) => {
  const gateway = await startTestGateway(t);
  const exported = await exportOf(gateway);
  const fewer = without(exported, 'clusters/demo-cluster-03.yaml');
  const asked = await bringIn(gateway, 'authoritative', fewer);
  assert.equal(asked.json()['error'], 'prune_guard');
  const { plan } = asked.json<{ plan: { plan_hash: string } }>();
  const confirmed = { 'Confirm-Plan': plan.plan_hash };
  assert.equal((await bringIn(gateway, 'authoritative', fewer, confirmed)).status, 200);
  assert.deepEqual(without(await exportOf(gateway), '.fluxgate.yaml'), without(fewer, '.fluxgate.yaml'));
  const stale = await bringIn(gateway, 'authoritative', exported);
  assert.equal(stale.json()['error'], 'conflict');
  const unmarked = await bringIn(gateway, 'authoritative', without(exported, '.fluxgate.yaml'));
  assert.equal(unmarked.status, 400);
});

test('an empty checkout changes nothing; one that lost half its objects is stopped', async (t) => {
  const gateway = await startTestGateway(t);
  const exported = await exportOf(gateway);
  const before = await gateway.fleet();
  for (const mode of ['merge', 'authoritative']) {
    for (const files of [{}, { '.fluxgate.yaml': exported['.fluxgate.yaml'] ?? '' }]) {
      const answer = await bringIn(gateway, mode, files);
      assert.equal(answer.status, 400);
      assert.match(answer.body.toString(), /an empty directory changes nothing/);
    }
  }
  const half = Object.fromEntries(Object.entries(exported).filter((_, index) => index % 2 === 0));
  const lost = await bringIn(gateway, 'authoritative', {
    ...half,
    '.fluxgate.yaml': exported['.fluxgate.yaml'] ?? '',
  });
  assert.ok(lost.status === 409 || lost.status === 400, lost.body.toString());
  const clusters = without(exported, 'clusters/demo-cluster-01.yaml', 'clusters/demo-cluster-02.yaml');
  assert.equal((await bringIn(gateway, 'authoritative', clusters)).json()['error'], 'prune_guard');
  assert.equal(await gateway.fleet(), before);
});

test('a file that is not what it should be is named, and nothing changes', async (t) => {
  const gateway = await startTestGateway(t);
  const exported = await exportOf(gateway);
  const before = await gateway.fleet();
  for (const [path, text] of [
    ['namespaces/podinfo.yaml', 'id: other\n'],
    ['namespaces/podinfo.yaml', 'id: podinfo\nid: podinfo\n'],
    ['namespaces/podinfo.yaml', 'id: &a podinfo\nlabels: *a\n'],
    ['namespaces/podinfo.yaml', 'id: podinfo\nunknown: 1\n'],
    ['namespaces/podinfo.yaml', 'id: podinfo\n---\nid: podinfo\n'],
    ['namespaces/podinfo.yaml', ''],
    ['nothing/podinfo.yaml', 'id: podinfo\n'],
    [
      'clusters/x.yaml',
      'id: x\ncluster_name: x\ncluster_dns: x.example.com\nenvironment: dev\nnamespaces: [{id: nothing}]\n',
    ],
    [
      'clusters/x.yaml',
      'id: x\ncluster_name: x\ncluster_dns: demo-cluster-01.k8s.example.com\nenvironment: dev\n',
    ],
    ['.fluxgate.yaml', 'format: 2\nrevision: 1\n'],
    ['.fluxgate.yaml', 'format: 1\nrevision: 77\n'],
  ] as [string, string][]) {
    const answer = await bringIn(gateway, 'merge', { ...exported, [path]: text });
    assert.ok([400, 409].includes(answer.status), `${path} ${text}: ${answer.status}`);
  }
  assert.equal(await gateway.fleet(), before);
});

test('unknown fields and what is mentioned in vain are told in one answer', async (t) => {
  const gateway = await startTestGateway(t);
  const head = 'cluster_name: x\nenvironment: dev\ncluster_dns';
  const files = {
    'clusters/x.yaml': `id: x\n${head}: x.example.com\ncolour: red\nnamespaces: [{id: nothing}, {id: podinfo}, {id: new}]\n`,
    'clusters/y.yaml': `id: y\n${head}: y.example.com\nrolebindings: [{id: nobody}]\n`,
    'clusters/z.yaml': `id: zz\n${head}: z.example.com\nnamespaces: [{id: nothing}]\n`,
    'namespaces/new.yaml': 'id: new\n',
  };
  const vain = (path: string, title: string, id: string) => ({
    field: `/files/clusters~1${path}/id`,
    problem: `must be the id of a ${title} that is there; "${id}" would not be`,
  });
  const told = [
    { field: '/files/clusters~1x.yaml/colour', problem: 'is not a known field' },
    { field: '/files/clusters~1z.yaml/id', problem: 'must be "z", as the file is named' },
    vain('x.yaml/namespaces/0', 'namespace', 'nothing'),
    vain('z.yaml/namespaces/0', 'namespace', 'nothing'),
    vain('y.yaml/rolebindings/0', 'rolebinding', 'nobody'),
  ];
  const merged = await bringIn(gateway, 'merge', files);
  assert.deepEqual([merged.status, merged.json()['details']], [400, told]);
  const gone = vain('x.yaml/namespaces/1', 'namespace', 'podinfo');
  const alone = await bringIn(gateway, 'authoritative', files);
  assert.deepEqual(alone.json()['details'], told.toSpliced(3, 0, gone));
});
