import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki, type MintedChain } from '../support/pki.ts';
import { certificateSha256 } from '../support/revocations.ts';
import { demoDns, poll } from '../support/trust.ts';
import { askWhy, type Explained } from '../support/why.ts';

const DNS = demoDns(1);
const PATH = `/api/v2/flux/clusters/${DNS}/namespaces`;
const pki = await createTestPki();
const own = await pki.cluster(DNS);
const renewed = await pki.cluster(DNS);
const unseen = await pki.cluster(DNS);

const start = (t: TestContext, mode: string): Promise<TestGateway> =>
  startTestGateway(t, { pki, environment: { PIN_CLUSTER_KEYS: mode } });

const ask = (gateway: TestGateway, { chainPem }: MintedChain): Promise<Explained> =>
  askWhy(gateway, { chain_pem: chainPem, path: PATH, source: '127.0.0.1' });

const stepOf = ({ steps }: Explained) => steps.filter(({ rule }) => rule === 'key_pin');

/** All that is remembered and told of the cluster's keys. */
async function knownOf(gateway: TestGateway): Promise<unknown> {
  const answer = await gateway.send({ path: `/trust/clusters/${DNS}`, token: WRITE_TOKEN });
  const { pin } = answer.json<{ pin?: unknown }>();
  const admin = gateway.gateway.adminAddress;
  const metrics = await (await fetch(`http://127.0.0.1:${admin?.port}/metrics`)).text();
  const told = gateway.log.filter(({ msg }) => /two keys|a new key/.test(msg)).length;
  return { pin, told, metrics: metrics.match(/^fluxgate_key_pin.*$/gm) };
}

it('enforced, the key left behind is refused in the explanation as it is in the request', async (t) => {
  const gateway = await start(t, 'enforce');
  for (const [certificate, status] of [
    [own, 200],
    [renewed, 200],
    [own, 200],
    [renewed, 200],
    [own, 495],
  ] as const) {
    assert.equal((await poll(gateway, DNS, certificate)).status, status);
  }
  const refused = await poll(gateway, DNS, own);
  assert.equal(refused.status, 495);
  const reason = gateway.logOf(refused)['reason'];
  const before = await knownOf(gateway);

  for (const question of [
    { chain_pem: own.chainPem, path: PATH, source: '127.0.0.1' },
    { certificate_sha256: certificateSha256(own.pem), path: PATH },
    { request_id: refused.headers['x-request-id'] },
  ]) {
    const why = await askWhy(gateway, question);
    assert.deepEqual([why.outcome, why.rule, why.position], ['refused', 'key_pin', 'leaf']);
    assert.equal(`key_pin: leaf: ${why.detail}`, reason);
    assert.deepEqual(
      stepOf(why).map(({ passed, decided, saw }) => [passed, decided, saw]),
      [[false, true, why.detail]],
    );
    assert.equal(why.steps.filter(({ decided }) => decided === true).length, 1);
    assert.equal(why.request?.status, 495);
  }
  const served = await ask(gateway, renewed);
  assert.deepEqual([served.outcome, served.request?.status], ['accepted_if_openssl_agrees', 200]);
  assert.match(stepOf(served)[0]?.saw ?? '', /is the cluster's since 20/);
  assert.deepEqual(await knownOf(gateway), before, 'asked about, and nothing moved');
});

it('a key that was never seen is told to be a renewal, asked ten times, and replaces nothing', async (t) => {
  const gateway = await start(t, 'enforce');
  const first = await ask(gateway, own);
  assert.match(stepOf(first)[0]?.saw ?? '', /is the first of this cluster/);
  assert.equal((await poll(gateway, DNS, own)).status, 200);
  const before = await knownOf(gateway);
  for (let i = 0; i < 10; i++) {
    const why = await ask(gateway, unseen);
    assert.equal(why.request?.status, 200);
    assert.match(stepOf(why)[0]?.saw ?? '', /was never seen of this cluster: a renewal/);
  }
  assert.deepEqual(await knownOf(gateway), before);
  assert.equal((await poll(gateway, DNS, own)).status, 200, 'still the current key');
});

it('enforced, the end of the grace is told before it comes', async (t) => {
  const gateway = await start(t, 'enforce');
  for (const certificate of [own, renewed]) await poll(gateway, DNS, certificate);
  const now = await ask(gateway, own);
  assert.deepEqual([now.outcome, now.request?.status], ['accepted_if_openssl_agrees', 200]);
  assert.match(stepOf(now)[0]?.saw ?? '', /it is in its grace/);
  const at = new Date(Date.now() + LIMITS.pinGraceMs + 1_000).toISOString();
  const long = await pki.cluster(DNS, { reuseKeyOf: own, notAfter: new Date(Date.now() + 30 * 86_400_000) });
  const then = await askWhy(gateway, { chain_pem: long.chainPem, at });
  assert.deepEqual([then.outcome, then.rule], ['refused', 'key_pin']);
});

it('observed, it is told of and accepted; off, it is not looked at', async (t) => {
  const observing = await start(t, 'observe');
  for (const certificate of [own, renewed, own, renewed]) await poll(observing, DNS, certificate);
  const why = await ask(observing, own);
  assert.equal(why.request?.status, 200);
  assert.deepEqual(
    stepOf(why).map(({ passed }) => passed),
    [true],
  );
  assert.match(stepOf(why)[0]?.saw ?? '', /was replaced by .* two keys of one cluster in use/);
  const off = await start(t, 'off');
  for (const certificate of [own, renewed, own]) await poll(off, DNS, certificate);
  assert.deepEqual(stepOf(await ask(off, own)), []);
});
