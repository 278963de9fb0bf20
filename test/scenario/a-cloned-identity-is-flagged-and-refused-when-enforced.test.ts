import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { type Clock, systemClock } from '../../src/shell/clock.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, poll, readTrust } from '../support/trust.ts';

const DNS = demoDns(1);
const pki = await createTestPki();
const own = await pki.cluster(DNS);
const sameKey = await pki.cluster(DNS, { reuseKeyOf: own });
/** What a renewal brings, or a thief who made the CA issue it. */
const other = await pki.cluster(DNS);

async function start(t: TestContext, mode: string, clock?: Clock): Promise<TestGateway> {
  const environment = { PIN_CLUSTER_KEYS: mode };
  return startTestGateway(t, { pki, environment, ...(clock === undefined ? {} : { clock }) });
}

async function play(gateway: TestGateway, uses: readonly (typeof own)[]): Promise<number[]> {
  const statuses: number[] = [];
  for (const certificate of uses) statuses.push((await poll(gateway, DNS, certificate)).status);
  return statuses;
}

it('by default two keys in use are flagged in the log, in the metrics and in GET /trust, and both are served', async (t) => {
  const gateway = await start(t, 'observe');
  assert.deepEqual(await play(gateway, [own, sameKey, other]), [200, 200, 200]);
  assert.equal((await readTrust(gateway)).conflicts.total, 0, 'a renewal is no conflict');
  assert.deepEqual(await play(gateway, [own, other, own, own]), [200, 200, 200, 200]);
  const { conflicts } = await readTrust(gateway);
  assert.deepEqual(
    conflicts.clusters.map(({ cluster_dns, conflict }) => [cluster_dns, conflict.count]),
    [[DNS, 3]],
  );
  const warnings = gateway.log.filter(({ level, msg }) => level === 'warn' && msg.endsWith('cloned'));
  assert.deepEqual(
    warnings.map(({ cluster, both_in_use: both, msg }) => [cluster, both, msg.replace(/:.*/, '')]),
    [
      [DNS, false, 'a key that its cluster had replaced is used again'],
      [DNS, true, 'two keys of one cluster are in use'],
    ],
    'told once each, not with each poll',
  );
  for (const { request_id: id, source } of warnings) {
    const asked = gateway.log.find((line) => line['request_id'] === id && 'method' in line);
    assert.deepEqual([source, asked?.['cluster']], ['127.0.0.1', DNS], 'and with which request');
  }
  const admin = gateway.gateway.adminAddress;
  const metrics = await (await fetch(`http://127.0.0.1:${admin?.port}/metrics`)).text();
  assert.match(metrics, /^fluxgate_key_pin_conflicts 1$/m);
});

it('enforced, a renewal goes through, and the key that was left behind is 495 once both are in use', async (t) => {
  const gateway = await start(t, 'enforce');
  assert.deepEqual(await play(gateway, [own, sameKey, other]), [200, 200, 200]);
  assert.deepEqual(await play(gateway, [own]), [200], 'a straggler, in the grace');
  assert.deepEqual(await play(gateway, [other, own, sameKey, other]), [200, 495, 495, 200]);
  const refused = await poll(gateway, DNS, own, WRITE_TOKEN);
  assert.equal((gateway.logOf(refused)['certificate'] as Record<string, unknown>)['refused'], 'key_pin');
  const neighbour = await pki.cluster(demoDns(2));
  assert.equal((await poll(gateway, demoDns(2), neighbour)).status, 200);
});

it('enforced, the old key is 495 when its grace is over, though nobody used both', async (t) => {
  let offset = 0;
  const clock: Clock = { ...systemClock, now: () => Date.now() + offset };
  const gateway = await start(t, 'enforce', clock);
  assert.deepEqual(await play(gateway, [own, other]), [200, 200]);
  offset = LIMITS.pinGraceMs + 1_000;
  assert.deepEqual(await play(gateway, [own, other]), [495, 200]);
});

it('an operator forgets the keys, the log says who, and the next key is the first', async (t) => {
  const gateway = await start(t, 'enforce');
  assert.deepEqual(await play(gateway, [own, other, own, other, own]), [200, 200, 200, 200, 495]);
  const reset = { method: 'DELETE', path: `/trust/pins/${DNS}` };
  assert.equal((await gateway.send({ ...reset, certificate: other })).status, 403, 'not by a cluster');
  const answer = await gateway.send({ ...reset, certificate: await pki.operator('op@example.com') });
  assert.equal(answer.status, 200);
  const audit = gateway.log.find((line) => line['audit'] === 'trust.pins.reset');
  assert.deepEqual(
    [audit?.['by'], audit?.['cluster'], audit?.['request_id']],
    ['operator:op@example.com', DNS, answer.headers['x-request-id']],
  );
  assert.equal((await readTrust(gateway)).conflicts.total, 0);
  assert.deepEqual(await play(gateway, [own]), [200]);
  assert.equal(
    (await gateway.send({ ...reset, path: `/trust/pins/${demoDns(3)}`, token: WRITE_TOKEN })).status,
    404,
  );
});

it('off, nothing is remembered', async (t) => {
  const gateway = await start(t, 'off');
  assert.deepEqual(await play(gateway, [own, other, own, other, own]), [200, 200, 200, 200, 200]);
  assert.equal((await readTrust(gateway)).conflicts.total, 0);
});
