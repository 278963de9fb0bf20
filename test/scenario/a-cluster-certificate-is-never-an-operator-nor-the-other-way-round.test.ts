import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const OWN = 'demo-cluster-01.k8s.example.com';
const OWN_PATH = `/api/v2/flux/clusters/${OWN}/namespaces`;

describe('which CA signed says what kind of principal a certificate is', () => {
  const gateway = shareGateway();

  it('lets an operator certificate operate, and a cluster certificate read its own inputs', async () => {
    const operator = await gateway().pki.operator('op@example.com', ['platform-team']);
    const cluster = await gateway().pki.cluster(OWN);
    assert.equal((await gateway().send({ path: '/clusters', certificate: operator })).status, 200);
    assert.equal((await gateway().send({ path: OWN_PATH, certificate: cluster })).status, 200);
  });

  it('refuses an operator’s name under the cluster CA', async () => {
    const { pki } = gateway();
    const certificate = await pki.operator('op@example.com', ['platform-team'], {
      issuer: pki.clusterIntermediate,
    });
    for (const path of ['/clusters', OWN_PATH]) {
      const answer = await gateway().send({ path, certificate, token: WRITE_TOKEN });
      assert.equal(answer.status, 495);
    }
  });

  it('keeps a cluster certificate from the operator routes, whatever its subject says', async () => {
    const certificate = await gateway().pki.cluster(OWN, {
      subject: { CN: 'op@example.com', O: ['platform-team', 'system:masters'] },
    });
    for (const method of ['GET', 'POST', 'DELETE']) {
      const path = method === 'DELETE' ? '/clusters/demo-cluster-01' : '/clusters';
      const body = method === 'POST' ? {} : undefined;
      const answer = await gateway().send({ method, path, body, certificate, token: WRITE_TOKEN });
      assert.equal(answer.status, 403, `${method} ${path}`);
    }
  });

  it('takes a cluster’s DNS name under the operator CA for an operator of that name, never for the cluster', async () => {
    const certificate = await gateway().pki.operator(OWN);
    const answer = await gateway().send({ path: OWN_PATH, certificate });
    assert.equal(gateway().logOf(answer)['principal'], `operator:${OWN}`);
    const ratcheted = await gateway().send({ path: OWN_PATH, token: WRITE_TOKEN });
    const first = gateway().log.find((line) => line['principal'] === `cluster:${OWN}`);
    assert.ok(first !== undefined, 'only the cluster’s own poll, above, turned the ratchet');
    assert.equal(ratcheted.status, 403);
    const elsewhere = 'demo-cluster-02.k8s.example.com';
    const path = `/api/v2/flux/clusters/${elsewhere}/namespaces`;
    const asOperator = await gateway().pki.operator(elsewhere);
    assert.equal((await gateway().send({ path, certificate: asOperator })).status, 200);
    assert.equal((await gateway().send({ path, token: WRITE_TOKEN })).status, 200, 'no ratchet by operators');
  });

  it('never lets the CN count', async () => {
    const { pki } = gateway();
    const cnOnly = await pki.cluster(OWN, { subjectAltNames: null });
    assert.equal((await gateway().send({ path: OWN_PATH, certificate: cnOnly })).status, 495);
    const cnOfAnother = await pki.cluster('demo-cluster-02.k8s.example.com', { subject: { CN: OWN } });
    assert.equal((await gateway().send({ path: OWN_PATH, certificate: cnOfAnother })).status, 403);
    const noCn = await pki.cluster(OWN, { subject: {} });
    assert.equal((await gateway().send({ path: OWN_PATH, certificate: noCn })).status, 200);
  });

  it('trusts no operator certificate where no operator CA is configured', async (t) => {
    const closed = await startTestGateway(t, {
      pki: gateway().pki,
      environment: { OPERATOR_CA_FILE: undefined },
    });
    const certificate = await gateway().pki.operator('op@example.com');
    assert.equal((await closed.send({ path: '/clusters', certificate })).status, 495);
    const cluster = await gateway().pki.cluster(OWN);
    assert.equal((await closed.send({ path: OWN_PATH, certificate: cluster })).status, 200);
  });
});
