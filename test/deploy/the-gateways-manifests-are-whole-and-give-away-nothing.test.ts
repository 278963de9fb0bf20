import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseDockerfile } from '../container/dockerfile.ts';
import { refusals } from '../support/crd-rules.ts';
import { kustomize } from '../support/kustomize.ts';
import { find, type Manifest, readManifests } from '../support/manifests.ts';
import { PROJECT } from '../support/spawned.ts';

const DIRECTORY = join(PROJECT, 'deploy/gateway');
const BASE = kustomize(join(DIRECTORY, 'base'));
const WHOLE = kustomize(DIRECTORY);
const ofKind = (objects: readonly Manifest[], kind: string): readonly Manifest[] =>
  objects.filter((one) => one.kind === kind);
const pod = (objects: readonly Manifest[]) => find(objects, 'Deployment', 'fluxgate').spec.template;
const container = (objects: readonly Manifest[]) => pod(objects).spec.containers[0];
const environment = (objects: readonly Manifest[]): Record<string, string> =>
  Object.fromEntries(
    container(objects).env.map(({ name, value }: { name: string; value: string }) => [name, value]),
  );

interface Rule {
  readonly from?: readonly {
    readonly ipBlock?: { readonly cidr: string };
    readonly namespaceSelector?: object;
    readonly podSelector?: object;
  }[];
  readonly ports?: readonly { readonly port: string | number }[];
}
/** Who may reach a port of the gateway, by all policies together; undefined: everybody. */
function reaches(objects: readonly Manifest[], port: string, number: number): readonly unknown[] | undefined {
  const labels = pod(objects).metadata.labels as Record<string, string>;
  const policies = ofKind(objects, 'NetworkPolicy').filter(
    ({ spec }) =>
      spec.policyTypes.includes('Ingress') &&
      Object.entries(spec.podSelector.matchLabels ?? {}).every(([key, value]) => labels[key] === value),
  );
  if (policies.length === 0) return undefined;
  const rules = policies.flatMap(({ spec }) => (spec.ingress ?? []) as Rule[]);
  const open = rules.filter(
    ({ ports }) => ports === undefined || ports.some((one) => [port, number].includes(one.port)),
  );
  if (open.some(({ from }) => from === undefined)) return undefined;
  return open.flatMap(({ from = [] }) => from);
}

/** Who brings the kinds that no cluster has by itself, as the page calls them. */
const BRINGS: Readonly<Record<string, string>> = {
  'cert-manager.io': 'cert-manager',
  'monitoring.coreos.com': 'Prometheus Operator',
};
const brought = (objects: readonly Manifest[]): readonly string[] => [
  ...new Set(
    objects
      .map(({ apiVersion }) => apiVersion.split('/')[0] ?? '')
      .filter((group) => group.includes('.') && !group.endsWith('.k8s.io')),
  ),
];

describe('the gateway’s manifests', () => {
  it('need what the page about them says before its first command, and base needs no Prometheus Operator', () => {
    const page = readFileSync(join(PROJECT, 'docs/deploying-the-gateway.md'), 'utf8');
    const [needs = ''] = page.split('\n## ');
    for (const group of brought(WHOLE)) {
      assert.ok(needs.includes(BRINGS[group] ?? group), `${group} is needed, and the page does not say so`);
    }
    assert.match(needs, /resources: \[\.\.\/deploy\/gateway\/base\]/);
    assert.deepEqual(brought(BASE), ['cert-manager.io']);
  });

  it('are what kubectl makes of them, where there is one', (t) => {
    let text: string;
    try {
      text = execFileSync('kubectl', ['kustomize', DIRECTORY], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      });
    } catch {
      t.skip('no kubectl on this machine');
      return;
    }
    const key = ({ kind, metadata }: Manifest): string => `${kind}/${metadata.name}`;
    const sorted = (objects: readonly Manifest[]): readonly Manifest[] =>
      [...objects].sort((a, b) => key(a).localeCompare(key(b)));
    assert.deepEqual(sorted(WHOLE).map(key), sorted(readManifests(text)).map(key));
    assert.deepEqual(environment(readManifests(text)), environment(WHOLE));
  });

  it('are custom resources as their owners take them', () => {
    for (const kind of ['Certificate', 'Issuer', 'ServiceMonitor'])
      assert.deepEqual(ofKind(WHOLE, kind).flatMap(refusals), [], kind);
    assert.ok(ofKind(WHOLE, 'Certificate').length === 5);
    assert.deepEqual(ofKind(BASE, 'ServiceMonitor'), []);
  });

  it('run as nobody, with nothing: no root, no capability, no token, nothing to write but the store', () => {
    const { spec } = pod(WHOLE);
    const { securityContext } = container(WHOLE);
    assert.equal(spec.containers.length, 1);
    assert.equal(spec.automountServiceAccountToken, false);
    assert.equal(spec.enableServiceLinks, false);
    assert.equal(find(WHOLE, 'ServiceAccount', 'fluxgate')['automountServiceAccountToken'], false);
    assert.deepEqual(spec.securityContext.seccompProfile, { type: 'RuntimeDefault' });
    assert.deepEqual([spec.securityContext.runAsNonRoot, securityContext.runAsNonRoot], [true, true]);
    assert.deepEqual(securityContext.capabilities, { drop: ['ALL'] });
    assert.deepEqual(
      [securityContext.readOnlyRootFilesystem, securityContext.allowPrivilegeEscalation],
      [true, false],
    );
    for (const key of ['hostNetwork', 'hostPID', 'hostIPC', 'shareProcessNamespace'])
      assert.ok(!(key in spec), key);
    const { requests, limits } = container(WHOLE).resources;
    assert.ok(requests.cpu && requests.memory && limits.memory);
    for (const { name, readOnly } of container(WHOLE).volumeMounts)
      assert.equal(readOnly ?? false, name !== 'data', name);
    const [user] =
      parseDockerfile(readFileSync(join(PROJECT, 'Dockerfile'), 'utf8'))
        .stages.at(-1)
        ?.instructions.flatMap(({ name, text }) => (name === 'USER' ? [text.split(':')[0]] : [])) ?? [];
    assert.equal(String(spec.securityContext.runAsUser), user);
    for (const name of ['SANDBOX', 'ALLOW_ROOT']) assert.ok(!(name in environment(WHOLE)), name);
  });

  it('mount of a CA its certificate, never its key, and every file that a variable names', () => {
    const { volumes } = pod(WHOLE).spec;
    const mounts = container(WHOLE).volumeMounts as { name: string; mountPath: string }[];
    const authorities = ofKind(WHOLE, 'Certificate').filter(({ spec }) => spec.isCA);
    assert.equal(authorities.length, 4);
    const files = new Set<string>();
    for (const volume of volumes) {
      const directory =
        mounts.find(({ name }) => name === volume.name)?.mountPath ?? assert.fail(volume.name);
      for (const { key, path } of volume.secret?.items ?? []) {
        files.add(`${directory}/${path}`);
        if (authorities.some(({ spec }) => spec.secretName === volume.secret.secretName))
          assert.equal(key, 'tls.crt');
      }
      assert.ok(
        volume.secret === undefined || volume.secret.items.length > 0,
        'a Secret is never mounted whole',
      );
    }
    for (const [name, value] of Object.entries(environment(WHOLE)))
      if (name.endsWith('_FILE')) assert.ok(files.has(value), `${name}=${value}`);
  });

  it('never have two gateways on one store, and do not hold up the draining of a node', () => {
    const { spec } = find(WHOLE, 'Deployment', 'fluxgate');
    assert.deepEqual([spec.replicas, spec.strategy], [1, { type: 'Recreate' }]);
    assert.deepEqual(find(WHOLE, 'PersistentVolumeClaim', 'fluxgate-data').spec.accessModes, [
      'ReadWriteOncePod',
    ]);
    assert.equal(find(WHOLE, 'PodDisruptionBudget', 'fluxgate').spec.maxUnavailable, 1);
    assert.ok(spec.template.spec.topologySpreadConstraints.length > 0);
  });

  it('ask for its health where a flood of strangers does not reach', () => {
    const { startupProbe, readinessProbe, livenessProbe } = container(WHOLE);
    for (const probe of [startupProbe, readinessProbe])
      assert.equal(probe.exec.command.at(-1), 'healthcheck');
    assert.ok(livenessProbe.tcpSocket.port === 'https');
  });

  it('keep metrics on loopback, or let Prometheus in and neither clusters nor operators', () => {
    assert.match(environment(BASE)['ADMIN_ADDR'] ?? '', /^127\.0\.0\.1:/);
    assert.deepEqual(reaches(BASE, 'metrics', 9090), []);
    assert.match(environment(WHOLE)['ADMIN_ADDR'] ?? '', /^0\.0\.0\.0:9090$/);
    const peers = reaches(WHOLE, 'metrics', 9090) as {
      namespaceSelector: object;
      podSelector: object;
      ipBlock?: object;
    }[];
    assert.equal(peers.length, 1);
    for (const peer of peers) {
      assert.ok(!('ipBlock' in peer) && 'podSelector' in peer);
      assert.deepEqual(peer.namespaceSelector, {
        matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' },
      });
    }
    for (const { spec } of ofKind(WHOLE, 'Service'))
      if (spec.type === 'LoadBalancer')
        assert.deepEqual(
          spec.ports.map((one: { targetPort: string }) => one.targetPort),
          ['https'],
        );
  });

  it('let clusters and operators in by networks that say the same as OPERATOR_NETWORKS, and nothing out', () => {
    const networks = (name: string): readonly string[] =>
      find(WHOLE, 'NetworkPolicy', name).spec.ingress.flatMap(
        ({ from }: { from: { ipBlock: { cidr: string } }[] }) => from.map((peer) => peer.ipBlock.cidr),
      );
    assert.deepEqual(networks('fluxgate-operators'), environment(WHOLE)['OPERATOR_NETWORKS']?.split(','));
    assert.deepEqual(
      networks('fluxgate-clusters'),
      find(WHOLE, 'Service', 'fluxgate').spec.loadBalancerSourceRanges,
    );
    assert.deepEqual(find(WHOLE, 'NetworkPolicy', 'fluxgate-deny').spec, {
      podSelector: {},
      policyTypes: ['Ingress', 'Egress'],
    });
    assert.ok(ofKind(WHOLE, 'NetworkPolicy').every(({ spec }) => spec.egress === undefined));
    assert.equal(
      find(WHOLE, 'Service', 'fluxgate').spec.externalTrafficPolicy,
      'Local',
      'source addresses are kept',
    );
  });

  it('have three CAs under one root, none of which speaks for another, and keep their keys', () => {
    const issuerOf = (name: string): string => find(WHOLE, 'Certificate', name).spec.issuerRef.name;
    const signs = (issuer: string): string => find(WHOLE, 'Issuer', issuer).spec.ca?.secretName;
    for (const name of ['server', 'cluster', 'operator']) {
      assert.equal(signs(issuerOf(`fluxgate-${name}-ca`)), 'fluxgate-root', name);
      assert.equal(find(WHOLE, 'Certificate', `fluxgate-${name}-ca`).spec.privateKey.rotationPolicy, 'Never');
    }
    assert.equal(signs(issuerOf('fluxgate-tls')), 'fluxgate-server-ca');
    assert.ok(
      !JSON.stringify(pod(WHOLE)).includes('fluxgate-root'),
      'the root is no anchor: it would be everybody’s',
    );
  });
});
