import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import { refusals } from '../support/crd-rules.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { find, type Manifest, readManifests, reconcile } from '../support/manifests.ts';
import { type Ended, fluxgate } from '../support/spawned.ts';

const GATEWAY = ['--gateway', 'https://fluxgate.example.com'];

test('the manifests of each cluster poll its own routes, and make of the answers what its document says', async (t) => {
  const gateway = await startTestGateway(t);
  const ca = join(gateway.directory, 'ca.pem');
  await writeFile(ca, gateway.serverCaPem);
  const environment = {
    API_URL: `https://localhost:${gateway.port}`,
    API_CA_FILE: ca,
    API_TOKEN: WRITE_TOKEN,
  };
  const run = (...args: string[]): Promise<Ended> =>
    fluxgate(t, ['manifests', ...args], { environment }).ended;

  for (const { id, cluster_dns, environment: tier, ...cluster } of DEMO_SEED.clusters.slice(0, 2)) {
    const { code, stdout, stderr } = await run('--cluster', id, ...GATEWAY);
    assert.deepEqual([code, stderr], [0, '']);
    const set = readManifests(stdout);
    assert.deepEqual(set.flatMap(refusals), []);
    const certificate = await gateway.pki.cluster(cluster_dns);
    const made: Manifest[] = [];
    for (const provider of set.filter(({ kind }) => kind === 'ResourceSetInputProvider')) {
      const path = new URL(provider.spec.url as string).pathname;
      const answer = await gateway.send({ path, certificate });
      assert.equal(answer.status, 200, path);
      const { inputs } = answer.json<{ inputs: Record<string, unknown>[] }>();
      made.push(...reconcile(find(set, 'ResourceSet', provider.metadata.name), inputs));
    }
    assert.deepEqual(made.flatMap(refusals), []);
    const names = (kind: string): readonly string[] =>
      made.filter((one) => one.kind === kind).map(({ metadata }) => metadata.name);
    assert.deepEqual(
      names('Namespace'),
      cluster.namespaces.map((one) => one.id),
    );
    assert.deepEqual(
      names('ClusterRoleBinding'),
      cluster.rolebindings.map((one) => `fleet-${one.id}`),
    );
    const enabled = cluster.platform_components
      .filter((one) => one.enabled)
      .map((one) => `component-${one.id}`);
    assert.deepEqual(names('ResourceSet'), enabled);
    for (const { spec } of made.filter(({ kind }) => kind === 'ResourceSet'))
      for (const { name } of spec.dependsOn ?? [])
        assert.ok(enabled.includes(name as string), 'what is waited for comes');
    const { path } = find(made, 'Kustomization', 'component-podinfo').spec;
    assert.equal(path, tier === 'dev' ? './apps/podinfo-next/dev' : `./apps/podinfo/${tier}`);
  }

  const unknown = await run('--cluster', 'nobody', ...GATEWAY);
  assert.deepEqual([unknown.code, unknown.stdout], [4, '']);
  assert.match(unknown.stderr, /^fluxgate: not_found \(HTTP 404\)/);
});

test('a gateway that a cluster would look for in itself is warned of, on standard error', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-manifests-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'cluster.yaml');
  await writeFile(
    file,
    'id: east\ncluster_name: East\ncluster_dns: east.k8s.example.com\nenvironment: dev\n',
  );
  const run = (args: readonly string[], environment = {}): Promise<Ended> =>
    fluxgate(t, ['manifests', '--file', file, ...args], { environment }).ended;
  // Of the variable that is for whoever asks, on the machine that the gateway is on.
  const taken = await run([], { API_URL: 'https://localhost:8443' });
  assert.equal(taken.code, 0);
  assert.equal(
    taken.stderr,
    'fluxgate: warning: to a cluster, https://localhost:8443 is the cluster itself: say how clusters reach the gateway, --gateway https://HOST\n',
  );
  assert.equal(
    find(readManifests(taken.stdout), 'ResourceSetInputProvider', 'namespaces').spec.url,
    'https://localhost:8443/api/v2/flux/clusters/east.k8s.example.com/namespaces',
    'nothing but manifests is on standard output',
  );
  const said = await run(['--gateway', 'https://gateway.localhost']);
  assert.deepEqual([said.code, /gateway\.localhost is the cluster itself/.test(said.stderr)], [0, true]);
  assert.equal((await run(['--gateway', 'https://localhost.example.com'])).stderr, '');
  assert.equal((await run(['--gateway', 'https://127.0.0.1:8443'])).code, 78, 'an address is no name');
});

test('a document that is not a valid cluster prints nothing, and says what is wrong with it', async (t) => {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-manifests-'));
  t.after(() => rm(directory, { recursive: true }));
  const file = join(directory, 'cluster.yaml');
  const good = 'id: east\ncluster_name: East\ncluster_dns: east.k8s.example.com\nenvironment: dev\n';
  const outcomes: readonly [string, readonly string[], RegExp][] = [
    [good.replace(/east\.k8s.*/, '"east.k8s\\nkind: Secret"'), GATEWAY, /\/cluster_dns/],
    [good.replace('East', '"a\\nb"'), GATEWAY, /\/cluster_name/],
    [`${good}unknown: field\n`, GATEWAY, /\/unknown/],
    [`${good}labels: &a {b: c}\npatches: {x: *a}\n`, GATEWAY, /alias/i],
    [`${good}id: west\n`, GATEWAY, /unique/i],
    ['- just\n- a list\n', GATEWAY, /holds no cluster/],
    [good, [...GATEWAY, '--cluster', 'west'], /is about east/],
    [good, [], /--gateway/],
    [good, [...GATEWAY, '--credential', 'token'], /--gateway-ca/],
  ];
  for (const [document, args, problem] of outcomes) {
    await writeFile(file, document);
    const { code, stdout, stderr } = await fluxgate(t, ['manifests', '--file', file, ...args]).ended;
    assert.deepEqual([code, stdout], [78, ''], document);
    assert.match(stderr, problem);
    assert.doesNotMatch(stderr, /\n\s+at /);
  }
});
