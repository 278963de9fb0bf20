import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { systemClock } from '../../src/shell/clock.ts';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, planTrust, poll, readTrust, sha256Of } from '../support/trust.ts';

const SEED = {
  clusters: [1, 2, 3].map((number) => ({
    id: `c${number}`,
    cluster_name: `c${number}`,
    cluster_dns: demoDns(number),
    environment: 'dev',
  })),
};
const [SILENT, POLLING, KEPT] = [demoDns(1), demoDns(2), demoDns(3)] as const;

const about = (gateway: TestGateway, dns: string) =>
  gateway.send({ path: `/trust/clusters/${dns}`, token: WRITE_TOKEN });

async function metricsOf({ gateway }: TestGateway): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${gateway.adminAddress?.port}/metrics`)).text();
}

it('a deleted cluster is told of while it polls, and forgotten an hour after its last request, its keys excepted', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-gone-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const pki = await createTestPki();
  let ahead = 0;
  const options = {
    pki,
    seed: SEED,
    clock: { ...systemClock, now: () => Date.now() + ahead },
    environment: { DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`, PRUNE_GUARD: 'off' },
  };
  const first = await startTestGateway(t, options);
  const root = sha256Of(pki.clusterRoot);
  const underRoot = async (of: TestGateway): Promise<readonly string[]> =>
    (await readTrust(of)).authorities.find(({ sha256 }) => sha256 === root)?.last_seen.names ?? [];
  const replacement = { cluster_ca_pem: (await createTestPki()).clusterBundlePem };
  const refusedBy = async (of: TestGateway) =>
    (await planTrust(of, replacement)).clusters.refused.entries.map(({ name, registered }) => [
      name,
      registered,
    ]);

  const certificates = new Map(
    await Promise.all([SILENT, POLLING, KEPT].map(async (dns) => [dns, await pki.cluster(dns)] as const)),
  );
  const own = certificates.get(SILENT);
  const other = await pki.cluster(SILENT);
  for (const [dns, certificate] of certificates) {
    assert.equal((await poll(first, dns, certificate)).status, 200);
  }
  for (const certificate of [other, own]) await poll(first, SILENT, certificate);
  await first.gateway.close();
  const gateway = await startTestGateway(t, options);
  assert.equal((await readTrust(gateway)).conflicts.total, 1);

  for (const id of ['c1', 'c2']) {
    const deleted = await gateway.send({ method: 'DELETE', path: `/clusters/${id}`, token: WRITE_TOKEN });
    assert.equal(deleted.status, 200);
  }
  assert.deepEqual(await underRoot(gateway), [SILENT, POLLING, KEPT], 'it may poll still');
  assert.deepEqual(await refusedBy(gateway), [
    [SILENT, false],
    [POLLING, false],
    [KEPT, true],
  ]);

  ahead = LIMITS.goneSightingMs + 1_000;
  assert.equal((await poll(gateway, POLLING, certificates.get(POLLING))).status, 404);
  assert.deepEqual(await underRoot(gateway), [POLLING, KEPT]);
  assert.deepEqual(await refusedBy(gateway), [
    [POLLING, false],
    [KEPT, true],
  ]);
  assert.equal((await readTrust(gateway)).conflicts.total, 0);
  const metrics = await metricsOf(gateway);
  assert.match(metrics, /^fluxgate_key_pin_conflicts 0$/m);
  assert.match(metrics, /^fluxgate_cluster_certificates_expiring\{within="more"\} 2$/m);
  const silent = (await about(gateway, SILENT)).json<{ certificate?: object; pin?: object }>();
  assert.equal(silent.certificate, undefined);
  assert.ok(silent.pin, 'a name that is registered again has the same history');

  await gateway.gateway.close();
  const store = await openSqliteStore(options.environment.DATABASE_URL);
  const stored = (await Array.fromAsync(store.sightings.load())).map(({ name }) => name);
  await store.close();
  assert.deepEqual(stored.sort(), [POLLING, KEPT], 'in the store, too');
  const next = await startTestGateway(t, options);
  assert.deepEqual(await underRoot(next), [POLLING, KEPT]);
  assert.equal((await about(next, SILENT)).json<{ certificate?: object }>().certificate, undefined);
});
