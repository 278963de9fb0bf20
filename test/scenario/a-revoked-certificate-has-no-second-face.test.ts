import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { readCertificate } from '../../src/core/identity/certificate.ts';
import { twinFingerprint } from '../../src/core/identity/signature-twin.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { createTestPki, withChain } from '../support/pki.ts';
import { twinOf } from '../support/signature-twin.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const INPUTS = `/api/v2/flux/clusters/${DNS}/namespaces`;

async function revoke(gateway: TestGateway, body: object): Promise<number> {
  const certificate = await gateway.pki.operator('security@example.com');
  return (
    await gateway.send({
      method: 'POST',
      path: '/revocations',
      certificate,
      body: { ...body, reason: 'stolen' },
    })
  ).status;
}

test('the same certificate under the other ECDSA signature is revoked as well, be it leaf or intermediate', async (t) => {
  const gateway = await startTestGateway(t);
  const { pki } = gateway;
  const leaf = await pki.cluster(DNS);
  const twin = twinOf(leaf);
  const facts = readCertificate(leaf.der);
  assert.notEqual(twin.sha256, facts.sha256);
  assert.equal(twin.sha256, twinFingerprint(facts, readCertificate(pki.clusterIntermediate.der)));
  assert.equal(
    (await gateway.send({ path: INPUTS, certificate: twin })).status,
    200,
    'both verifiers take it',
  );
  assert.equal(await revoke(gateway, { certificate_sha256: facts.sha256 }), 201);
  assert.equal((await gateway.send({ path: INPUTS, certificate: leaf })).status, 495);
  assert.equal((await gateway.send({ path: INPUTS, certificate: twin })).status, 495);
  assert.equal((await gateway.send({ path: INPUTS, certificate: await pki.cluster(DNS) })).status, 200);

  const another = await pki.cluster(DNS);
  assert.equal(await revoke(gateway, { certificate_sha256: twinOf(another).sha256 }), 201);
  assert.equal(
    (await gateway.send({ path: INPUTS, certificate: another })).status,
    495,
    'the other way round',
  );
});

test('a serial is revoked under every certificate of its issuer', async (t) => {
  const first = await createTestPki();
  const renewedRoot = await mintCa('cluster root', {
    subject: first.clusterRoot.request.subject,
    reuseKeyOf: first.clusterRoot,
  });
  const gateway = await startTestGateway(t, {
    pki: first,
    prepare: async (directory) => {
      await writeFile(join(directory, 'cluster-ca.crt'), first.clusterRoot.pem + renewedRoot.pem);
      return {};
    },
  });
  const leaf = withChain(await mintClusterCertificate(DNS, first.clusterRoot));
  assert.equal((await gateway.send({ path: INPUTS, certificate: leaf })).status, 200);
  const { sha256 } = readCertificate(first.clusterRoot.der);
  const serial = Buffer.from(leaf.serial).toString('hex');
  assert.equal(await revoke(gateway, { issuer_sha256: sha256, serial }), 201);
  assert.equal((await gateway.send({ path: INPUTS, certificate: leaf })).status, 495);
});

test('a serial under an issuer that nobody knows is refused, not half revoked', async (t) => {
  const gateway = await startTestGateway(t);
  assert.equal(await revoke(gateway, { issuer_sha256: 'ab'.repeat(32), serial: '01' }), 400);
});
