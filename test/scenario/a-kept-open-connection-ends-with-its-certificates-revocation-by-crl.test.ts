import assert from 'node:assert/strict';
import { test } from 'node:test';
import { crlOf, startCrlGateway } from '../support/crls.ts';
import { keepOpen, within } from '../support/kept-open.ts';
import { createTestPki } from '../support/pki.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const path = `/api/v2/flux/clusters/${DNS}/namespaces`;

test('idle ones are closed within a second of the reload, other clients’ stay', async (t) => {
  const pki = await createTestPki();
  const [revoked, good] = [await pki.cluster(DNS), await pki.cluster(DNS)];
  const gateway = await startCrlGateway(t, {}, { pki });
  const kept = await keepOpen(gateway, revoked);
  const other = await keepOpen(gateway, good);
  await gateway.put('issuing.crl', await crlOf(pki.clusterIntermediate, [revoked]));
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  await within(1_000, kept.ended, 'the connection of the revoked certificate');
  assert.equal((await other.get('/health'))?.status, 200);
  assert.equal((await gateway.send({ path, certificate: revoked })).status, 495);
});

test('one whose CRL grows stale meanwhile is refused at its next request', async (t) => {
  const pki = await createTestPki();
  const files = { 'issuing.crl': await crlOf(pki.clusterIntermediate) };
  const gateway = await startCrlGateway(t, files, { pki });
  const kept = await keepOpen(gateway, await pki.cluster(DNS));
  gateway.advance(7 * 86_400_000 + 2_000); // dates in a CRL are whole seconds
  assert.equal((await kept.get(path))?.status, 495);
  await within(1_000, kept.ended, 'the refused connection');
});
