import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mintIntermediate } from '../../certs-dev/mint.ts';
import { createTestPki } from '../support/pki.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const TRUST_DOMAIN = 'fleet.example.com';
const own = 'demo-cluster-01.k8s.example.com';
const other = 'demo-cluster-02.k8s.example.com';
const pki = await createTestPki({ clusterIntermediate: { basicConstraints: { ca: true } } });
/** As docs/joining-a-cluster.md has it made: its cert-manager may sign for this name and no other. */
const authority = await mintIntermediate('demo-cluster-01', pki.clusterIntermediate, {
  nameConstraints: {
    permitted: [
      { type: 'dns', value: own },
      { type: 'uri', value: own },
      { type: 'email', value: own },
    ],
  },
});

describe('a cluster with a CA of its own cannot be another cluster', () => {
  const gateway = shareGateway({ pki, environment: { SPIFFE_TRUST_DOMAIN: TRUST_DOMAIN } });
  const poll = async (dns: string, overrides: Parameters<typeof pki.cluster>[1]) => {
    const certificate = await pki.cluster(own, { issuer: authority, ...overrides });
    return (await gateway().send({ path: `/api/v2/flux/clusters/${dns}/namespaces`, certificate })).status;
  };

  it('is itself by what that CA signs', async () => assert.equal(await poll(own, {}), 200));

  it('is nobody by a certificate for another name, whether as DNS name, as SPIFFE identity or as both', async () => {
    const names = [
      [{ type: 'dns', value: other }],
      [{ type: 'uri', value: `spiffe://${TRUST_DOMAIN}/cluster/${other}` }],
      [
        { type: 'dns', value: own },
        { type: 'uri', value: `spiffe://${TRUST_DOMAIN}/cluster/${other}` },
      ],
    ] as const;
    for (const subjectAltNames of names) assert.equal(await poll(other, { subjectAltNames }), 495);
  });

  it('is no operator by it either', async () => {
    for (const subjectAltNames of [
      [{ type: 'email', value: `alex@${own}` }],
      [{ type: 'uri', value: `spiffe://${TRUST_DOMAIN}/operator/alex` }],
    ] as const) {
      const certificate = await pki.cluster(own, { issuer: authority, subjectAltNames });
      assert.equal((await gateway().send({ path: '/clusters', certificate })).status, 495);
    }
  });
});
