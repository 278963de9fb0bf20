import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { WRITE_TOKEN } from '../support/gateway.ts';
import type { MintedChain } from '../support/pki.ts';
import { until } from '../support/until.ts';
import { startWorkers, type Way } from '../support/workers.ts';

const OWN = 'demo-cluster-01.k8s.example.com';

interface Plan {
  readonly safe: boolean;
  readonly warnings: readonly string[];
  readonly unknown: { readonly names: readonly string[] };
  readonly clusters: { readonly stays: { readonly names: readonly string[] } };
}

it('a cluster that renewed its certificate through one worker is not called unknown by another, nor safe before it is judged', async (t) => {
  const gateway = await startWorkers(t, 2);
  const ways = await gateway.ways(2);
  const [[seeing], [, asked]] = [...ways] as [[number, Way], [number, Way]];
  const poll = async (certificate: MintedChain): Promise<void> => {
    const path = `/api/v2/flux/clusters/${OWN}/namespaces`;
    const answer = await gateway.through(seeing, () => gateway.send({ path, certificate }));
    assert.equal(answer.status, 200);
  };
  const sha256: string[] = [];
  const plan = async (): Promise<Plan> => {
    const body = { cluster_ca_pem: gateway.pki.clusterBundlePem };
    const answer = await asked.send({ method: 'POST', path: '/trust/plan', token: WRITE_TOKEN, body });
    assert.equal(answer.status, 200, answer.body.toString());
    return answer.json<Plan>();
  };
  const seen = async (): Promise<string | undefined> => {
    const answer = await asked.send({ path: `/trust/clusters/${OWN}`, token: WRITE_TOKEN });
    return answer.json<{ certificate?: { certificate?: { sha256?: string } } }>().certificate?.certificate
      ?.sha256;
  };
  const store = new SqliteDatabase(join(gateway.directory, 'data', 'fleet.db'));
  t.after(() => store.close());
  // A first certificate, as most have one that is written; then a second one, which is not.
  for (const round of [1, 2]) {
    // However busy the machine is, it is not written before it was asked for.
    store.exec('BEGIN IMMEDIATE');
    await poll(await gateway.pki.cluster(OWN));
    await until(
      async () => ![undefined, ...sha256].includes(await seen()),
      `certificate ${round} to be told`,
    );
    sha256.push(String(await seen()));
    const before = await plan();
    store.exec('ROLLBACK');
    assert.ok(!before.unknown.names.includes(OWN), `round ${round}`);
    assert.equal(before.safe, false);
    const waits = new RegExp(`^not judged yet, .*: cluster ${OWN}; ask again in some seconds$`);
    assert.match(before.warnings.join('\n'), waits);
    await until(async () => (await plan()).safe, 'the certificate to be written', 20_000);
    const after = await plan();
    assert.deepEqual([after.warnings, after.clusters.stays.names], [[], [OWN]]);
  }
});
