import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { sendConfirmed } from '../support/confirm.ts';
import { READ_TOKEN, startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';

const dnsOf = (n: number): string => `demo-cluster-0${n}.k8s.example.com`;
const pathOf = (n: number, route = 'namespaces'): string => `/api/v2/flux/clusters/${dnsOf(n)}/${route}`;

describe('the ratchet', async () => {
  const pki = await createTestPki();

  const statuses = async (gateway: TestGateway, n: number): Promise<number[]> => {
    const found: number[] = [];
    for (const token of [READ_TOKEN, WRITE_TOKEN]) {
      for (const route of ['platform-components', 'namespaces', 'rolebindings']) {
        found.push((await gateway.send({ path: pathOf(n, route), token })).status);
      }
    }
    return [...new Set(found)];
  };

  it('turns at the first poll that is served, for this cluster only, and holds across a restart', async (t) => {
    const directory = await mkdtemp(join(tmpdir(), 'fluxgate-ratchet-'));
    t.after(() => rm(directory, { recursive: true, force: true }));
    const environment = { DATABASE_URL: `sqlite://${join(directory, 'kept.db')}` };
    const cleanups: (() => unknown)[] = [];
    const context = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
    const first = await startTestGateway(context as Pick<TestContext, 'after'>, { pki, environment });
    const certificate = await pki.cluster(dnsOf(1));
    const operator = await pki.operator('op@example.com');

    assert.deepEqual(await statuses(first, 1), [200], 'before: tokens read everything');
    const elsewhere = await first.send({ path: pathOf(2), certificate });
    assert.equal(elsewhere.status, 403);
    const expired = await pki.cluster(dnsOf(1), { notBefore: new Date(0), notAfter: new Date(1) });
    assert.equal((await first.send({ path: pathOf(1), certificate: expired })).status, 495);
    assert.equal((await first.send({ path: pathOf(1), certificate: operator })).status, 200);
    assert.deepEqual(await statuses(first, 1), [200], 'refusals and operators do not turn it');
    assert.deepEqual(await statuses(first, 2), [200]);

    assert.equal((await first.send({ path: pathOf(1), certificate })).status, 200);
    assert.deepEqual(await statuses(first, 1), [403], 'after: no token reads it, on any route');
    assert.deepEqual(await statuses(first, 2), [200], 'others are as before');
    const refused = await first.send({ path: pathOf(1), token: READ_TOKEN });
    assert.deepEqual(first.logOf(refused)['policies'], ['ratchet-tokens']);
    assert.ok(!refused.body.includes('ratchet') && !refused.body.includes('served by its certificate'));
    assert.equal((await first.send({ path: pathOf(1), certificate: operator })).status, 200);
    const list = await first.send({ path: '/api/v2/flux/clusters', token: READ_TOKEN });
    assert.equal(list.status, 200, 'the list of clusters is no cluster’s inputs');

    for (const cleanup of cleanups) await cleanup();
    const second = await startTestGateway(t, { pki, environment });
    assert.deepEqual(await statuses(second, 1), [403], 'the restart changed nothing');
    assert.deepEqual(await statuses(second, 2), [200]);
    assert.equal((await second.send({ path: pathOf(1), certificate })).status, 200);

    const gone = await sendConfirmed(second, {
      method: 'DELETE',
      path: '/clusters/demo-cluster-01',
      token: WRITE_TOKEN,
    });
    assert.equal(gone.status, 200);
    // Flux there still holds what it was served: the guard asks before the name is served again.
    const again = await sendConfirmed(second, {
      method: 'POST',
      path: '/clusters',
      token: WRITE_TOKEN,
      body: gone.json(),
    });
    assert.equal(again.status, 201);
    assert.deepEqual(await statuses(second, 1), [403], 'nor does registering the name again');
  });

  it('does not turn for a name that nobody registered', async (t) => {
    const gateway = await startTestGateway(t, { pki });
    const dns = 'later.k8s.example.com';
    const path = `/api/v2/flux/clusters/${dns}/namespaces`;
    const certificate = await pki.cluster(dns);
    assert.equal((await gateway.send({ path, certificate })).status, 404);
    const body = { id: 'later', cluster_name: 'later', cluster_dns: dns, environment: 'dev' };
    const created = await gateway.send({ method: 'POST', path: '/clusters', token: WRITE_TOKEN, body });
    assert.equal(created.status, 201);
    assert.equal((await gateway.send({ path, token: READ_TOKEN })).status, 200);
  });
});
