import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import type { FleetTransactor } from '../../src/core/fleet/access.ts';
import type { Cluster, Namespace, PlatformComponent, Rolebinding } from '../../src/core/fleet/objects.ts';
import { compileSchemas, type FleetSchemas } from '../../src/core/fleet/schemas.ts';

/** Sample objects: valid and canonical as they are; each test says only what it is about. */

let compiled: FleetSchemas | undefined;

/** Those of the real openapi.yaml, compiled once for each test file. */
export function fleetSchemas(): FleetSchemas {
  const path = new URL('../../openapi.yaml', import.meta.url);
  compiled ??= compileSchemas(parse(readFileSync(path, 'utf8')));
  return compiled;
}

export function sampleCluster(id: string, fields: Partial<Cluster> = {}): Cluster {
  return {
    id,
    cluster_name: id,
    cluster_dns: `${id}.k8s.example.com`,
    environment: 'dev',
    platform_components: [],
    namespaces: [],
    rolebindings: [],
    patches: {},
    ...fields,
  };
}

export function sampleComponent(id: string, fields: Partial<PlatformComponent> = {}): PlatformComponent {
  return {
    id,
    component_path: `components/${id}`,
    component_version: '1.0.0',
    cluster_env_enabled: false,
    oci_url: `oci://registry.example.com/components/${id}`,
    oci_tag: 'v1.0.0',
    depends_on: [],
    ...fields,
  };
}

export function sampleNamespace(id: string, fields: Partial<Namespace> = {}): Namespace {
  return { id, labels: {}, annotations: {}, ...fields };
}

export function sampleRolebinding(id: string, fields: Partial<Rolebinding> = {}): Rolebinding {
  const subjects = [{ kind: 'Group', name: 'oidc:admins', apiGroup: 'rbac.authorization.k8s.io' }] as const;
  return { id, role: 'view', subjects, ...fields };
}

/** Components a, b (on a), c (on b); namespaces web, db; rolebinding admins; clusters east (all of it) and west (nothing). */
export async function insertSampleFleet(transactor: FleetTransactor): Promise<void> {
  await transactor.insert('platform_component', sampleComponent('a'));
  await transactor.insert('platform_component', sampleComponent('b', { depends_on: ['a'] }));
  await transactor.insert('platform_component', sampleComponent('c', { depends_on: ['b'] }));
  await transactor.insert('namespace', sampleNamespace('web', { labels: { team: 'web' } }));
  await transactor.insert('namespace', sampleNamespace('db'));
  await transactor.insert('rolebinding', sampleRolebinding('admins'));
  const east = sampleCluster('east', {
    environment: 'prod',
    platform_components: [
      { id: 'c', enabled: true },
      { id: 'a', enabled: false, oci_tag: 'v2.0.0', component_path: 'components/a-next' },
    ],
    namespaces: [{ id: 'web' }, { id: 'db' }],
    rolebindings: [{ id: 'admins' }],
    patches: { c: { replicas: '2' } },
  });
  await transactor.insert('cluster', east);
  await transactor.insert('cluster', sampleCluster('west'));
}

/** `count` clusters of 20 components, 20 namespaces and 10 rolebindings each: a large fleet of ordinary clusters. */
export async function insertLargeFleet(transactor: FleetTransactor, count: number): Promise<void> {
  const ids = (prefix: string, howMany: number): string[] =>
    Array.from({ length: howMany }, (_, i) => `${prefix}-${String(i).padStart(2, '0')}`);
  const components = ids('component', 20);
  const namespaces = ids('namespace', 20);
  const rolebindings = ids('rolebinding', 10);
  for (const id of components) await transactor.insert('platform_component', sampleComponent(id));
  for (const id of namespaces)
    await transactor.insert('namespace', sampleNamespace(id, { labels: { team: id } }));
  for (const id of rolebindings) await transactor.insert('rolebinding', sampleRolebinding(id));
  for (let n = 0; n < count; n++) {
    const cluster = sampleCluster(`cluster-${String(n).padStart(6, '0')}`, {
      environment: n % 4 === 0 ? 'prod' : 'dev',
      platform_components: components.map((id) => ({ id, enabled: true })),
      namespaces: namespaces.map((id) => ({ id })),
      rolebindings: rolebindings.map((id) => ({ id })),
      patches: { 'component-00': { replicas: String(n) } },
    });
    await transactor.insert('cluster', cluster);
  }
}
