import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { certificateSha256 } from '../support/revocations.ts';
import type { RefusedBefore } from '../support/why.ts';

const INSIDE = '127.0.0.8';
const OUTSIDE = '127.0.0.1';

it('whoever is turned away for their network is found by the certificate that they showed, which was not judged', async (t) => {
  const gateway = await startTestGateway(t, { environment: { OPERATOR_NETWORKS: `${INSIDE}/32` } });
  const certificate = await gateway.pki.operator('operator@example.com');
  const sha256 = certificateSha256(certificate.pem);
  const refused = await gateway.send({ path: '/clusters', certificate, localAddress: OUTSIDE });
  assert.equal(refused.status, 403);
  assert.equal((gateway.logOf(refused)['presented'] as { sha256: string }).sha256, sha256);
  const [first, ...others] = await refusalsOf(gateway, `certificate_sha256=${sha256}`);
  assert.deepEqual(others, []);
  assert.deepEqual(
    [first?.['certificate_sha256'], first?.['status'], first?.['source'], first?.count],
    [sha256, 403, OUTSIDE, 1],
  );
  assert.match(String(first?.['reason']), /is outside OPERATOR_NETWORKS/);
  assert.deepEqual([first?.['rule'], first?.['cluster_dns']], [undefined, undefined], 'nothing was judged');

  // The same of a cluster's certificate, which is no attempt of that cluster's to poll.
  const cluster = await gateway.pki.cluster('demo-cluster-01.k8s.example.com');
  assert.equal((await gateway.send({ path: '/clusters', certificate: cluster })).status, 403);
  const [ofCluster] = await refusalsOf(gateway, `certificate_sha256=${certificateSha256(cluster.pem)}`);
  assert.deepEqual([ofCluster?.['status'], ofCluster?.['cluster_dns']], [403, undefined]);

  // Without one nothing is said of one.
  const none = await gateway.send({ path: '/clusters' });
  assert.equal(none.status, 403);
  const [ofNone] = await refusalsOf(gateway, `request_id=${none.headers['x-request-id']}`);
  assert.deepEqual([ofNone?.['status'], ofNone?.['certificate_sha256']], [403, undefined]);
});

async function refusalsOf(gateway: TestGateway, query: string): Promise<readonly RefusedBefore[]> {
  const certificate = await gateway.pki.operator('security@example.com', ['security']);
  const answer = await gateway.send({ path: `/refusals?${query}`, certificate, localAddress: INSIDE });
  assert.equal(answer.status, 200);
  return answer.json<RefusedBefore[]>();
}
