import assert from 'node:assert/strict';
import { it } from 'node:test';
import { READ_TOKEN, startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { inputsPath, readRevocation, revoke } from '../support/revocations.ts';

const REVOKED = 'demo-cluster-01.k8s.example.com';
const OTHER = 'demo-cluster-02.k8s.example.com';

it('tokens of any kind are 403 on a revoked cluster, and the log says by which policy and why', async (t) => {
  const gateway = await startTestGateway(t);
  for (const token of [READ_TOKEN, WRITE_TOKEN]) {
    assert.equal((await gateway.send({ path: inputsPath(REVOKED), token })).status, 200);
  }
  const { id } = await revoke(gateway, { cluster_dns: REVOKED }, { reason: 'stolen at the fair' });
  for (const token of [READ_TOKEN, WRITE_TOKEN]) {
    for (const path of ['platform-components', 'namespaces', 'rolebindings']) {
      const answer = await gateway.send({ path: `/api/v2/flux/clusters/${REVOKED}/${path}`, token });
      assert.equal(answer.status, 403);
      const line = gateway.logOf(answer);
      assert.deepEqual(line['policies'], ['revoked-cluster-tokens']);
      assert.equal(line['revocation'], id);
      assert.match(String(line['reason']), /stolen at the fair/);
    }
    assert.equal((await gateway.send({ path: inputsPath(OTHER), token })).status, 200);
  }
  assert.equal((await readRevocation(gateway, id)).attempts, 6);
  const certificate = await gateway.pki.cluster(REVOKED);
  assert.equal((await gateway.send({ path: inputsPath(REVOKED), certificate })).status, 495);
  const operator = await gateway.pki.operator('op@example.com');
  assert.equal((await gateway.send({ path: inputsPath(REVOKED), certificate: operator })).status, 200);
});
