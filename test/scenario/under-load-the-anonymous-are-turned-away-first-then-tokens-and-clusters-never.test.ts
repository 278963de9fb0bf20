import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { it } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import type { LoadLevel } from '../../src/core/rate.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { gauge } from '../support/siege.ts';
import { until } from '../support/until.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const FLUX = `/api/v2/flux/clusters/${DNS}/platform-components`;

/** Each turn of the event loop takes as long from now on; 0: as long as it takes. Returns how to end it. */
function holdTurns(ms: number): () => void {
  const timer = setInterval(() => {
    const end = performance.now() + ms;
    while (performance.now() < end);
  }, 1);
  return () => clearInterval(timer);
}

/** A little more than what the level needs. */
const MARGIN_MS = LIMITS.loadSampleMs + 50;

it('who has nothing to show is turned away first, then who has a token; never a cluster, and never a probe', async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.cluster(DNS);
  const level = (wanted: LoadLevel): Promise<void> =>
    until(
      () => gateway.log.findLast(({ shedding }) => shedding !== undefined)?.['shedding'] === wanted,
      wanted,
      30_000,
    );
  // Kept open: a handshake takes many turns, and each is long here.
  const open = (): Agent => new Agent({ keepAlive: true });
  const agents = { anonymous: open(), probe: open(), token: open(), cluster: open() };
  t.after(() => {
    for (const agent of Object.values(agents)) agent.destroy();
  });
  const statuses = async (): Promise<Record<string, number>> => {
    const asked = {
      anonymous: { path: '/openapi.yaml' },
      probe: { path: '/ready' },
      token: { path: '/namespaces', token: WRITE_TOKEN },
      cluster: { path: FLUX, certificate },
    };
    const answers = Object.entries(asked).map(async ([who, request]) => {
      const agent = agents[who as keyof typeof asked];
      return [who, (await gateway.send({ ...request, agent })).status] as const;
    });
    return Object.fromEntries(await Promise.all(answers));
  };

  assert.deepEqual(await statuses(), { anonymous: 200, probe: 200, token: 200, cluster: 200 });
  let release = holdTurns(LIMITS.shedAnonymousDelayMs + MARGIN_MS);
  t.after(() => release());
  await level('anonymous');
  assert.deepEqual(await statuses(), { anonymous: 503, probe: 200, token: 200, cluster: 200 });
  const refused = await gateway.send({ path: '/openapi.yaml' });
  assert.equal(refused.headers['retry-after'], String(LIMITS.shedRetryAfterMs / 1_000));
  release();
  release = holdTurns(LIMITS.shedTokensDelayMs + MARGIN_MS);
  await level('tokens');
  assert.deepEqual(await statuses(), { anonymous: 503, probe: 200, token: 503, cluster: 200 });
  release();
  await level('none');
  assert.deepEqual(await statuses(), { anonymous: 200, probe: 200, token: 200, cluster: 200 });
  assert.equal(await gauge(gateway, 'fluxgate_requests_limited_total', 'load_anonymous'), 3);
  assert.equal(await gauge(gateway, 'fluxgate_requests_limited_total', 'load_tokens'), 1);
});
