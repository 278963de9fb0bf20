import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { clusterStatusOf, inputsPath, movedClock } from '../support/fleet-status.ts';
import { withChain } from '../support/pki.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const MINUTE = 60_000;
const EAST = 'demo-cluster-01.k8s.example.com';
const WEST = 'demo-cluster-02.k8s.example.com';

describe('whoever claims to be a cluster', () => {
  const clock = movedClock();
  const gateway = shareGateway({ clock });
  const stateOf = async (dns: string): Promise<string> => (await clusterStatusOf(gateway(), dns)).state;
  const poll = async (dns: string): Promise<void> => {
    const certificate = await gateway().pki.cluster(dns);
    assert.equal((await gateway().send({ path: inputsPath(dns), certificate })).status, 200);
  };
  /** By a certificate of the stranger's own making, without any, and with guessed tokens. */
  const claim = async (dns: string): Promise<void> => {
    const certificate = withChain(await mintClusterCertificate(dns, await mintCa("a stranger's CA")));
    for (const route of ['platform-components', 'namespaces']) {
      assert.equal((await gateway().send({ path: inputsPath(dns, route), certificate })).status, 495);
      assert.equal((await gateway().send({ path: inputsPath(dns, route) })).status, 401);
      assert.equal(
        (await gateway().send({ path: inputsPath(dns, route), token: 'a guess of it' })).status,
        401,
      );
    }
  };

  it('makes nothing of a cluster that polls', async () => {
    await poll(EAST);
    await claim(EAST);
    assert.equal(await stateOf(EAST), 'current');
    const { refusal, routes } = await clusterStatusOf(gateway(), EAST);
    assert.deepEqual([refusal, routes.length], [null, 1]);
  });

  it('is told of where the cluster is missing, with how that is known', async () => {
    await poll(EAST);
    clock.forward(31 * MINUTE);
    assert.equal(await stateOf(EAST), 'overdue', 'what was before its last poll explains nothing');
    await claim(EAST);
    const { state, refusal } = await clusterStatusOf(gateway(), EAST);
    assert.deepEqual([state, refusal?.known_by], ['refused', 'requested']);
    await poll(EAST);
    assert.equal(await stateOf(EAST), 'current');
  });

  it('is nobody but itself where its certificate is accepted', async () => {
    const certificate = await gateway().pki.cluster(EAST);
    assert.equal((await gateway().send({ path: inputsPath(WEST), certificate })).status, 403);
    assert.equal(await stateOf(WEST), 'never');
    const operator = await gateway().pki.operator('op@example.com', ['fluxgate:security']);
    assert.equal((await gateway().send({ path: inputsPath(WEST), certificate: operator })).status, 403);
    assert.equal(await stateOf(WEST), 'never');
  });
});
