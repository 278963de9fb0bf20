/** The other side of test/corpus/bodies: what Kubernetes and Flux take is not refused. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inspectObject } from '../../../src/core/fleet/check-object.ts';
import { inspectClusters } from '../../../src/core/fleet/inspect-clusters.ts';
import type { Cluster, FleetKind } from '../../../src/core/fleet/objects.ts';
import { fleetSchemas, sampleCluster, sampleComponent } from '../../support/fleet.ts';

function problemsOf(kind: FleetKind, raw: object): readonly string[] {
  const checked = inspectObject(kind, fleetSchemas(), raw);
  return checked.ok ? [] : checked.problems.map(({ field, problem }) => `${field} ${problem}`);
}

test('URLs and tags of artefacts', () => {
  for (const [oci_url, oci_tag] of [
    ['oci://ghcr.io/stefanprodan/charts/podinfo', '6.9.1'],
    ['oci://ghcr.io/a__b/c--d/e.f/', 'v1_2.3-rc.1'],
    ['oci://localhost:5000', '_x'],
    ['oci://[2001:db8::1]:5000/a', 'A'.repeat(128)],
    ['oci://10.0.0.1/a', '1.x'],
    ['https://charts.example.com/Stable/~x', '104.1.0+up1.2.3'],
    ['https://charts.example.com:65535', 'latest'],
  ] as const) {
    assert.deepEqual(problemsOf('platform_component', sampleComponent('a', { oci_url, oci_tag })), []);
  }
});

test('subjects, each of its kind', () => {
  const group = 'rbac.authorization.k8s.io';
  const subjects = [
    { kind: 'User', name: 'alex@example.com', apiGroup: group },
    { kind: 'User', name: 'system:serviceaccount:web:flux' },
    { kind: 'Group', name: 'oidc:Team A', apiGroup: '' },
    { kind: 'ServiceAccount', name: 'flux.reconciler-1', namespace: 'web', apiGroup: '' },
    { kind: 'ServiceAccount', name: '0', namespace: 'web' },
  ];
  assert.deepEqual(problemsOf('rolebinding', { id: 'a', role: 'view', subjects }), []);
});

test('labels and annotations, up to their bounds', () => {
  const labels = {
    'kubernetes.io/metadata.name': 'web',
    'pod-security.kubernetes.io/enforce': 'restricted',
    [`${'a'.repeat(253)}/${'b'.repeat(63)}`]: 'x'.repeat(63),
  };
  const annotations = {
    'fluxcd.controlplane.io/prune': 'disabled',
    'kustomize.toolkit.fluxcd.io/prune': 'disabled',
  };
  assert.deepEqual(problemsOf('namespace', { id: 'web', labels, annotations }), []);
  const octets = (a: string): object => ({ id: 'web', annotations: { a, ab: 'ü' } });
  assert.deepEqual(problemsOf('namespace', octets('x'.repeat(262_144 - 5))), []);
  assert.match(
    String(problemsOf('namespace', octets('x'.repeat(262_144 - 4)))),
    /have 262145 bytes together/,
  );
});

test('a cluster’s own tag is held against the URL that it is for, and not when it was so before', () => {
  const cluster = (oci_tag: string): Cluster =>
    sampleCluster('x', { platform_components: [{ id: 'a', enabled: true, oci_tag }] });
  const inspect = (oci_url: string, tag: string, before: Cluster | undefined): void => {
    const after = cluster(tag);
    const catalogue = (() => sampleComponent('a', { oci_url })) as never;
    const inspection = inspectClusters([{ kind: 'cluster', id: 'x', before, after }]);
    const kinds = ['platform_component'] as const;
    inspection.inspect({ before, after, kinds, catalogueBefore: catalogue, catalogueAfter: catalogue });
    inspection.throwIfRefused();
  };
  inspect('https://charts.example.com', '1.0.0+up2', undefined);
  assert.throws(() => inspect('oci://ghcr.io/a', '1.0.0+up2', undefined), /not valid/);
  assert.throws(() => inspect('oci://ghcr.io/a', '1.0.0+up2', cluster('1.0.0')), /not valid/);
  inspect('oci://ghcr.io/a', '1.0.0+up2', cluster('1.0.0+up2'));
});
