import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientAnswer } from '../support/client.ts';
import { sendConfirmed } from '../support/confirm.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

describe('found by attacking, and closed', () => {
  const gateway = shareGateway();
  const ask = (method: string, path: string, body?: unknown): Promise<ClientAnswer> =>
    gateway().send({ method, path, body, token: WRITE_TOKEN });
  const confirmed = (method: string, path: string, body?: unknown): Promise<ClientAnswer> =>
    sendConfirmed(gateway(), { method, path, body, token: WRITE_TOKEN });

  it('a patch’s value stands in no row of the audit trail, not even when a later change takes it out', async () => {
    const value = 'not-for-the-trail-4711';
    const put = await ask('PATCH', '/clusters/demo-cluster-02', { patches: { podinfo: { note: value } } });
    assert.equal(put.status, 200);
    assert.equal((await ask('PATCH', '/clusters/demo-cluster-02', { patches: null })).status, 200);
    const trail = String((await ask('GET', '/audit?limit=1000')).body);
    assert.match(trail, /\/patches\//);
    assert.ok(!trail.includes(value));
  });

  it('a revert gives a frozen cluster its own answers back, not those of another that had its id since', async () => {
    const cluster = (dns: string, fields: object) => ({
      id: 'reused',
      cluster_name: 'reused',
      cluster_dns: dns,
      environment: 'dev',
      ...fields,
    });
    const freeze = { state: 'frozen', reason: 'test' };
    const assigned = { platform_components: [{ id: 'cert-manager', enabled: true }] };
    await ask('POST', '/clusters', cluster('old.k8s.example.com', assigned));
    await ask('POST', '/clusters/reused/state', freeze);
    await confirmed('DELETE', '/clusters/reused');
    const [deleted] = (await ask('GET', '/revisions?limit=1')).json<{ revision: number }[]>();
    await ask('POST', '/clusters', cluster('new.k8s.example.com', { namespaces: [{ id: 'podinfo' }] }));
    await ask('POST', '/clusters/reused/state', freeze);
    await confirmed('DELETE', '/clusters/reused');
    const reverted = await ask('POST', `/revisions/${deleted?.revision}/revert`);
    assert.equal(reverted.status, 200, String(reverted.body));
    const path = '/api/v2/flux/clusters/old.k8s.example.com/platform-components';
    const { inputs } = (await ask('GET', path)).json<{
      inputs: { id: string; cluster: { dns: string } }[];
    }>();
    assert.deepEqual(
      inputs.map(({ id, cluster: { dns } }) => [id, dns]),
      [['cert-manager', 'old.k8s.example.com']],
    );
  });

  it('a name that was served before is not brought back by who is limited to one environment', async () => {
    const dns = 'demo-cluster-03.k8s.example.com';
    const { pki } = gateway();
    const polled = { path: `/api/v2/flux/clusters/${dns}/namespaces`, certificate: await pki.cluster(dns) };
    assert.equal((await gateway().send(polled)).status, 200);
    await confirmed('DELETE', '/clusters/demo-cluster-03');
    const dev = await pki.operator('dev@example.com', ['fluxgate:editor', 'fluxgate:environment=dev']);
    const body = { id: 'taken', cluster_name: 'taken', cluster_dns: dns, environment: 'dev' };
    const request = { method: 'POST', path: '/clusters', body, certificate: dev };
    const guarded = await gateway().send(request);
    const { plan } = guarded.json<{ plan: { plan_hash: string } }>();
    const answer = await gateway().send({ ...request, headers: { 'confirm-plan': plan.plan_hash } });
    assert.equal(answer.status, 403, String(answer.body));
    assert.equal((await gateway().send(polled)).status, 404);
  });

  it('an import of one large map is read in less than the time of a poll’s timeout', async () => {
    const annotations = Array.from({ length: 20_000 }, (_, n) => `  a${n}: b`).join('\n');
    const files = { 'namespaces/web.yaml': `id: web\nannotations:\n${annotations}\n` };
    const from = performance.now();
    const answer = await ask('POST', '/import?dry_run=true', { mode: 'merge', files });
    assert.equal(answer.status, 400);
    assert.ok(performance.now() - from < 5_000, `${performance.now() - from} ms`);
  });

  it('the answer that one token was given is not replayed to another of its name', async () => {
    const token = async (fields: object): Promise<{ id: string; token: string }> => {
      const order = { name: 'release', kind: 'operator', roles: ['editor'], ttl: 600, ...fields };
      return (await ask('POST', '/tokens', order)).json<{ id: string; token: string }>();
    };
    const create = (bearer: string): Promise<ClientAnswer> =>
      gateway().send({
        method: 'POST',
        path: '/clusters',
        body: { id: 'k1', cluster_name: 'k1', cluster_dns: 'k1.k8s.example.com', environment: 'prod' },
        token: bearer,
        headers: { 'idempotency-key': 'k1' },
      });
    const first = await token({});
    assert.equal((await create(first.token)).status, 201);
    assert.equal((await ask('DELETE', `/tokens/${first.id}`)).status, 200);
    const second = await token({ environments: ['dev'] });
    const answer = await create(second.token);
    assert.notEqual(answer.status, 201);
    assert.equal(answer.headers['idempotency-replayed'], undefined);
  });
});
