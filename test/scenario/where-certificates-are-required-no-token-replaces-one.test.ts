import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const PATHS = [
  `/api/v2/flux/clusters/${DNS}/namespaces`,
  '/api/v2/flux/clusters',
  '/clusters',
  '/openapi.yaml',
  '/no-such-route',
];

describe('CLIENT_CERT=required', () => {
  const gateway = shareGateway({ environment: { CLIENT_CERT: 'required' } });

  for (const path of PATHS) {
    it(`is 401 without a certificate, whatever token there is: ${path}`, async () => {
      for (const token of [undefined, READ_TOKEN, WRITE_TOKEN, 'unknown']) {
        assert.equal((await gateway().send({ path, token })).status, 401);
      }
    });
  }

  it('lets probes ask without one', async () => {
    for (const path of ['/health', '/ready']) {
      assert.equal((await gateway().send({ path })).status, 200);
    }
  });

  it('serves whoever has one', async () => {
    const cluster = await gateway().pki.cluster(DNS);
    const operator = await gateway().pki.operator('op@example.com');
    const own = `/api/v2/flux/clusters/${DNS}/namespaces`;
    assert.equal((await gateway().send({ path: own, certificate: cluster })).status, 200);
    assert.equal((await gateway().send({ path: '/clusters', certificate: operator })).status, 200);
    assert.equal((await gateway().send({ path: '/openapi.yaml', certificate: cluster })).status, 200);
  });

  it('refuses a bad one with 495, on probes too', async () => {
    const certificate = await gateway().pki.cluster(DNS, { extendedKeyUsage: ['serverAuth'] });
    for (const path of [...PATHS, '/health']) {
      assert.equal((await gateway().send({ path, certificate, token: READ_TOKEN })).status, 495);
    }
  });
});
