import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { type CommandLine, startCommandLine } from '../support/command-line.ts';
import { withPolicy } from '../support/policies.ts';
import { certificateSha256, spkiSha256 } from '../support/revocations.ts';
import { NO_TERMINAL } from '../support/terminal.ts';

const CLUSTER = 'demo-cluster-01.k8s.example.com';
const REASON = ['--reason', 'x'];

async function fileOf({ directory }: CommandLine, name: string, pem: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, pem);
  return path;
}

async function poll({ gateway }: CommandLine): Promise<number> {
  const path = `/api/v2/flux/clusters/${CLUSTER}/namespaces`;
  return (await gateway.send({ path, certificate: await gateway.pki.cluster(CLUSTER) })).status;
}

const assertNothingRevoked = async (line: CommandLine): Promise<void> =>
  assert.equal((await line.run(['revoke', 'list'])).stdout, '');

describe('a revocation of a CA', () => {
  it('waits for a yes however the CA is named, and says who was seen under it', async (t) => {
    const line = await startCommandLine(t);
    const { clusterRoot, clusterIntermediate, operatorRoot, cluster } = line.gateway.pki;
    assert.equal(await poll(line), 200);
    const file = await fileOf(line, 'root.crt', clusterRoot.pem);
    const { serialNumber } = new X509Certificate(clusterIntermediate.pem);
    const under = 'is a CA: 1 cluster and 0 operators were last seen under it\\. Nothing was revoked; --yes';
    for (const [target, subject] of [
      [['--certificate', file], 'root'],
      [['--certificate', certificateSha256(clusterRoot.pem).toUpperCase()], 'root'],
      [['--spki', spkiSha256(clusterRoot.pem)], 'root'],
      [['--certificate', certificateSha256(clusterIntermediate.pem)], 'intermediate'],
      [['--issuer', certificateSha256(clusterRoot.pem), '--serial', `00${serialNumber}`], 'intermediate'],
    ] as const) {
      const stopped = await line.run(['revoke', ...target, ...REASON]);
      assert.equal(stopped.code, 6, stopped.stderr);
      assert.match(stopped.stderr, new RegExp(`CN=test cluster ${subject} ${under}`));
    }
    const own = await line.run(['revoke', '--spki', spkiSha256(operatorRoot.pem), ...REASON]);
    assert.equal(own.code, 6, own.stderr);
    assert.match(own.stderr, /is a CA: 0 clusters and 1 operator were last seen under it, you among them\. /);
    await assertNothingRevoked(line);
    assert.equal(await poll(line), 200);

    const leaf = await fileOf(line, 'leaf.crt', (await cluster('demo-cluster-02.k8s.example.com')).pem);
    const one = await line.run(['revoke', '--certificate', leaf, ...REASON]);
    assert.deepEqual([one.code, one.stderr], [0, ''], 'what is no CA is not asked about');
    const sure = await line.run(['revoke', '--certificate', file, '--yes', ...REASON]);
    assert.deepEqual([sure.code, sure.stderr], [0, '']);
    const list = (await line.run(['trust', 'list'])).stdout;
    assert.match(list, /^cluster +anchor +revoked: rev-[0-9a-f]{16} .*CN=test cluster root$/m);
    assert.match(list, /^cluster +intermediate +refused: revoked .*CN=test cluster intermediate$/m);
    assert.match(
      list,
      /^nobody is let in under "CN=test cluster intermediate" \(revoked\): "CN=test cluster root" .* is revoked by an operator/m,
    );
    assert.match(list, /^operator +anchor +in_force .*CN=test operator root$/m);
    assert.equal(await poll(line), 495);
  });

  it('is judged by the certificate alone for whoever may not read who is trusted', async (t) => {
    const line = await startCommandLine(t, {
      prepare: withPolicy(
        '@id("no-trust") @reason("trust is not read") forbid (principal, action == Fluxgate::Action::"getTrust", resource);',
      ),
    });
    const { clusterRoot, operatorRoot } = line.gateway.pki;
    const revoke = async (name: string, pem: string) =>
      await line.run(['revoke', '--certificate', await fileOf(line, name, pem), ...REASON]);
    const other = await revoke('root.crt', clusterRoot.pem);
    assert.equal(other.code, 6, other.stderr);
    assert.match(other.stderr, /CN=test cluster root is a CA\. Nothing was revoked/);
    const own = await revoke('operators.crt', operatorRoot.pem);
    assert.equal(own.code, 6, own.stderr);
    assert.match(own.stderr, /CN=test operator root is a CA: it issued what this command asks with\. /);
    await assertNothingRevoked(line);
    const leaf = await revoke('leaf.crt', (await line.gateway.pki.cluster(CLUSTER)).pem);
    assert.deepEqual([leaf.code, leaf.stderr], [0, '']);
  });

  it('is asked about on a terminal, and only a whole yes carries it out', {
    skip: NO_TERMINAL,
  }, async (t) => {
    const line = await startCommandLine(t);
    const target = [
      'revoke',
      '--certificate',
      certificateSha256(line.gateway.pki.clusterRoot.pem),
      ...REASON,
    ];
    const refusing = line.terminal(target);
    await refusing.shows('CN=test cluster root is a CA: 0 clusters');
    await refusing.shows('Revoke it?');
    refusing.type('y\r');
    assert.equal((await refusing.ended).code, 6);
    await assertNothingRevoked(line);
    assert.equal(await poll(line), 200);
    const asking = line.terminal(target);
    await asking.shows('Revoke it?');
    asking.type('yes\r');
    assert.equal((await asking.ended).code, 0);
    assert.equal(await poll(line), 495);
  });
});
