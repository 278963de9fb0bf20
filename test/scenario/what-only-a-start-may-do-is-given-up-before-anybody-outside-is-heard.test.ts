import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';

const listening = (): number =>
  process.getActiveResourcesInfo().filter((kind) => kind === 'TCPServerWrap').length;

test('what a start may do is given up once, before either port is open', async (t) => {
  const before = listening();
  const whenGivenUp: number[] = [];
  const { gateway } = await startTestGateway(t, {
    beforeListening: () => void whenGivenUp.push(listening()),
  });
  assert.deepEqual(whenGivenUp, [before]);
  assert.equal(listening(), before + 2, 'the ports of clusters and of the admin listener');
  assert.ok(gateway.adminAddress);
});
