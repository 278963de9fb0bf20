import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientAnswer, ClientRequest } from '../support/client.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const INSIDE = '127.0.0.2';
const OUTSIDE = '127.0.0.1';
const ROUTES: readonly Pick<ClientRequest, 'method' | 'path' | 'body'>[] = [
  { path: '/clusters' },
  { path: '/clusters/demo-cluster-01' },
  { path: '/clusters/no-such-cluster' },
  { method: 'POST', path: '/namespaces', body: { id: 'new' } },
  { method: 'POST', path: '/namespaces', body: '{broken' },
  { method: 'PATCH', path: '/namespaces/podinfo', body: { labels: {} } },
  { method: 'DELETE', path: '/rolebindings/developers-view' },
];

function withoutVolatile(answer: ClientAnswer): string {
  const { date: _date, 'x-request-id': id, ...headers } = answer.headers;
  return JSON.stringify([answer.status, headers, answer.body.toString().replaceAll(String(id), 'ID')]);
}

describe('OPERATOR_NETWORKS=127.0.0.2/32', () => {
  const gateway = shareGateway({ environment: { OPERATOR_NETWORKS: `${INSIDE}/32` } });

  for (const route of ROUTES) {
    it(`answers everybody outside alike: ${route.method ?? 'GET'} ${route.path}`, async () => {
      const { pki } = gateway();
      const credentials: readonly Partial<ClientRequest>[] = [
        {},
        { token: WRITE_TOKEN },
        { token: READ_TOKEN },
        { token: 'unknown' },
        { headers: { authorization: 'nonsense' } },
        { certificate: await pki.operator('op@example.com') },
        { certificate: await pki.cluster('demo-cluster-01.k8s.example.com') },
        { certificate: await pki.cluster('x.example.com', { extendedKeyUsage: ['serverAuth'] }) },
        { certificate: await pki.cluster('*.example.com'), token: WRITE_TOKEN },
      ];
      const seen = new Set<string>();
      for (const credential of credentials) {
        const answer = await gateway().send({ ...route, ...credential, localAddress: OUTSIDE });
        assert.equal(answer.status, 403);
        seen.add(withoutVolatile(answer));
        const line = gateway().logOf(answer);
        assert.equal(line['principal'], 'anonymous', 'no credential was looked at');
        assert.equal(line['certificate'], undefined);
        assert.match(String(line['reason']), /outside OPERATOR_NETWORKS/);
      }
      assert.equal(seen.size, 1, [...seen].join('\n'));
    });
  }

  it('lets the same credentials work inside', async () => {
    const certificate = await gateway().pki.operator('op@example.com');
    for (const credential of [{ token: WRITE_TOKEN }, { certificate }]) {
      const answer = await gateway().send({ path: '/clusters', ...credential, localAddress: INSIDE });
      assert.equal(answer.status, 200);
    }
    for (const [token, status] of [
      [READ_TOKEN, 403],
      ['unknown', 401],
      [undefined, 401],
    ] as const) {
      const answer = await gateway().send({ path: '/clusters', token, localAddress: INSIDE });
      assert.equal(answer.status, status);
    }
  });

  it('does not believe headers that claim another source', async () => {
    for (const name of ['x-forwarded-for', 'x-real-ip', 'forwarded', 'client-ip', 'true-client-ip']) {
      const value = name === 'forwarded' ? `for=${INSIDE}` : INSIDE;
      const headers = { [name]: value };
      const answer = await gateway().send({
        path: '/clusters',
        token: WRITE_TOKEN,
        headers,
        localAddress: OUTSIDE,
      });
      assert.equal(answer.status, 403, name);
      assert.equal(gateway().logOf(answer)['source'], OUTSIDE);
    }
  });

  it('leaves the Flux and public routes to everybody', async () => {
    const certificate = await gateway().pki.cluster('demo-cluster-01.k8s.example.com');
    const path = '/api/v2/flux/clusters/demo-cluster-01.k8s.example.com/namespaces';
    assert.equal((await gateway().send({ path, certificate, localAddress: OUTSIDE })).status, 200);
    assert.equal((await gateway().send({ path: '/health', localAddress: OUTSIDE })).status, 200);
  });
});
