import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { gauge, inParallel } from '../support/siege.ts';

const POLLS = 600;
const AT_ONCE = 100;
const DNS = 'demo-cluster-01.k8s.example.com';

it(`${POLLS} polls from one address that was never seen before, ${AT_ONCE} at once, are all served`, async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.cluster(DNS);
  const path = `/api/v2/flux/clusters/${DNS}/platform-components`;
  await inParallel(POLLS, AT_ONCE, async () => {
    assert.equal((await gateway.send({ path, certificate })).status, 200);
  });
  assert.equal(await gauge(gateway, 'fluxgate_connections_refused_total'), 0);
  assert.equal(await gauge(gateway, 'fluxgate_requests_limited_total'), 0);
});
