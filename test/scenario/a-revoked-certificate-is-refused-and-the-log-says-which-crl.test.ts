import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crlOf, startCrlGateway } from '../support/crls.ts';
import { createTestPki } from '../support/pki.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const path = `/api/v2/flux/clusters/${DNS}/namespaces`;

test('a leaf that its CA revoked is 495, and another leaf of that CA is not', async (t) => {
  const pki = await createTestPki();
  const [revoked, good] = [await pki.cluster(DNS), await pki.cluster(DNS)];
  const gateway = await startCrlGateway(
    t,
    { 'issuing.crl': await crlOf(pki.clusterIntermediate, [revoked], { number: 12 }) },
    { pki },
  );
  const refused = await gateway.send({ path, certificate: revoked });
  assert.equal(refused.status, 495);
  const line = gateway.logOf(refused);
  const logged = line['certificate'] as Record<string, string>;
  assert.equal(logged['refused'], 'revoked');
  assert.equal(logged['position'], 'leaf');
  assert.match(
    String(line['reason']),
    /: revoked on \d{4}-\d\d-\d\dT[\d:.]+Z \(keyCompromise\) by CRL no\. 12 of "CN=test cluster intermediate"$/,
  );
  assert.equal((await gateway.send({ path, certificate: good })).status, 200);
});

test('an intermediate that the root revoked takes its leaves with it, and nobody else', async (t) => {
  const pki = await createTestPki();
  const leaf = await pki.cluster(DNS);
  const direct = await pki.cluster(DNS, { issuer: pki.clusterRoot });
  const operator = await pki.operator('ops@example.com');
  const gateway = await startCrlGateway(
    t,
    { 'root.crl': await crlOf(pki.clusterRoot, [pki.clusterIntermediate]) },
    { pki },
  );
  const refused = await gateway.send({ path, certificate: leaf });
  assert.equal(refused.status, 495);
  const logged = gateway.logOf(refused)['certificate'] as Record<string, string>;
  assert.deepEqual([logged['refused'], logged['position']], ['revoked', 'intermediate 1']);
  assert.equal((await gateway.send({ path, certificate: direct })).status, 200);
  assert.equal((await gateway.send({ path: '/clusters', certificate: operator })).status, 200);
});
