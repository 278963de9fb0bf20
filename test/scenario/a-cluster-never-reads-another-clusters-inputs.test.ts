import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientAnswer } from '../support/client.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const ROUTES = ['platform-components', 'namespaces', 'rolebindings'] as const;
const dnsOf = (n: number): string => `demo-cluster-0${n}.k8s.example.com`;
const pathOf = (dns: string, route: string): string => `/api/v2/flux/clusters/${dns}/${route}`;

/** The body without the one thing that differs from answer to answer. */
function withoutRequestId(answer: ClientAnswer): string {
  return answer.body.toString().replaceAll(String(answer.headers['x-request-id']), 'ID');
}

describe('a cluster with its certificate', () => {
  const gateway = shareGateway();

  it('reads its own inputs on each of the three routes, the same bytes each time', async () => {
    const certificate = await gateway().pki.cluster(dnsOf(1));
    for (const route of ROUTES) {
      const path = pathOf(dnsOf(1), route);
      const first = await gateway().send({ path, certificate });
      assert.equal(first.status, 200);
      const { inputs } = first.json<{ inputs: { cluster: { dns: string } }[] }>();
      assert.ok(inputs.length > 0);
      for (const input of inputs) assert.equal(input.cluster.dns, dnsOf(1));
      assert.deepEqual((await gateway().send({ path, certificate })).body, first.body);
      // What is said beside the inputs is about the certificate; Flux looks at the inputs only.
      const renewed = await gateway().send({ path, certificate: await gateway().pki.cluster(dnsOf(1)) });
      const octetsOfInputs = (body: Buffer): string =>
        /^\{"inputs":(\[.*\])/.exec(body.toString())?.[1] ?? '';
      assert.equal(octetsOfInputs(renewed.body), octetsOfInputs(first.body));
      assert.deepEqual(renewed.json<{ inputs: unknown }>().inputs, inputs);
    }
  });

  it('gets 403 for any other path, whether that cluster exists or not, and the answers do not differ', async () => {
    const certificate = await gateway().pki.cluster(dnsOf(1));
    const others = [
      dnsOf(2),
      'no-such-cluster.k8s.example.com',
      `x.${dnsOf(1)}`,
      'k8s.example.com',
      `${dnsOf(1)}.attacker.example`,
      dnsOf(1).slice(1),
      'demo-cluster-01',
    ];
    for (const route of ROUTES) {
      const seen = new Set<string>();
      for (const other of others) {
        const answer = await gateway().send({ path: pathOf(other, route), certificate });
        assert.equal(answer.status, 403, other);
        const { date: _date, 'x-request-id': _id, ...headers } = answer.headers;
        seen.add(JSON.stringify([withoutRequestId(answer), headers]));
      }
      assert.equal(seen.size, 1, 'nothing tells whether a cluster exists');
    }
  });

  it('gets 403 for the list of clusters and for the operator routes', async () => {
    const certificate = await gateway().pki.cluster(dnsOf(1));
    for (const path of ['/api/v2/flux/clusters', '/clusters', '/clusters/demo-cluster-01', '/namespaces']) {
      assert.equal((await gateway().send({ path, certificate })).status, 403, path);
    }
  });

  it('gets 404 for its own path when nobody registered it', async () => {
    const dns = 'unregistered.k8s.example.com';
    const certificate = await gateway().pki.cluster(dns);
    assert.equal((await gateway().send({ path: pathOf(dns, 'namespaces'), certificate })).status, 404);
  });

  it('is known by its name in any spelling of the certificate, compared in one', async () => {
    for (const spelling of ['DEMO-Cluster-02.k8s.EXAMPLE.com', `${dnsOf(2)}.`]) {
      const certificate = await gateway().pki.cluster(spelling);
      const answer = await gateway().send({ path: pathOf(dnsOf(2), 'namespaces'), certificate });
      assert.equal(answer.status, 200, spelling);
      assert.equal(gateway().logOf(answer)['principal'], `cluster:${dnsOf(2)}`);
    }
  });
});
