import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../../src/core/fleet/objects.ts';
import { startTestGateway } from '../support/gateway.ts';
import { confirmed, operator, poll, servedIds, verdict } from '../support/poll.ts';

const ID = 'demo-cluster-03';
const PATH = `/clusters/${ID}`;
const lists = (ids: readonly string[]) => ids.map((id) => ({ id }));

test('the second of two who read the same version is told so, and decides again', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const read = await send('GET', PATH);
  const ifMatch = { 'if-match': String(read.headers.etag) };
  const { namespaces, rolebindings } = read.json<Cluster>();
  const alex = { namespaces: [...namespaces, { id: 'podinfo' }] };
  const kim = { namespaces: [...namespaces], rolebindings: [...rolebindings, { id: 'developers-view' }] };
  assert.equal((await send('PUT', PATH, alex, ifMatch)).status, 200);
  const between = await poll(gateway, ID);
  assert.equal(verdict(await send('PUT', PATH, kim, ifMatch)), '412 precondition_failed');
  assert.deepEqual(await poll(gateway, ID), between);
  const again = await send('GET', PATH);
  const rest = { ...kim, namespaces: again.json<Cluster>().namespaces };
  assert.equal((await send('PUT', PATH, rest, { 'if-match': String(again.headers.etag) })).status, 200);
  assert.deepEqual(await servedIds(gateway, ID, 'namespaces'), ['cert-manager', 'traefik', 'podinfo']);
  assert.deepEqual(await servedIds(gateway, ID, 'rolebindings'), ['platform-admins', 'developers-view']);
});

test('without If-Match, a stale list that takes away what the other added is a plan to confirm', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const { namespaces } = (await send('GET', PATH)).json<Cluster>();
  assert.equal((await send('PUT', PATH, { namespaces: [...namespaces, { id: 'podinfo' }] })).status, 200);
  const between = await poll(gateway, ID);
  assert.equal(verdict(await send('PUT', PATH, { namespaces })), '409 prune_guard namespace');
  assert.deepEqual(await poll(gateway, ID), between);
});

test('a plan that was seen before the other’s change is not carried out after it', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const removal = { namespaces: lists(['cert-manager']) };
  const { plan } = (await send('PUT', PATH, removal)).json<{ plan: { plan_hash: string } }>();
  const added = lists(['cert-manager', 'traefik', 'podinfo']);
  assert.equal((await send('PUT', PATH, { namespaces: added })).status, 200);
  const between = await poll(gateway, ID);
  const stale = await send('PUT', PATH, removal, { 'confirm-plan': plan.plan_hash });
  assert.match(
    verdict(stale),
    /^409 prune_guard several_inputs,namespace$/,
    'it would take two now, not one',
  );
  assert.deepEqual(await poll(gateway, ID), between);
  assert.equal((await confirmed(send, 'PUT', PATH, removal)).status, 200);
});

test('two who confirm the same plan at once: it happens once', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const removal = { namespaces: lists(['cert-manager']) };
  const { plan } = (await send('PUT', PATH, removal)).json<{ plan: { plan_hash: string } }>();
  const headers = { 'confirm-plan': plan.plan_hash };
  const answers = await Promise.all(Array.from({ length: 4 }, () => send('PUT', PATH, removal, headers)));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 409, 409, 409]);
  assert.equal((await send('GET', '/revisions')).json<object[]>().length, 2);
  assert.deepEqual(await servedIds(gateway, ID, 'namespaces'), ['cert-manager']);
});
