import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { fluxEvent, inputsPath, report } from '../support/fleet-status.ts';
import { missingTools } from '../support/page-shell.ts';
import type { MintedChain } from '../support/pki.ts';
import { executeRunbook } from '../support/runbook.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const skip = missingTools() ?? false;
const [FIRST = '', SECOND = '', THIRD = ''] = ['01', '02', '03'].map(
  (n) => `demo-cluster-${n}.k8s.example.com`,
);
const DAY = 86_400_000;

/** A gateway with one of each trouble. */
describe('the runbooks that alerts point to', { skip }, () => {
  const gateway = shareGateway();
  const play = (file: string, events: Readonly<Record<string, () => Promise<void>>> = {}): Promise<void> =>
    executeRunbook(file, {
      directory: gateway().directory,
      environment: {
        GATEWAY: `https://localhost:${gateway().port}`,
        ADMIN: `http://127.0.0.1:${gateway().gateway.adminAddress?.port}`,
        SERVER_CA: 'server-ca.crt',
        OPERATOR: 'operator',
        TRUST: gateway().directory,
      },
      events,
    });
  const poll = async (dns: string, certificate: MintedChain, status = 200): Promise<void> => {
    assert.equal((await gateway().send({ path: inputsPath(dns), certificate })).status, status);
  };

  before(async () => {
    const { pki, directory } = gateway();
    const operator = await pki.operator('operator@example.com', ['platform-team']);
    await writeFile(join(directory, 'operator.crt'), operator.chainPem);
    await writeFile(join(directory, 'operator.key'), operator.keyPem);
    const first = await pki.cluster(FIRST);
    await poll(FIRST, first);
    await poll(SECOND, first, 403);
    await poll(SECOND, await pki.cluster(SECOND, { notAfter: new Date(Date.now() + 3 * DAY) }));
    const [own, other] = [await pki.cluster(THIRD), await pki.cluster(THIRD)];
    for (const certificate of [own, other, own, other]) await poll(THIRD, certificate);
    const failure = {
      severity: 'error',
      reason: 'HealthCheckFailed',
      message: 'timeout waiting for cert-manager',
    };
    const event = fluxEvent(failure);
    assert.equal((await report(gateway(), THIRD, event, { certificate: other })).status, 202);
  });

  it('no poll is answered', () => play('gateway-down.md'));
  it('too much to do', () => play('overload.md'));
  it('clusters do not poll, are refused, or stay behind', () => play('missing-clusters.md'));
  it('certificates are not renewed', () => play('certificates-not-renewed.md'));
  it('components fail', () => play('failing-components.md'));
  it('a credential is in other hands', () => play('suspicious-credentials.md'));
  it('the fleet by hand', () => play('../monitoring.md'));

  it('a reload was refused', async () => {
    const file = join(gateway().directory, 'cluster-ca.crt');
    await writeFile(file, 'nothing of a certificate');
    assert.equal(await gateway().gateway.reload('SIGHUP'), false);
    await play('reload-refused.md', {
      'the file is put right': () => writeFile(file, gateway().pki.clusterBundlePem),
    });
  });
});
