import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Namespace } from '../../src/core/fleet/objects.ts';
import type { ClientAnswer, ClientRequest } from '../support/client.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

interface Revision {
  readonly revision: number;
  readonly author: string;
  readonly action: string;
  readonly reason?: string;
  readonly request_id?: string;
  readonly plan?: { readonly plan_hash: string };
  readonly objects: readonly { readonly id: string; readonly before?: unknown; readonly after?: unknown }[];
}

type Send = (request: ClientRequest) => Promise<ClientAnswer>;
const web = '/namespaces/podinfo';
const label = (team: string): ClientRequest => ({ method: 'PUT', path: web, body: { labels: { team } } });

async function newest(send: Send): Promise<Revision> {
  const page = (await send({ path: '/revisions?limit=1' })).json<Revision[]>();
  return (await send({ path: `/revisions/${page[0]?.revision}` })).json<Revision>();
}

test('a revision says who, why, by which request and which plan, and what was before', async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.operator('alex@example.com', ['platform']);
  const send: Send = (request) => gateway.send({ certificate, ...request });
  assert.equal((await newest(send)).action, 'seed');
  const before = (await send({ path: web })).json();
  const headers = { 'Change-Reason': Buffer.from('für das Web-Team', 'utf8').toString('latin1') };
  const answer = await send({ ...label('web'), headers });
  const { objects, ...revision } = await newest(send);
  const { plan, ...rest } = revision as Revision & { at: string };
  assert.match(plan?.plan_hash ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(
    { ...rest, at: '' },
    {
      revision: 2,
      at: '',
      author: 'operator:alex@example.com',
      action: 'write',
      request_id: answer.headers['x-request-id'],
      reason: 'für das Web-Team',
      changes: 1,
    },
  );
  assert.deepEqual(objects, [{ kind: 'namespace', id: 'podinfo', before, after: answer.json() }]);
});

test('what changes nothing, or is refused, is no revision', async (t) => {
  const gateway = await startTestGateway(t);
  const send: Send = (request) => gateway.send({ token: WRITE_TOKEN, ...request });
  assert.equal((await send(label('web'))).status, 200);
  assert.equal((await send(label('web'))).status, 200);
  assert.equal((await send({ ...label('x'), path: `${web}?dry_run=true` })).status, 200);
  assert.equal((await send({ ...label('not valid!') })).status, 400);
  for (const reason of ['', 'two\u0085lines', 'x'.repeat(501), '\xff']) {
    assert.equal((await send({ ...label('y'), headers: { 'Change-Reason': reason } })).status, 400, reason);
  }
  assert.equal((await newest(send)).revision, 2);
});

test('a cluster is rendered as it was at any revision, and the difference of two is told', async (t) => {
  const gateway = await startTestGateway(t);
  const send: Send = (request) => gateway.send({ token: WRITE_TOKEN, ...request });
  const poll = async (): Promise<unknown> =>
    (await send({ path: '/api/v2/flux/clusters/demo-cluster-02.k8s.example.com/namespaces' })).json();
  const rendered = async (query: string): Promise<Record<string, unknown>> =>
    (await send({ path: `/clusters/demo-cluster-02/rendered${query}` })).json();
  const polled = [await poll()];
  for (const team of ['a', 'b']) {
    assert.equal((await send(label(team))).status, 200);
    polled.push(await poll());
  }
  for (const [index, inputs] of polled.entries()) {
    assert.deepEqual((await rendered(`?revision=${index + 1}`)).namespaces, inputs, `revision ${index + 1}`);
  }
  assert.deepEqual((await rendered('')).namespaces, polled[2]);
  assert.equal((await send({ path: '/clusters/demo-cluster-02/rendered?revision=99' })).status, 404);
  assert.equal((await send({ path: '/clusters/nothing/rendered' })).status, 404);

  const diff = (await send({ path: '/revisions/2...3' })).json<{
    clusters: { id: string; routes: object[] }[];
  }>();
  assert.deepEqual(
    diff.clusters.map(({ id }) => id),
    ['demo-cluster-01', 'demo-cluster-02'],
  );
  assert.match(JSON.stringify(diff.clusters[0]?.routes), /"field":"\/labels\/team","before":"a","after":"b"/);
  const back = (await send({ path: '/revisions/3...2' })).json<{ clusters: object[] }>();
  assert.match(JSON.stringify(back.clusters), /"before":"b","after":"a"/);
  assert.deepEqual((await send({ path: '/revisions/3...3' })).json<{ clusters: object[] }>().clusters, []);
  for (const range of ['1...99', '99', '0']) {
    assert.equal((await send({ path: `/revisions/${range}` })).status, 404, range);
  }
  for (const range of ['1..2', '1...', 'a', '-1', '1...2...3']) {
    assert.equal((await send({ path: `/revisions/${range}` })).status, 400, range);
  }
});

test('a revert goes through plan and guard, is a revision itself, and can be reverted', async (t) => {
  const gateway = await startTestGateway(t);
  const send: Send = (request) => gateway.send({ token: WRITE_TOKEN, ...request });
  const start = await gateway.fleet();
  const change = { method: 'PATCH', path: '/clusters/demo-cluster-03', body: { node_count: 13 } };
  const create = { method: 'POST', path: '/platform_components' };
  const body = {
    id: 'new',
    component_path: 'x',
    component_version: '1',
    oci_url: 'oci://r.example.com/x',
    oci_tag: 'v1',
  };
  assert.equal((await send(change)).status, 200);
  assert.equal((await send({ ...create, body })).status, 201);
  const assign = {
    platform_components: [
      { id: 'new', enabled: true },
      { id: 'cert-manager', enabled: true },
    ],
  };
  const put = { method: 'PUT', path: '/clusters/demo-cluster-01', body: assign };
  const refused = (await send(put)).json<{ error: string; plan: { plan_hash: string } }>();
  assert.equal(refused.error, 'prune_guard');
  const confirm = { 'Confirm-Plan': refused.plan.plan_hash };
  assert.equal((await send({ ...put, headers: confirm })).status, 200);

  const inUse = await send({ method: 'POST', path: '/revisions/3/revert' });
  assert.equal(`${inUse.status} ${inUse.json()['error']}`, '409 in_use');
  const dry = (await send({ method: 'POST', path: '/revisions/4/revert?dry_run=true' })).json();
  assert.equal(dry['carried_out'], false);
  for (const number of [4, 3, 2]) {
    const path = `/revisions/${number}/revert`;
    let answer = await send({ method: 'POST', path });
    if (answer.status === 409) {
      const hash = answer.json<{ plan: { plan_hash: string } }>().plan.plan_hash;
      answer = await send({ method: 'POST', path, headers: { 'Confirm-Plan': hash } });
    }
    assert.equal(answer.status, 200, answer.body.toString());
    assert.equal(answer.json()['carried_out'], true);
  }
  assert.equal(await gateway.fleet(), start);
  const undone = await newest(send);
  assert.deepEqual([undone.revision, undone.action], [7, 'revert']);
  assert.equal((await send({ method: 'POST', path: '/revisions/7/revert' })).status, 200);
});

test('a revert over later changes is refused, naming them, and changes nothing', async (t) => {
  const gateway = await startTestGateway(t);
  const send: Send = (request) => gateway.send({ token: WRITE_TOKEN, ...request });
  for (const team of ['a', 'b']) assert.equal((await send(label(team))).status, 200);
  const before = await gateway.fleet();
  const answer = await send({ method: 'POST', path: '/revisions/2/revert' });
  assert.equal(answer.status, 409);
  assert.match(answer.body.toString(), /"conflict".*\/namespaces\/podinfo.*revision 3: revert that first/);
  assert.equal(await gateway.fleet(), before);
  assert.equal((await send({ method: 'POST', path: '/revisions/3/revert' })).status, 200);
  assert.equal(
    (await send({ method: 'POST', path: '/revisions/2/revert' })).status,
    200,
    'it is as 2 left it',
  );
  const { labels } = (await send({ path: web })).json<Namespace>();
  assert.ok(!('team' in labels));
  assert.equal((await send({ method: 'POST', path: '/revisions/99/revert' })).status, 404);
});
