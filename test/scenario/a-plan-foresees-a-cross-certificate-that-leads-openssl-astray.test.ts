import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { chainPem, mintCa, mintClusterCertificate, mintIntermediate } from '../../certs-dev/mint.ts';
import { startTestGateway } from '../support/gateway.ts';
import { demoDns, planTrust, poll } from '../support/trust.ts';

it('a plan foresees a cross-certificate that leads OpenSSL astray, and how to keep its cluster', async (t) => {
  const gateway = await startTestGateway(t);
  const caFile = join(gateway.directory, 'cluster-ca.crt');
  const [old, fresh] = [await mintCa('old root'), await mintCa('new root')];
  const issuing = await mintIntermediate('issuing', fresh);
  const crossed = await mintIntermediate('issuing', old, { reuseKeyOf: issuing });
  const leafOf = (number: number) => mintClusterCertificate(demoDns(number), issuing);
  const [first, last] = [await leafOf(1), await leafOf(2)];
  const sendsOldFirst = { ...first, chainPem: first.pem + crossed.pem + issuing.pem };
  const sendsNewFirst = { ...last, chainPem: chainPem(last) + crossed.pem };
  const statuses = async (): Promise<number[]> => [
    (await poll(gateway, demoDns(1), sendsOldFirst)).status,
    (await poll(gateway, demoDns(2), sendsNewFirst)).status,
  ];
  const reload = async (pem: string): Promise<void> => {
    await writeFile(caFile, pem);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  };
  await reload(old.pem + fresh.pem);
  assert.deepEqual(await statuses(), [200, 200]);

  const removal = await planTrust(gateway, { cluster_ca_pem: fresh.pem });
  assert.equal(removal.safe, false);
  assert.deepEqual(
    removal.clusters.refused.entries.map(({ name, rule, refused_now }) => [name, rule, refused_now]),
    [[demoDns(1), 'openssl_disagrees', false]],
  );
  const withIssuing = await planTrust(gateway, { cluster_ca_pem: fresh.pem + issuing.pem });
  assert.deepEqual([withIssuing.safe, withIssuing.clusters.stays.total], [true, 2]);

  await reload(fresh.pem);
  const [refused, served] = await statuses();
  assert.deepEqual([refused, served], [495, 200], 'as foreseen');
  const line = gateway.log.findLast(({ operation, status }) => operation !== undefined && status === 495);
  const certificate = line?.['certificate'] as Record<string, string> | undefined;
  assert.equal(certificate?.['refused'], 'openssl_disagrees');
  const after = await planTrust(gateway, { cluster_ca_pem: fresh.pem });
  assert.deepEqual([after.safe, after.clusters.refused.entries[0]?.refused_now], [true, true]);

  await reload(fresh.pem + issuing.pem);
  assert.deepEqual(await statuses(), [200, 200], 'the CA itself in the bundle');
});
