import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Cluster } from '../../src/core/fleet/objects.ts';
import { startTestGateway } from '../support/gateway.ts';
import { operator, poll, servedIds, verdict } from '../support/poll.ts';

const ID = 'demo-cluster-01';

test('neither disabled nor removed nor gained where it is missing: each is refused, naming the dependant', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const { platform_components: assigned } = (await send('GET', `/clusters/${ID}`)).json<Cluster>();
  const before = await poll(gateway, ID);
  const off = assigned.map((entry) => (entry.id === 'traefik' ? { ...entry, enabled: false } : entry));
  const without = assigned.filter(({ id }) => id !== 'traefik');
  const bulk = (op: object) => ({ select: { ids: [ID] }, operations: [op] });
  for (const [method, path, body] of [
    ['PUT', `/clusters/${ID}`, { platform_components: off }],
    ['PATCH', `/clusters/${ID}`, { platform_components: without }],
    ['POST', '/bulk', bulk({ op: 'disable', id: 'traefik' })],
    ['POST', '/bulk', bulk({ op: 'unassign', kind: 'platform_component', id: 'traefik' })],
  ] as const) {
    const answer = await send(method, path, body);
    assert.equal(verdict(answer), '400 validation_error', `${method} ${JSON.stringify(body)}`);
    assert.match(answer.body.toString(), /\\"podinfo\\" is enabled and depends on \\"traefik\\"/);
    assert.deepEqual(await poll(gateway, ID), before);
  }
  // demo-cluster-02 has metrics-server disabled, demo-cluster-01 has it enabled.
  const gained = await send('PATCH', '/platform_components/podinfo', {
    depends_on: ['traefik', 'metrics-server'],
  });
  assert.equal(verdict(gained), '400 validation_error');
  assert.match(gained.body.toString(), /\/clusters\/demo-cluster-02\/platform_components/);
  assert.doesNotMatch(gained.body.toString(), /demo-cluster-01/);
  assert.deepEqual(await poll(gateway, ID), before);
});

test('dependants first, one at a time, is a way that needs no confirmation', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  for (const id of ['podinfo', 'traefik']) {
    const { platform_components: assigned } = (await send('GET', `/clusters/${ID}`)).json<Cluster>();
    const off = assigned.map((entry) => (entry.id === id ? { ...entry, enabled: false } : entry));
    assert.equal((await send('PUT', `/clusters/${ID}`, { platform_components: off })).status, 200, id);
  }
  const ids = await servedIds(gateway, ID, 'platform-components');
  assert.deepEqual(
    ids,
    ['cert-manager', 'traefik', 'metrics-server', 'podinfo'],
    'disabled, and still listed',
  );
});
