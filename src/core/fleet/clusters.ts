import type { ErrorDetail } from '../errors.ts';
import { isCanonicalDnsName } from '../identity/names.ts';
import { isRecord, pointer, present, sortedMap } from './canonical.ts';
import type { FleetReference, KindDefinition, RawObject } from './kind.ts';
import type { Cluster, ClusterState, ComponentAssignment, FleetKind, Reference } from './objects.ts';
import { duplicateIds } from './rules.ts';

/** The cluster as its schema lets it in: lists and maps may be absent. */
type RawCluster = Omit<
  Cluster,
  'platform_components' | 'namespaces' | 'rolebindings' | 'patches' | 'state'
> & {
  readonly state?: ClusterState;
} & Partial<Pick<Cluster, 'platform_components' | 'namespaces' | 'rolebindings' | 'patches'>>;

/** flux-client: a key outside this set breaks every input of a ResourceSet, or injects YAML into its template. */
const PATCH_KEY = /^[-._a-zA-Z0-9]+$/;

export const CLUSTERS: KindDefinition<'cluster'> = Object.freeze({
  kind: 'cluster',
  title: 'cluster',
  collection: 'clusters',
  schema: 'Cluster',
  fields: Object.freeze([
    'id',
    'cluster_name',
    'cluster_dns',
    'environment',
    'node_count',
    'vm_image',
    'k0s_version',
    'labels',
    'platform_components',
    'namespaces',
    'rolebindings',
    'patches',
    'secret_refs',
    'filter_limit',
    'state',
  ] as const),
  filters: Object.freeze(['cluster_dns', 'environment', 'label']),
  unique: Object.freeze(['cluster_dns'] as const),
  refersTo: Object.freeze(['platform_component', 'namespace', 'rolebinding'] as const),
  normalise,
  rules,
  references,
  settle,
});

function normalise(checked: RawObject): Cluster {
  const raw = checked as unknown as RawCluster;
  return {
    id: raw.id,
    cluster_name: raw.cluster_name,
    cluster_dns: raw.cluster_dns,
    environment: raw.environment,
    ...present({ node_count: raw.node_count, vm_image: raw.vm_image, k0s_version: raw.k0s_version }),
    ...ownLabels(raw.labels),
    platform_components: (raw.platform_components ?? []).map(assignment),
    namespaces: (raw.namespaces ?? []).map(reference),
    rolebindings: (raw.rolebindings ?? []).map(reference),
    patches: sortedMap(
      Object.fromEntries(Object.entries(raw.patches ?? {}).map(([id, patch]) => [id, sortedMap(patch)])),
    ),
    ...present({
      secret_refs: secretRefs(raw.secret_refs),
      filter_limit: raw.filter_limit,
      state: raw.state === 'active' ? undefined : raw.state,
    }),
  };
}

/** No reference at all is the same as none of them. */
function secretRefs(raw: Cluster['secret_refs']): Cluster['secret_refs'] {
  const components = Object.entries(raw ?? {}).filter(([, refs]) => Object.keys(refs).length > 0);
  if (components.length === 0) return undefined;
  const canonical = components.map(([id, refs]) => {
    const named = Object.entries(refs).map(([key, ref]) => [key, { name: ref.name, key: ref.key }] as const);
    return [id, sortedMap(Object.fromEntries(named))] as const;
  });
  return sortedMap(Object.fromEntries(canonical));
}

/** For selection only; no label is like no labels. */
function ownLabels(labels: Cluster['labels']): Pick<Cluster, 'labels'> {
  return labels === undefined || Object.keys(labels).length === 0 ? {} : { labels: sortedMap(labels) };
}

function assignment(raw: ComponentAssignment): ComponentAssignment {
  return {
    id: raw.id,
    enabled: raw.enabled,
    ...present({ oci_tag: raw.oci_tag, component_path: raw.component_path }),
  };
}

function reference(raw: Reference): Reference {
  return { id: raw.id };
}

function rules(cluster: Cluster): ErrorDetail[] {
  return [
    ...dnsRule(cluster),
    ...duplicateIds('platform_components', idsOf(cluster.platform_components), 'id'),
    ...duplicateIds('namespaces', idsOf(cluster.namespaces), 'id'),
    ...duplicateIds('rolebindings', idsOf(cluster.rolebindings), 'id'),
    ...keyRules(cluster, 'patches', cluster.patches),
    ...keyRules(cluster, 'secret_refs', cluster.secret_refs ?? {}),
    ...doublyGiven(cluster),
    ...secretKeyRules(cluster),
  ];
}

function dnsRule(cluster: Cluster): ErrorDetail[] {
  if (isCanonicalDnsName(cluster.cluster_dns)) return [];
  const problem =
    'must be a canonical DNS name: lower case, no trailing dot, labels of letters, digits and inner hyphens';
  return [{ field: '/cluster_dns', problem }];
}

/** One key of one component has one value: a patch, or what is in a Secret. */
function doublyGiven({ patches, secret_refs: refs = {} }: Cluster): ErrorDetail[] {
  return Object.entries(refs).flatMap(([id, keys]) =>
    Object.keys(keys)
      .filter((key) => Object.hasOwn(patches, id) && Object.hasOwn(patches[id] ?? {}, key))
      .map((key) => ({
        field: pointer('secret_refs', id, key),
        problem: `must not be in patches as well: remove ${pointer('patches', id, key)}`,
      })),
  );
}

/** Kubernetes has files of these names, and refuses more dots at the start of a key. */
function secretKeyRules({ secret_refs: refs = {} }: Cluster): ErrorDetail[] {
  return Object.entries(refs).flatMap(([id, keys]) =>
    Object.entries(keys)
      .filter(([, ref]) => ref.key === '.' || ref.key.startsWith('..'))
      .map(([key]) => ({
        field: pointer('secret_refs', id, key, 'key'),
        problem: 'must not be "." nor begin with "..": no Secret has such a key',
      })),
  );
}

function keyRules(
  cluster: Cluster,
  map: 'patches' | 'secret_refs',
  byComponent: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
): ErrorDetail[] {
  const assigned = new Set(idsOf(cluster.platform_components));
  return Object.entries(byComponent).flatMap(([id, patch]) => {
    const field = pointer(map, id);
    if (!assigned.has(id)) {
      return [
        {
          field,
          problem: `must name a component of platform_components: assign it, or remove these ${map === 'patches' ? 'patches' : 'references'}`,
        },
      ];
    }
    return Object.keys(patch)
      .filter((key) => !PATCH_KEY.test(key))
      .map((key) => ({
        field: pointer(map, id, key),
        problem: 'must have a key of letters, digits, ".", "_" and "-" only',
      }));
  });
}

function references(cluster: Cluster): FleetReference[] {
  const mentions = (list: string, kind: FleetKind, ids: readonly string[]): FleetReference[] =>
    ids.map((id, position) => ({ field: pointer(list, position, 'id'), list, position, kind, id }));
  return [
    ...mentions('platform_components', 'platform_component', idsOf(cluster.platform_components)),
    ...mentions('namespaces', 'namespace', idsOf(cluster.namespaces)),
    ...mentions('rolebindings', 'rolebinding', idsOf(cluster.rolebindings)),
  ];
}

/** Patches of the components that this change unassigns go with them, unless the change speaks of patches itself. */
function settle(before: Cluster, after: RawObject, named: ReadonlySet<string>): RawObject {
  const { platform_components: components } = after;
  const kept = new Set((Array.isArray(components) ? components : []).map((entry: unknown) => idIn(entry)));
  const unassigned = new Set(idsOf(before.platform_components).filter((id) => !kept.has(id)));
  const settled = { ...after };
  for (const map of ['patches', 'secret_refs'] as const) {
    const entries = after[map];
    if (named.has(map) || !isRecord(entries)) continue;
    settled[map] = Object.fromEntries(Object.entries(entries).filter(([id]) => !unassigned.has(id)));
  }
  return settled;
}

/** `after` has not met its schema yet: an entry may be anything. */
function idIn(entry: unknown): unknown {
  return isRecord(entry) ? entry.id : undefined;
}

function idsOf(list: readonly Reference[]): string[] {
  return list.map((entry) => entry.id);
}
