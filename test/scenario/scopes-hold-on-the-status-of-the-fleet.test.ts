import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fleetStatus } from '../support/fleet-status.ts';
import { READ_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { makeToken } from '../support/tokens.ts';

describe('a credential that is limited to an environment', () => {
  const gateway = shareGateway();
  const statusOf = async (path: string, token: string): Promise<number> =>
    (await gateway().send({ path, token })).status;

  it('sees and counts the clusters of that environment, and no others', async () => {
    const { token } = await makeToken(gateway(), {
      kind: 'operator',
      roles: ['viewer'],
      environments: ['dev'],
    });
    const { total, counts, clusters } = await fleetStatus(gateway(), '?environment=dev', token);
    assert.deepEqual([total, counts['never'], clusters.map(({ id }) => id)], [1, 1, ['demo-cluster-01']]);
    for (const query of [
      '',
      '?environment=prod',
      '?state=never',
      '?q=demo',
      '?environment=dev&environment=prod',
    ]) {
      assert.equal(await statusOf(`/fleet${query}`, token), 403, query);
    }
    assert.equal(await statusOf('/fleet/demo-cluster-01.k8s.example.com', token), 200);
    assert.equal(await statusOf('/fleet/demo-cluster-03.k8s.example.com', token), 403);
    assert.equal(await statusOf('/fleet/nobody.example.com', token), 403, 'whether it exists is not told');
  });

  it('by label: only with the label named', async () => {
    const { token } = await makeToken(gateway(), {
      kind: 'operator',
      roles: ['viewer'],
      labels: ['team=payments'],
    });
    assert.equal((await fleetStatus(gateway(), '?label=team%3Dpayments', token)).total, 0);
    assert.equal(await statusOf('/fleet', token), 403);
    assert.equal(await statusOf('/fleet/demo-cluster-01.k8s.example.com', token), 403);
  });

  it('whoever does not read the fleet sees nothing of it', async () => {
    const { token } = await makeToken(gateway(), { kind: 'operator', roles: ['security'] });
    for (const one of [token, READ_TOKEN]) {
      assert.equal(await statusOf('/fleet', one), 403);
      assert.equal(await statusOf('/fleet/demo-cluster-01.k8s.example.com', one), 403);
    }
    const certificate = await gateway().pki.cluster('demo-cluster-01.k8s.example.com');
    assert.equal((await gateway().send({ path: '/fleet', certificate })).status, 403);
    const own = { path: '/fleet/demo-cluster-01.k8s.example.com', certificate };
    assert.equal((await gateway().send(own)).status, 403);
  });
});
