import assert from 'node:assert/strict';
import { it } from 'node:test';
import { READ_TOKEN, startTestGateway } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { demoDns, poll, readTrust, sha256Of } from '../support/trust.ts';

const DAY = 86_400_000;
const HEADER = 'x-client-certificate-not-after';

it('a cluster is told how long its certificate lives, and the inputs stay the same bytes', async (t) => {
  const pki = await createTestPki();
  const gateway = await startTestGateway(t, { pki });
  const dns = demoDns(1);
  const byToken = await poll(gateway, dns, undefined, READ_TOKEN);
  const certificate = await pki.cluster(dns);
  const [one, two] = [await poll(gateway, dns, certificate), await poll(gateway, dns, certificate)];
  assert.ok(one && two);
  assert.equal(one.headers[HEADER], certificate.notAfter.toISOString());
  assert.deepEqual(one.json()['certificate'], {
    not_after: certificate.notAfter.toISOString(),
    sha256: sha256Of(certificate),
  });
  assert.deepEqual(one.body, two.body, 'the same certificate, the same bytes');
  // Everything up to the end of `inputs` is the same for whoever asks with whatever.
  const inputs = byToken.body.toString().replace(/\}$/, '');
  assert.ok(one.body.toString().startsWith(`${inputs},"certificate":{`));
  assert.equal(byToken.headers[HEADER], undefined);
  assert.equal('certificate' in byToken.json(), false);
  const refused = await poll(gateway, demoDns(2), certificate);
  assert.deepEqual([refused.status, refused.headers[HEADER]], [403, undefined]);
});

it('certificates that are about to expire are listed by name and counted in the metrics', async (t) => {
  const pki = await createTestPki();
  const gateway = await startTestGateway(t, { pki });
  for (const [number, days] of [
    [1, 0.5],
    [2, 10],
    [3, 60],
  ] as const) {
    const certificate = await pki.cluster(demoDns(number), { notAfter: new Date(Date.now() + days * DAY) });
    assert.equal((await poll(gateway, demoDns(number), certificate)).status, 200);
  }
  const expiring = async (within: string): Promise<readonly string[] | undefined> =>
    (await readTrust(gateway, `?expires_within=${within}`)).expiring?.clusters.map(({ name }) => name);
  assert.deepEqual(await expiring('11h'), []);
  assert.deepEqual(await expiring('1d'), [demoDns(1)]);
  assert.deepEqual(await expiring('14d'), [demoDns(1), demoDns(2)]);
  assert.deepEqual(await expiring('90d'), [demoDns(1), demoDns(2), demoDns(3)]);
  assert.equal((await readTrust(gateway)).expiring, undefined);
  for (const bad of ['14', '0d', '-1d', '2w', '1.5d', '999999d']) {
    const answer = await gateway.send({
      path: `/trust?expires_within=${bad}`,
      certificate: await pki.operator('op@example.com'),
    });
    assert.equal(answer.status, 400, bad);
  }
  const admin = gateway.gateway.adminAddress;
  const metrics = await (await fetch(`http://127.0.0.1:${admin?.port}/metrics`)).text();
  const counted = [...metrics.matchAll(/^fluxgate_cluster_certificates_expiring\{within="(\w+)"\} (\d+)$/gm)];
  assert.deepEqual(Object.fromEntries(counted.map(([, within, count]) => [within, Number(count)])), {
    expired: 0,
    '1d': 1,
    '7d': 1,
    '14d': 2,
    '30d': 2,
    more: 1,
  });
});
