import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { withPolicy } from '../support/policies.ts';
import { certificateSha256, revoke } from '../support/revocations.ts';
import { demoDns, poll } from '../support/trust.ts';

const NOBODYS = 'no cluster in the fleet has this DNS name, so this refuses none of them';

test('a revocation of a name that no cluster has is in force, and says what may have been meant', async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.cluster(demoDns(1));
  const warningsOf = async (target: object): Promise<unknown> => (await revoke(gateway, target))['warnings'];

  const slip = await revoke(gateway, { cluster_dns: 'demo-clutser-01.k8s.example.com' });
  assert.equal(slip.state, 'in_force');
  assert.deepEqual(slip['warnings'], [`${NOBODYS}; is ${demoDns(1)} meant?`]);
  assert.equal((await poll(gateway, demoDns(1), certificate)).status, 200);
  const kept = await gateway.send({ path: `/revocations/${slip.id}`, token: WRITE_TOKEN });
  assert.equal(kept.json()['warnings'], undefined);

  assert.deepEqual(await warningsOf({ cluster_dns: 'demo-cluster-02' }), [
    `${NOBODYS}; is ${demoDns(2)} meant?`,
  ]);
  assert.deepEqual(await warningsOf({ cluster_dns: 'something-else.example.org' }), [NOBODYS]);
  assert.equal(await warningsOf({ cluster_dns: demoDns(1) }), undefined);
  const another = certificateSha256((await gateway.pki.cluster(demoDns(2))).pem);
  assert.equal(await warningsOf({ certificate_sha256: another }), undefined);
  assert.equal((await poll(gateway, demoDns(1), certificate)).status, 495);
});

const NO_PLANS = `@id("test-no-plans")
@reason("the token of this test plans no trust")
forbid (principal is Fluxgate::Writer, action == Fluxgate::Action::"planTrust", resource);`;

test('whoever may revoke, and not plan trust, is not told which names there are', async (t) => {
  const gateway = await startTestGateway(t, { prepare: withPolicy(NO_PLANS) });
  for (const cluster_dns of ['demo-cluster-99.k8s.example.com', demoDns(3)]) {
    assert.equal((await revoke(gateway, { cluster_dns }))['warnings'], undefined);
  }
});
