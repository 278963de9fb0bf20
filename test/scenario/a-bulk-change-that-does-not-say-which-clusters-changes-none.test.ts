import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { operator } from '../support/poll.ts';

test('a bulk change that does not say which clusters, by labels of which there are none either, changes none', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await gateway.fleet();
  const operations = [{ op: 'merge', merge: { node_count: 7 } }];
  for (const select of [{}, { labels: {} }]) {
    const answer = await send('POST', '/bulk', { select, operations });
    assert.equal(answer.status, 400, JSON.stringify(select));
    assert.match(answer.body.toString(), /"field":"\/select"/);
  }
  assert.equal(await gateway.fleet(), before);
  // Beside something that is said, they take nothing away from it.
  const said = { select: { labels: {}, ids: ['demo-cluster-01'] }, operations };
  assert.equal((await send('POST', '/bulk', said)).status, 200);
  assert.notEqual(await gateway.fleet(), before);
});
