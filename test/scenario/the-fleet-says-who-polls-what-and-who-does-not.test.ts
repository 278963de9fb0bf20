import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { shareGateway } from '../support/shared-gateway.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';

const DNS = 'demo-cluster-01.k8s.example.com';

describe('GET /fleet', () => {
  const gateway = shareGateway();

  it('tells of a cluster that polled', async () => {
    const certificate = await gateway().pki.cluster(DNS);
    const path = `/api/v2/flux/clusters/${DNS}`;
    const polled = await gateway().send({ path: `${path}/platform-components`, certificate });
    assert.equal(polled.status, 200);
    const event = {
      involvedObject: { kind: 'Kustomization', namespace: 'flux-system', name: 'cert-manager' },
      severity: 'info', reason: 'ReconciliationSucceeded', message: 'done', timestamp: '2026-01-01T00:00:00Z',
      metadata: { revision: 'v1' }, reportingController: 'kustomize-controller',
    };
    const taken = await gateway().send({ method: 'POST', path: `${path}/events`, certificate, body: event });
    assert.equal(taken.status, 202, taken.body.toString());
    console.log(taken.body.toString());
    const fleet = await gateway().send({ path: '/fleet', token: WRITE_TOKEN });
    console.log(fleet.status, JSON.stringify(fleet.json(), null, 1));
    const one = await gateway().send({ path: `/fleet/${DNS}`, token: WRITE_TOKEN });
    console.log(one.status, JSON.stringify(one.json(), null, 1));
  });
});
