import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Clock, systemClock } from '../../src/shell/clock.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { certificateSha256, lift, readRevocation, revoke } from '../support/revocations.ts';

const OWN = 'demo-cluster-01.k8s.example.com';

/** The system's clock, moved forward by hand. */
function movableClock(): Clock & { forward(ms: number): void } {
  let ahead = 0;
  return {
    now: () => systemClock.now() + ahead,
    elapsed: () => systemClock.elapsed() + ahead,
    forward: (ms) => {
      ahead += ms;
    },
  };
}

describe('a revocation', () => {
  it('with `until` ends at that moment, and stays in the list as expired', async (t) => {
    const clock = movableClock();
    const gateway = await startTestGateway(t, { clock });
    const certificate = await gateway.pki.cluster(OWN);
    const until = new Date(clock.now() + 60_000).toISOString();
    const { id } = await revoke(
      gateway,
      { certificate_sha256: certificateSha256(certificate.pem) },
      { until },
    );
    const get = () => gateway.send({ path: '/health', certificate });
    const refused = await get();
    assert.equal(refused.status, 495);
    assert.match(String(gateway.logOf(refused)['reason']), /until 20/);
    clock.forward(50_000);
    assert.equal((await get()).status, 495);
    clock.forward(11_000);
    assert.equal((await get()).status, 200);
    const after = await readRevocation(gateway, id);
    assert.deepEqual([after.state, after.attempts, after['until']], ['expired', 2, until]);
    assert.equal(after.in_force_at, undefined);
  });

  it('of a cluster with `until` ends for tokens, too', async (t) => {
    const clock = movableClock();
    const gateway = await startTestGateway(t, { clock });
    const until = new Date(clock.now() + 60_000).toISOString();
    await revoke(gateway, { cluster_dns: OWN }, { until });
    const path = `/api/v2/flux/clusters/${OWN}/namespaces`;
    assert.equal((await gateway.send({ path, token: WRITE_TOKEN })).status, 403);
    clock.forward(61_000);
    assert.equal((await gateway.send({ path, token: WRITE_TOKEN })).status, 200);
  });

  it('is lifted by DELETE, once, and stays in the list with who lifted it', async (t) => {
    const gateway = await startTestGateway(t);
    const certificate = await gateway.pki.cluster(OWN);
    const target = { certificate_sha256: certificateSha256(certificate.pem) };
    const { id } = await revoke(gateway, target);
    const get = async () => (await gateway.send({ path: '/health', certificate })).status;
    assert.equal(await get(), 495);
    const lifted = await lift(gateway, id);
    assert.equal(lifted.status, 200);
    assert.equal(lifted.json()['state'], 'lifted');
    assert.match(String(lifted.json()['lifted_by']), /^writer:token-/);
    assert.equal(await get(), 200);
    assert.equal((await lift(gateway, id)).status, 409);
    assert.equal((await lift(gateway, 'rev-unknown')).status, 404);
    assert.equal((await readRevocation(gateway, id)).state, 'lifted');
    const line = gateway.log.find(({ msg }) => msg === 'revocation lifted');
    assert.deepEqual(
      [line?.['revocation'], line?.['kind'], line?.['sha256'], line?.['revoked_for'], line?.['request_id']],
      [id, 'certificate_sha256', target.certificate_sha256, 'test', lifted.headers['x-request-id']],
    );
    assert.match(String(line?.['by']), /^writer:token-/);
  });

  it('lifted leaves another one of the same target in force', async (t) => {
    const gateway = await startTestGateway(t);
    const certificate = await gateway.pki.cluster(OWN);
    const target = { certificate_sha256: certificateSha256(certificate.pem) };
    const [first, second] = [await revoke(gateway, target), await revoke(gateway, target)];
    await lift(gateway, first.id);
    assert.equal((await gateway.send({ path: '/health', certificate })).status, 495);
    await lift(gateway, second.id);
    assert.equal((await gateway.send({ path: '/health', certificate })).status, 200);
  });

  it('is listed newest first, page by page', async (t) => {
    const gateway = await startTestGateway(t);
    const ids: string[] = [];
    for (let n = 0; n < 3; n++) ids.unshift((await revoke(gateway, { cluster_dns: `c${n}.example.com` })).id);
    const page = await gateway.send({ path: '/revocations?limit=2', token: WRITE_TOKEN });
    assert.deepEqual(
      page.json<{ id: string }[]>().map(({ id }) => id),
      ids.slice(0, 2),
    );
    assert.equal(page.headers['x-total-count'], '3');
    assert.equal(page.headers['link'], '</revocations?limit=2&offset=2>; rel="next"');
  });
});
