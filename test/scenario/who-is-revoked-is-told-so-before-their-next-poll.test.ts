import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';
import { clusterStatusOf, fleetStatus, inputsPath } from '../support/fleet-status.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { certificateSha256, lift, revoke, serialOf, spkiSha256 } from '../support/revocations.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { makeToken } from '../support/tokens.ts';

const dnsOf = (number: number): string => `demo-cluster-0${number}.k8s.example.com`;

describe('a cluster that was revoked since its last poll', () => {
  const gateway = shareGateway();
  const polled = async (number: number) => {
    const certificate = await gateway().pki.cluster(dnsOf(number));
    const answer = await gateway().send({ path: inputsPath(dnsOf(number)), certificate });
    assert.equal(answer.status, 200);
    return certificate;
  };
  const toldOf = async (token = WRITE_TOKEN) =>
    (await fleetStatus(gateway(), '', token)).clusters.map(({ state, revoked_by }) => [state, revoked_by]);

  it('is told so, by whatever names it, until that is lifted or its poll is refused', async () => {
    const { pem } = await polled(1);
    const issuer = certificateSha256(gateway().pki.clusterIntermediate.pem);
    for (const target of [
      { cluster_dns: dnsOf(1) },
      { certificate_sha256: certificateSha256(pem) },
      { spki_sha256: spkiSha256(pem) },
      { issuer_sha256: issuer, serial: serialOf(pem) },
    ]) {
      const { id } = await revoke(gateway(), target);
      assert.deepEqual(
        await toldOf(),
        [
          ['current', id],
          ['never', undefined],
          ['never', undefined],
        ],
        Object.keys(target).join(),
      );
      assert.equal((await clusterStatusOf(gateway(), dnsOf(1))).revoked_by, id);
      assert.equal((await lift(gateway(), id)).status, 200);
      assert.ok(!('revoked_by' in (await clusterStatusOf(gateway(), dnsOf(1)))));
    }
  });

  it('is not once it came with another certificate, nor is one that only shares the issuer', async () => {
    const old = await polled(2);
    const { id } = await revoke(gateway(), { certificate_sha256: certificateSha256(old.pem) });
    assert.equal((await clusterStatusOf(gateway(), dnsOf(2))).revoked_by, id);
    await polled(2);
    assert.equal((await clusterStatusOf(gateway(), dnsOf(2))).revoked_by, undefined);
  });

  it('is not told to whoever may not read why somebody is refused', async () => {
    const { id } = await revoke(gateway(), { cluster_dns: dnsOf(3) });
    const { token } = await makeToken(gateway(), { kind: 'operator', roles: ['viewer'] });
    assert.deepEqual((await toldOf())[2], ['never', id]);
    assert.deepEqual((await toldOf(token))[2], ['never', undefined]);
  });
});

it('fleet status says so in a line, and the refusal alone once there is one', async (t) => {
  const line = await startCommandLine(t);
  const { gateway } = line;
  const certificate = await gateway.pki.cluster(dnsOf(1));
  const poll = async () => (await gateway.send({ path: inputsPath(dnsOf(1)), certificate })).status;
  assert.equal(await poll(), 200);
  const { id } = await revoke(gateway, { certificate_sha256: certificateSha256(certificate.pem) });
  const says = `revoked by ${id}: refused from now on`;
  const one = await line.run(['fleet', 'status', 'demo-cluster-01']);
  assert.equal(one.stdout.split('\n')[1], says, one.stderr);
  assert.match((await line.run(['fleet', 'status'])).stdout, new RegExp(`^demo-cluster-01 .* ${says}$`, 'm'));
  assert.equal(await poll(), 495);
  const refused = await line.run(['fleet', 'status', 'demo-cluster-01']);
  assert.match(refused.stdout, new RegExp(`^refused .* ago: .*${id}`, 'm'));
  assert.doesNotMatch(refused.stdout, /from now on/);
});
