/** Flux keeps what it has on 404. Whoever answers under the same name later decides what becomes of that. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { confirmed, operator, poll, verdict } from '../support/poll.ts';

const ID = 'demo-cluster-01';
const DNS = `${ID}.k8s.example.com`;
const EMPTY = { id: 'fresh', cluster_name: 'fresh', cluster_dns: DNS, environment: 'dev' };

/** Served once by its own certificate: that is how the gateway knows that a cluster lives under the name. */
async function pollByCertificate(gateway: TestGateway): Promise<void> {
  const certificate = await gateway.pki.cluster(DNS);
  const answer = await gateway.send({ path: `/api/v2/flux/clusters/${DNS}/namespaces`, certificate });
  assert.equal(answer.status, 200);
}

test('a deleted cluster is not created again, with less, unasked', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  await pollByCertificate(gateway);
  assert.equal((await confirmed(send, 'DELETE', `/clusters/${ID}`)).status, 200);
  assert.equal(verdict(await send('POST', '/clusters', EMPTY)), '409 prune_guard revived');
  assert.equal((await confirmed(send, 'POST', '/clusters', EMPTY)).status, 201);
});

test('a retired cluster’s name is not taken over by another one unasked', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  await pollByCertificate(gateway);
  const state = `/clusters/${ID}/state`;
  const reason = 'the site closes';
  assert.equal((await send('POST', state, { state: 'decommissioning', reason })).status, 200);
  assert.equal((await confirmed(send, 'POST', state, { state: 'retired', reason })).status, 200);
  assert.equal((await send('PATCH', `/clusters/${ID}`, { cluster_dns: 'gone.example.com' })).status, 200);
  assert.equal(verdict(await send('POST', '/clusters', EMPTY)), '409 prune_guard revived');
  const empty = { ...EMPTY, cluster_dns: 'empty.k8s.example.com' };
  assert.equal((await send('POST', '/clusters', empty)).status, 201, 'a name that nobody was served under');
  const move = await send('PATCH', '/clusters/fresh', { cluster_dns: DNS });
  assert.equal(verdict(move), '409 prune_guard revived');
  assert.deepEqual(await poll(gateway, 'empty'), Array(3).fill('{"inputs":[]}'));
});
