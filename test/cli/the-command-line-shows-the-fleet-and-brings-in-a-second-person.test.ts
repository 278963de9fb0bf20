import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LAUNCHER, startCommandLine } from '../support/command-line.ts';
import { withPolicy } from '../support/policies.ts';
import { poll } from '../support/poll.ts';
import { PROJECT, spawned } from '../support/spawned.ts';
import { NO_TERMINAL } from '../support/terminal.ts';

const ROUTE = '/api/v2/flux/clusters/demo-cluster-02.k8s.example.com';

describe('fleet', () => {
  it('status tells who polled, what was reported and who is refused; watch tells each change', async (t) => {
    const line = await startCommandLine(t);
    const { gateway, environment } = line;
    const never = await line.run(['fleet', 'status']);
    assert.match(never.stdout, /^CLUSTER +ENVIRONMENT +STATE/);
    assert.equal(never.stdout.match(/ never +active +never /g)?.length, 3);
    assert.match(never.stderr, /3 never/);

    const watching = spawned(t, [LAUNCHER, 'fleet', 'watch', '--interval', '1s'], { environment });
    await watching.said('demo-cluster-03');
    await poll(gateway, 'demo-cluster-01');
    await watching.said('current');
    watching.child.kill('SIGINT');
    assert.equal((await watching.ended).signal, 'SIGINT');
    assert.equal(
      watching.stdout().match(/demo-cluster-02/g)?.length,
      1,
      'what has not changed is not told again',
    );

    // By certificate, with a report of what became of it.
    const certificate = await gateway.pki.cluster('demo-cluster-02.k8s.example.com');
    for (const route of ['platform-components', 'namespaces', 'rolebindings']) {
      assert.equal((await gateway.send({ path: `${ROUTE}/${route}`, certificate })).status, 200);
    }
    const event = {
      involvedObject: { kind: 'HelmRelease', namespace: 'flux-system', name: 'podinfo' },
      severity: 'error',
      timestamp: new Date().toISOString(),
      message: 'install \u001b[2J failed',
      reason: 'InstallFailed',
      reportingController: 'helm-controller',
    };
    const reported = await gateway.send({
      method: 'POST',
      path: `${ROUTE}/events`,
      certificate,
      body: event,
    });
    assert.equal(reported.status, 202, reported.body.toString());
    await gateway.send({ path: `${ROUTE}/namespaces`, token: 'unknown' });

    const current = await line.run(['fleet', 'status', '--state', 'current', '-o', 'name']);
    assert.deepEqual(current.stdout.split('\n').sort(), [
      '',
      'cluster/demo-cluster-01',
      'cluster/demo-cluster-02',
    ]);
    const json = JSON.parse(
      (await line.run(['fleet', 'status', '-q', 'cluster-02', '-o', 'json'])).stdout,
    ) as {
      clusters: { id: string; reported: { failed: number } }[];
    };
    assert.deepEqual(
      json.clusters.map(({ id, reported: { failed } }) => [id, failed]),
      [['demo-cluster-02', 1]],
    );
    const one = await line.run(['fleet', 'status', 'demo-cluster-02.k8s.example.com']);
    assert.match(one.stdout, /^platform-components +current/m);
    assert.match(one.stdout, /^podinfo +failed .*InstallFailed +install \\u\{1b\}\[2J failed/m);
    assert.equal((await line.run(['fleet', 'status', 'nowhere.example.com'])).code, 4);
    const byId = await line.run(['fleet', 'status', 'cluster/demo-cluster-02']);
    assert.match(byId.stdout, /^demo-cluster-02 \(demo-cluster-02\.k8s\.example\.com, /);
    const presented = await line.run(['trust', 'show', 'demo-cluster-02', '-o', 'json']);
    assert.match(presented.stdout, /"cluster_dns": "demo-cluster-02\.k8s\.example\.com"/, presented.stderr);

    // Behind: something else would be served now than was.
    await line.run(['component', 'set-version', 'podinfo', '6.0.1', '--cluster', 'demo-cluster-01']);
    const behind = await line.run(['fleet', 'status', '--state', 'behind', '-o', 'name']);
    assert.equal(behind.stdout, 'cluster/demo-cluster-01\n');
  });
});

describe('a revocation', () => {
  it('of a cluster is of its DNS name, by whatever it was named, and of no name that nobody has', {
    skip: NO_TERMINAL,
  }, async (t) => {
    const line = await startCommandLine(t);
    const revoke = (...args: readonly string[]) => line.run(['revoke', ...args, '--reason', 'stolen']);
    for (const name of ['demo-cluster-33', 'demo-cluster-33.k8s.example.com', 'no_name']) {
      const nobody = await revoke('--cluster', name);
      assert.equal(nobody.code, 4, nobody.stderr);
      assert.match(nobody.stderr, /no cluster of this id or DNS name is in the fleet/);
    }
    assert.equal((await line.run(['revoke', 'list'])).stdout, '');
    const ahead = await revoke('--cluster', 'demo-cluster-33.k8s.example.com', '--unknown');
    assert.match(ahead.stdout, /of cluster demo-cluster-33\.k8s\.example\.com is in force/, ahead.stderr);
    const byId = await revoke('--cluster', 'demo-cluster-03');
    assert.match(byId.stdout, /of cluster demo-cluster-03\.k8s\.example\.com is in force/);
    assert.equal(byId.stderr, 'demo-cluster-03 is demo-cluster-03.k8s.example.com\n');
    const certificate = await line.gateway.pki.cluster('demo-cluster-03.k8s.example.com');
    const path = '/api/v2/flux/clusters/demo-cluster-03.k8s.example.com/namespaces';
    assert.equal((await line.gateway.send({ path, certificate })).status, 495);
    const byDns = await revoke('--cluster', 'demo-cluster-02.k8s.example.com');
    assert.deepEqual([byDns.code, byDns.stderr], [0, '']);

    // Of one name several may be in force: whoever lifts one is told of the others.
    const idOf = ({ stdout }: { readonly stdout: string }) => /rev-[0-9a-f]+/.exec(stdout)?.[0] ?? 'none';
    const first = idOf(byId);
    const twice = await revoke('--cluster', 'demo-cluster-03');
    assert.match(twice.stdout, new RegExp(`^it was refused already by ${first}$`, 'm'));
    assert.doesNotMatch(byId.stdout + byDns.stdout, /already/);
    const stillBy = await line.run(['revoke', 'lift', first]);
    assert.match(stillBy.stdout, new RegExp(`is lifted: still refused by ${idOf(twice)}$`, 'm'));
    const free = await line.run(['revoke', 'lift', `revocation/${idOf(twice)}`]);
    assert.match(free.stdout, /cluster demo-cluster-03\S+ is lifted: no revocation names it any more$/m);
    assert.equal((await line.gateway.send({ path, certificate })).status, 200);

    // Whoever revokes what they ask with is asked.
    const own = ['--certificate', line.environment['API_CERT_FILE'] ?? ''];
    const careless = await revoke(...own);
    assert.deepEqual([careless.code, /--yes revokes it all the same/.test(careless.stderr)], [6, true]);
    const asked = line.terminal(['revoke', ...own, '--reason', 'mine']);
    await asked.shows('Only "yes" does');
    asked.type('no\r');
    assert.equal((await asked.ended).code, 6);
    assert.equal((await line.run(['cluster', 'list'])).code, 0);
    const meant = await revoke(...own, '--yes');
    assert.deepEqual([meant.code, meant.stderr], [0, '']);
    assert.equal((await line.run(['cluster', 'list'])).code, 3);
  });
});

describe('a plan that wants a second person', () => {
  it('ends with 7, is listed, shown and approved by somebody else, and carried out by the same command again', async (t) => {
    const secondPerson = readFileSync(join(PROJECT, 'policy/examples/second-person.cedar'), 'utf8');
    const line = await startCommandLine(t, { prepare: withPolicy(secondPerson) });
    const put = async (
      name: string,
      groups: readonly string[],
    ): Promise<Readonly<Record<string, string>>> => {
      const { chainPem, keyPem } = await line.gateway.pki.operator(`${name}@example.com`, groups);
      const path = join(line.directory, name);
      await writeFile(`${path}.crt`, chainPem);
      await writeFile(`${path}.key`, keyPem, { mode: 0o600 });
      return { API_CERT_FILE: `${path}.crt`, API_KEY_FILE: `${path}.key` };
    };
    const kim = await put('kim', ['fluxgate:approver']);
    const unassign = ['namespace', 'unassign', 'podinfo', '--cluster', 'demo-cluster-03'];
    const patch = ['cluster', 'patch', 'demo-cluster-03', '--patch', '{"namespaces": []}'];
    assert.equal((await line.run(unassign)).code, 0, 'that cluster does not have it: nothing is different');
    const plan = await line.run([...patch, '--dry-run', '-o', 'json']);
    const { plan_hash: hash } = JSON.parse(plan.stdout) as { plan_hash: string };
    const asked = await line.run([...patch, '--yes', '--plan-hash', hash]);
    assert.equal(asked.code, 7, asked.stderr);
    assert.match(asked.stderr, new RegExp(`^ {2}fluxgate plan approve ${hash}$`, 'm'));
    assert.match(asked.stderr, new RegExp(`^ {2}fluxgate cluster patch .* --yes --plan-hash ${hash}$`, 'm'));
    assert.match(
      (await line.run(['plan', 'list'])).stdout,
      new RegExp(`prod +1 +yes +operator:sam@example.com .*${hash}`),
    );
    assert.match((await line.run(['plan', 'show', hash], kim)).stdout, /namespaces: 2 → 0 inputs/);
    assert.equal((await line.run(['plan', 'approve', hash])).code, 3, 'not who asked');
    const approved = await line.run(['plan', 'approve', hash], kim);
    assert.deepEqual(
      [approved.code, /^approved, until .*sam@example.com can now/.test(approved.stdout)],
      [0, true],
    );
    const done = await line.run([...patch, '--yes', '--plan-hash', hash]);
    assert.deepEqual([done.code, done.stdout], [0, 'cluster/demo-cluster-03 changed\n'], done.stderr);
    assert.equal((await line.run(['plan', 'show', '../../clusters'])).code, 78);
  });
});
