import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { READ_TOKEN, startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, planTrust, poll, readTrust, type ShownSighting, sha256Of } from '../support/trust.ts';

it('what was presented, and whose key it is, survive a restart', async (t) => {
  const pki = await createTestPki();
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-restart-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  // The root alone: the intermediate is known from what clusters present only.
  const caFile = join(directory, 'root.crt');
  await writeFile(caFile, pki.clusterRoot.pem);
  const environment = {
    CLUSTER_CA_FILE: caFile,
    DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`,
    PIN_CLUSTER_KEYS: 'enforce',
  };
  const own = await pki.cluster(demoDns(1));
  const other = await pki.cluster(demoDns(1));
  const operator = await pki.operator('op@example.com');

  const first = await startTestGateway(t, { pki, environment });
  for (const certificate of [own, other]) {
    assert.equal((await poll(first, demoDns(1), certificate)).status, 200);
  }
  assert.equal((await poll(first, demoDns(2), undefined, READ_TOKEN)).status, 200);
  assert.equal((await first.send({ path: '/trust', certificate: operator })).status, 200);
  await first.gateway.close();

  const second = await startTestGateway(t, { pki, environment });
  const read = async (dns: string) => {
    const answer = await second.send({ path: `/trust/clusters/${dns}`, token: WRITE_TOKEN });
    return answer.json<{
      certificate?: ShownSighting;
      token?: ShownSighting;
      pin?: { spki_sha256: string };
    }>();
  };
  const { certificate, pin } = await read(demoDns(1));
  assert.equal(certificate?.certificate?.sha256, sha256Of(other));
  assert.equal(certificate?.count, 1);
  assert.equal(certificate?.source, '127.0.0.1');
  assert.deepEqual(certificate?.tls, {
    version: 'TLSv1.3',
    cipher: certificate?.tls.cipher,
    group: certificate?.tls.group,
  });
  assert.match(certificate?.tls.cipher ?? '', /^TLS_AES_/);
  assert.equal(certificate?.tls.group, 'X25519MLKEM768');
  assert.ok(pin);
  assert.ok((await read(demoDns(2))).token?.token_id);

  const plan = await planTrust(second, { cluster_ca_pem: (await createTestPki()).clusterBundlePem });
  assert.deepEqual(
    plan.clusters.refused.entries.map(({ name, refused_now }) => [name, refused_now]),
    [[demoDns(1), false]],
  );
  const same = await planTrust(second, { cluster_ca_pem: pki.clusterRoot.pem });
  assert.deepEqual(same.clusters.stays.names, [demoDns(1)], 'the store kept the intermediate, too');
  assert.deepEqual(plan.operators.stays, { total: 1, names: ['op@example.com'] });
  assert.deepEqual((await readTrust(second)).last_seen_by_token, { total: 1, names: [demoDns(2)] });

  // The order of keys is remembered: the first of them is the retired one.
  assert.equal((await poll(second, demoDns(1), own)).status, 200);
  assert.equal((await poll(second, demoDns(1), other)).status, 200);
  assert.equal((await poll(second, demoDns(1), own)).status, 495);
});
