import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { systemClock } from '../../src/shell/clock.ts';
import { READ_TOKEN, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { besiege, inParallel } from '../support/siege.ts';

const PATH = '/api/v2/flux/clusters/demo-cluster-02.k8s.example.com/namespaces';
const GUESSES = 400;

/** By status, how many. */
async function guess(gateway: TestGateway, localAddress: string): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  await inParallel(GUESSES, 40, async (index) => {
    const answer = await gateway.send({ path: PATH, token: `guess-${index}`, localAddress });
    counts.set(answer.status, (counts.get(answer.status) ?? 0) + 1);
    if (answer.status !== 429) return;
    assert.equal(answer.json()['error'], 'rate_limited');
    assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
  });
  return counts;
}

it('after the first guesses each waits longer, then no token is looked at; certificates are not affected', async (t) => {
  const gateway = await startTestGateway(t);
  const { pki } = gateway;
  // The clusters poll from this very address.
  await besiege(gateway, async () => {
    const begun = performance.now();
    const counts = await guess(gateway, '127.0.0.1');
    const tookMs = performance.now() - begun;
    const allowed = LIMITS.failedTokensBurst + (tookMs / 1_000 + 1) * LIMITS.failedTokensPerSecond;
    assert.deepEqual([...counts.keys()].sort(), [401, 429]);
    assert.ok((counts.get(401) ?? 0) <= allowed, `${counts.get(401)} tokens were looked at`);
    assert.ok((counts.get(401) ?? 0) > LIMITS.failedTokensFree);
    const delays = gateway.log
      .filter(({ status }) => status === 401)
      .map((line) => Number(line['duration_ms']));
    assert.ok(Math.max(...delays) > 1_000, 'the last refusals were held back');
  });
  const certificate = await pki.operator('operator@example.com');
  assert.equal((await gateway.send({ path: '/clusters', certificate })).status, 200);
});

it('a right guess says nothing once the address has failed too often; whose token was accepted there goes on', async (t) => {
  // A guess a second is looked at again: on this clock, however slow the machine, none is.
  const gateway = await startTestGateway(t, { clock: { ...systemClock, elapsed: () => 0 } });
  const ask = async (token: string, localAddress: string): Promise<number> =>
    (await gateway.send({ path: PATH, token, localAddress })).status;
  // A fleet that has no certificates yet polls from .7; nobody was ever accepted from .8.
  assert.equal(await ask(READ_TOKEN, '127.0.0.7'), 200);
  await Promise.all([guess(gateway, '127.0.0.7'), guess(gateway, '127.0.0.8')]);
  assert.equal(await ask(READ_TOKEN, '127.0.0.7'), 200);
  assert.equal(await ask(READ_TOKEN, '127.0.0.8'), 429);
  assert.equal(await ask(READ_TOKEN, '127.0.0.9'), 200, 'other addresses are not affected');
});
