import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { confirmed, operator, poll, verdict } from '../support/poll.ts';

const ID = 'demo-cluster-01';
const CLUSTER = `/clusters/${ID}`;
const becomes = (state: string) => ({ state, reason: 'release freeze' });

/** The bodies of the three routes, from GET /clusters/{id}/rendered. */
async function rendered(send: ReturnType<typeof operator>, query = ''): Promise<readonly string[]> {
  const answer = await send('GET', `${CLUSTER}/rendered${query}`);
  const body = answer.json<Record<string, unknown>>();
  return ['platform_components', 'namespaces', 'rolebindings'].map((route) => JSON.stringify(body[route]));
}

test('a frozen cluster is rendered as it is served, now and at every revision of its freeze', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const atRevision: (readonly string[])[] = [await poll(gateway, ID)];
  const step = async (method: string, path: string, body: object): Promise<void> => {
    let answer = await send(method, path, body);
    if (answer.status === 409) answer = await confirmed(send, method, path, body);
    assert.equal(answer.status, 200, verdict(answer));
    atRevision.push(await poll(gateway, ID));
  };
  await step('POST', `${CLUSTER}/state`, becomes('frozen'));
  await step('PATCH', '/platform_components/podinfo', { component_version: '7.0.0' });
  await step('PUT', CLUSTER, { namespaces: [] });
  assert.deepEqual(await rendered(send), atRevision[0], 'frozen: nothing moved');
  await step('POST', `${CLUSTER}/state`, becomes('active'));
  await step('POST', `${CLUSTER}/state`, becomes('frozen'));
  await step('PATCH', '/platform_components/podinfo', { component_version: '8.0.0' });
  await step('POST', `${CLUSTER}/state`, becomes('active'));
  assert.equal(new Set(atRevision.map(String)).size, 3, 'frozen, unfrozen, unfrozen again');
  for (const [index, served] of atRevision.entries()) {
    assert.deepEqual(await rendered(send, `?revision=${index + 1}`), served, `revision ${index + 1}`);
  }
  assert.deepEqual(await rendered(send), atRevision.at(-1));
  const clustersOf = async (range: string): Promise<string> =>
    JSON.stringify((await send('GET', `/revisions/${range}`)).json()['clusters']);
  assert.doesNotMatch(await clustersOf('1...4'), /demo-cluster-01/, 'it was served nothing else meanwhile');
  assert.match(await clustersOf('4...5'), /"demo-cluster-01".*"removed"/);
});

test('a frozen cluster that was deleted comes back by a revert with what it was frozen at', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  assert.equal((await send('POST', `${CLUSTER}/state`, becomes('frozen'))).status, 200);
  assert.equal((await send('PUT', CLUSTER, { platform_components: [] })).status, 200);
  assert.equal((await confirmed(send, 'DELETE', CLUSTER)).status, 200);
  assert.deepEqual(await poll(gateway, ID), ['404', '404', '404']);
  assert.equal((await send('POST', '/revisions/4/revert')).status, 200);
  assert.deepEqual(await poll(gateway, ID), before, 'not the emptied list of its document');
});
