import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shareGateway } from '../support/shared-gateway.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const PATH = `/api/v2/flux/clusters/${DNS}/namespaces`;

describe('a certificate that comes in a header instead of the handshake', () => {
  const gateway = shareGateway();

  it('is not looked at, under any of the names that proxies use', async () => {
    const certificate = await gateway().pki.cluster(DNS);
    const escaped = encodeURIComponent(certificate.chainPem);
    const base64 = Buffer.from(certificate.der).toString('base64');
    const headers: Readonly<Record<string, string>> = {
      'x-forwarded-client-cert': `Cert="${escaped}";DNS=${DNS}`,
      'x-ssl-client-cert': escaped,
      'x-client-cert': base64,
      'client-cert': `:${base64}:`,
      'ssl-client-verify': 'SUCCESS',
      'x-amzn-mtls-clientcert': escaped,
      'x-arr-clientcert': base64,
      'ssl-client-s-dn': `CN=${DNS}`,
    };
    for (const [name, value] of Object.entries(headers)) {
      const answer = await gateway().send({ path: PATH, headers: { [name]: value } });
      assert.equal(answer.status, 401, name);
    }
    assert.equal((await gateway().send({ path: PATH, headers })).status, 401);
    assert.equal(
      (await gateway().send({ path: PATH, certificate })).status,
      200,
      'in the handshake it counts',
    );
  });
});
