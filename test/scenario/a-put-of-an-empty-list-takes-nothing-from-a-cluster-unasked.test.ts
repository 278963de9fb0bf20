import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { confirmed, operator, poll, verdict } from '../support/poll.ts';

const ID = 'demo-cluster-01';
const LISTS = ['platform_components', 'namespaces', 'rolebindings'] as const;

test('an empty list, in whatever way it is said, is refused with its plan, and polls get what they got', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  for (const list of LISTS) {
    const rules =
      list === 'namespaces' ? 'several_inputs,namespace,empty_route' : 'several_inputs,empty_route';
    const path = `/clusters/${ID}`;
    const bulk = { select: { ids: [ID] }, operations: [{ op: 'merge', merge: { [list]: [] } }] };
    const ways = [
      ['PUT', path, { [list]: [] }],
      ['PATCH', path, { [list]: [] }],
      ['PATCH', path, { [list]: null }],
      ['POST', '/bulk', bulk],
    ] as const;
    for (const [method, where, body] of ways) {
      const answer = await send(method, where, body);
      assert.equal(verdict(answer), `409 prune_guard ${rules}`, `${method} ${JSON.stringify(body)}`);
      assert.deepEqual(await poll(gateway, ID), before);
    }
  }
  const single = { rolebindings: [] };
  const last = await send('PUT', '/clusters/demo-cluster-03', single);
  assert.equal(verdict(last), '409 prune_guard empty_route', 'the last of a route is asked about as well');
});

test('whoever confirms the plan gets the empty list, and no other route changes', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  assert.equal((await confirmed(send, 'PUT', `/clusters/${ID}`, { rolebindings: [] })).status, 200);
  assert.deepEqual(await poll(gateway, ID), [before[0], before[1], '{"inputs":[]}']);
});
