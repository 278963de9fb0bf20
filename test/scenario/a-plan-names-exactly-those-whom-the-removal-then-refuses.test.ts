import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { READ_TOKEN, startTestGateway } from '../support/gateway.ts';
import { type MintedChain, withChain } from '../support/pki.ts';
import { demoDns, planTrust, poll, readTrust, sha256Of } from '../support/trust.ts';

it('a plan names exactly those whom the removal then refuses', async (t) => {
  const gateway = await startTestGateway(t);
  const { pki } = gateway;
  const newRoot = await mintCa('new cluster root');
  const caFile = join(gateway.directory, 'cluster-ca.crt');
  await writeFile(caFile, pki.clusterBundlePem + newRoot.pem);
  assert.ok(await gateway.gateway.reload('SIGHUP'));

  const renewed = async (dns: string): Promise<MintedChain> =>
    withChain(await mintClusterCertificate(dns, newRoot));
  const fleet = new Map<string, MintedChain>([
    [demoDns(1), await pki.cluster(demoDns(1))],
    [demoDns(2), await renewed(demoDns(2))],
    ['elsewhere.example.com', await pki.cluster('elsewhere.example.com')],
    ['renewed.example.com', await renewed('renewed.example.com')],
  ]);
  const statuses = async (): Promise<Record<string, number>> => {
    const found: Record<string, number> = {};
    for (const [dns, certificate] of fleet) found[dns] = (await poll(gateway, dns, certificate)).status;
    return found;
  };
  assert.deepEqual(await statuses(), {
    [demoDns(1)]: 200,
    [demoDns(2)]: 200,
    'elsewhere.example.com': 404,
    'renewed.example.com': 404,
  });
  assert.equal((await poll(gateway, demoDns(3), undefined, READ_TOKEN)).status, 200);

  const { authorities, last_seen_by_token } = await readTrust(gateway);
  const under = (sha256: string) => authorities.find((one) => one.sha256 === sha256)?.last_seen;
  const stragglers = [demoDns(1), 'elsewhere.example.com'];
  const moved = [demoDns(2), 'renewed.example.com'];
  assert.deepEqual(under(sha256Of(pki.clusterRoot)), { total: 2, names: stragglers });
  assert.deepEqual(under(sha256Of(pki.clusterIntermediate)), { total: 2, names: stragglers });
  assert.deepEqual(under(sha256Of(newRoot)), { total: 2, names: moved });
  assert.deepEqual(last_seen_by_token, { total: 1, names: [demoDns(3)] });

  const removal = await planTrust(gateway, { remove_anchors: [sha256Of(pki.clusterRoot)] });
  const asBundle = await planTrust(gateway, { cluster_ca_pem: newRoot.pem });
  for (const plan of [removal, asBundle]) {
    assert.equal(plan.safe, false);
    assert.equal(plan.openssl_asked, false);
    assert.deepEqual(
      plan.clusters.refused.entries.map(({ name, rule, refused_now }) => ({ name, rule, refused_now })),
      stragglers.map((name) => ({ name, rule: 'untrusted', refused_now: false })),
    );
    assert.deepEqual(plan.clusters.stays, { total: 2, names: moved });
    assert.ok(plan.unknown.names.includes(demoDns(3)), 'a token is no certificate');
    assert.ok(!plan.unknown.names.includes(demoDns(1)));
  }
  assert.ok((await planTrust(gateway, { cluster_ca_pem: pki.clusterBundlePem + newRoot.pem })).safe);

  // The removal itself: exactly those, and nobody else.
  await writeFile(caFile, newRoot.pem);
  assert.ok(await gateway.gateway.reload('SIGHUP'));
  assert.deepEqual(await statuses(), {
    [demoDns(1)]: 495,
    [demoDns(2)]: 200,
    'elsewhere.example.com': 495,
    'renewed.example.com': 404,
  });

  // Afterwards the stragglers are refused as it is, so another plan does not blame itself for them.
  const after = await planTrust(gateway, { cluster_ca_pem: newRoot.pem });
  assert.deepEqual([after.safe, after.clusters.refused.total], [true, 2]);
  assert.ok(after.clusters.refused.entries.every(({ refused_now }) => refused_now));
});

it('a plan for what would be refused at load is 400 with that reason, and changes nothing', async (t) => {
  const gateway = await startTestGateway(t);
  const { generation } = await readTrust(gateway);
  for (const [body, problem] of [
    [{ cluster_ca_pem: 'no PEM' }, /holds no certificate/],
    [{ cluster_ca_pem: gateway.pki.operatorBundlePem }, /a cluster and an operator at once/],
    [{ remove_anchors: ['00'.repeat(32)] }, /is in neither bundle/],
    [{ remove_anchors: [sha256Of(gateway.pki.clusterRoot)] }, /nothing would be left/],
    [{}, /./],
    [{ remove_anchors: ['AB'.repeat(32)] }, /lower-case hex/],
  ] as const) {
    const answer = await gateway.send({
      method: 'POST',
      path: '/trust/plan',
      certificate: await gateway.pki.operator('op@example.com'),
      body,
    });
    assert.equal(answer.status, 400);
    assert.match(answer.body.toString(), problem);
  }
  assert.equal((await readTrust(gateway)).generation, generation);
});
