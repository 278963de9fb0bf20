import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { confirmed, operator, poll, verdict } from '../support/poll.ts';

const CLUSTER = '/clusters/demo-cluster-03';

test('frozen, changed and unfrozen comes to the same as changed: it needs its plan confirmed', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const state = (to: string) => [`${CLUSTER}/state`, { state: to, reason: 'a test' }] as const;
  const before = await poll(gateway, 'demo-cluster-03');
  assert.equal(verdict(await send('PATCH', CLUSTER, { environment: 'qa' })), '409 prune_guard environment');
  assert.equal((await send('POST', ...state('frozen'))).status, 200);
  assert.equal((await send('PATCH', CLUSTER, { environment: 'qa' })).status, 200, 'nothing is served yet');
  assert.equal(verdict(await send('POST', ...state('active'))), '409 prune_guard environment');
  assert.deepEqual(await poll(gateway, 'demo-cluster-03'), before);
  assert.equal((await confirmed(send, 'POST', ...state('active'))).status, 200);
  assert.match((await poll(gateway, 'demo-cluster-03'))[0] ?? '', /"environment":"qa"/);
});
