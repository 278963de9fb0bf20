import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crlOf, startCrlGateway } from '../support/crls.ts';
import { createTestPki } from '../support/pki.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const path = `/api/v2/flux/clusters/${DNS}/namespaces`;
const WEEK = 7 * 86_400_000;

/** Operators live under another CA, whose CRL is not there at all. */
async function scene() {
  const pki = await createTestPki();
  const revoked = await pki.cluster(DNS);
  return {
    pki,
    revoked,
    leaf: await pki.cluster(DNS),
    operator: await pki.operator('ops@example.com'),
    files: { 'issuing.crl': await crlOf(pki.clusterIntermediate, [revoked]) },
  };
}

test('under require-fresh: 495 and not ready once it is stale, until a fresh one comes', async (t) => {
  const { pki, leaf, operator, files } = await scene();
  const gateway = await startCrlGateway(t, files, { pki });
  assert.equal((await gateway.send({ path, certificate: leaf })).status, 200);
  assert.equal((await gateway.send({ path: '/ready' })).status, 200);

  gateway.advance(WEEK + 2_000); // dates in a CRL are whole seconds
  const refused = await gateway.send({ path, certificate: leaf });
  assert.equal(refused.status, 495);
  const logged = gateway.logOf(refused)['certificate'] as Record<string, string>;
  assert.equal(logged['refused'], 'crl_stale');
  const ready = await gateway.send({ path: '/ready' });
  assert.equal(ready.status, 503);
  const [detail] = ready.json<{ details: { field: string; problem: string }[] }>().details;
  assert.equal(detail?.field, 'crl');
  assert.equal((await gateway.send({ path: '/clusters', certificate: operator })).status, 200);

  const now = Date.now() + WEEK;
  const fresh = await crlOf(pki.clusterIntermediate, [], {
    thisUpdate: new Date(now),
    nextUpdate: new Date(now + WEEK),
    number: 2,
  });
  await gateway.put('issuing.crl', fresh);
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  assert.equal((await gateway.send({ path, certificate: leaf })).status, 200);
  assert.equal((await gateway.send({ path: '/ready' })).status, 200);
});

test('a refused reload, which keeps a fresh CRL out, is told beside it, and the log of probes is one line a change', async (t) => {
  const { pki, leaf, files } = await scene();
  const gateway = await startCrlGateway(t, files, { pki });
  const probe = async (): Promise<readonly [number, readonly string[] | undefined]> => {
    const answer = await fetch(`http://127.0.0.1:${gateway.gateway.adminAddress?.port}/ready`);
    const { details } = (await answer.json()) as { details?: { field: string }[] };
    return [answer.status, details?.map(({ field }) => field)];
  };
  gateway.advance(WEEK + 2_000);
  for (let i = 0; i < 3; i++) assert.deepEqual(await probe(), [503, ['crl']]);
  const now = Date.now() + WEEK;
  const dates = { thisUpdate: new Date(now), nextUpdate: new Date(now + WEEK), number: 2 };
  await gateway.put('issuing.crl', await crlOf(pki.clusterIntermediate, [], dates));
  await gateway.put('another.crl', 'nothing');
  assert.equal(await gateway.gateway.reload('SIGHUP'), false);
  assert.equal((await gateway.send({ path, certificate: leaf })).status, 495);
  for (let i = 0; i < 3; i++) assert.deepEqual(await probe(), [503, ['crl', 'reload']]);
  await gateway.put('another.crl', undefined);
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  for (let i = 0; i < 3; i++) assert.deepEqual(await probe(), [200, undefined]);
  const said = gateway.log.filter(({ msg }) => /\/ready is/.test(msg));
  assert.deepEqual(
    said.map(({ level, msg, details }) => [level, msg, (details as { field: string }[] | undefined)?.length]),
    [
      ['error', 'not ready: /ready is 503', 1],
      ['error', 'not ready: /ready is 503', 2],
      ['info', 'ready again: /ready is 200', undefined],
    ],
  );
  assert.ok(!gateway.log.some(({ msg }) => msg === 'admin request failed'));
});

test('under prefer-fresh: accepted with a warning, while it still revokes', async (t) => {
  const { pki, leaf, revoked, files } = await scene();
  const gateway = await startCrlGateway(t, files, { pki, environment: { CRL_POLICY: 'prefer-fresh' } });
  gateway.advance(WEEK + 2_000); // dates in a CRL are whole seconds
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  assert.equal((await gateway.send({ path, certificate: leaf })).status, 200);
  assert.equal((await gateway.send({ path, certificate: revoked })).status, 495);
  assert.equal((await gateway.send({ path: '/ready' })).status, 200);
  const warned = gateway.log.filter(({ level, msg }) => level === 'warn' && msg.includes('is stale since'));
  assert.equal(warned.length, 1);
});

test('a warning comes before: a day ahead of the end, once, and the metric says when', async (t) => {
  const { pki, files } = await scene();
  const gateway = await startCrlGateway(t, files, { pki });
  const warnings = () => gateway.log.filter(({ msg }) => msg.includes('becomes stale at')).length;
  assert.equal(warnings(), 0);
  gateway.advance(WEEK - 86_400_000 + 2_000);
  for (let i = 0; i < 2; i++) await gateway.gateway.reload('SIGHUP');
  assert.equal(warnings(), 1);
  const port = gateway.gateway.adminAddress?.port;
  const metrics = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  assert.match(metrics, /fluxgate_crl_next_update_timestamp_seconds\{issuer="[0-9a-f]{16}"\} \d{10}\n/);
  assert.match(metrics, /fluxgate_crls\{status="ending"\} 1\n/);
});
