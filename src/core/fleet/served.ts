import type { CatalogueKind } from './access.ts';
import type { RenderedInput } from './kind.ts';
import type { Cluster, ClusterState, ComponentAssignment, FleetKind, FleetObjects } from './objects.ts';
import type { InputSlot, RouteSlots, ServedCluster } from './plan.ts';
import { fluxRoute } from './registry.ts';

/** What a cluster's document and its catalogue entries come to, route by route, as far as a plan must look. */

/** The catalogue as it is at one moment; throws where an entry is not there, for a reference to nothing cannot be stored. */
export type Catalogue = <K extends CatalogueKind>(kind: K, id: string) => FleetObjects[K];

/** Kinds hold no slash. */
export const catalogueKey = (kind: FleetKind, id: string): string => `${kind}/${id}`;

export const stateOf = (cluster: Cluster): ClusterState => cluster.state ?? 'active';

/** `only`: the entries that may differ; undefined: any. */
export function servedCluster(
  cluster: Cluster,
  kinds: readonly CatalogueKind[],
  catalogue: Catalogue,
  only?: ReadonlySet<string>,
): ServedCluster {
  const { id, cluster_dns, environment } = cluster;
  const state = stateOf(cluster);
  const routes =
    state === 'retired' ? undefined : kinds.map((kind) => renderedSlots(cluster, kind, catalogue, only));
  return { id, cluster_dns, environment, state, routes };
}

/**
 * The basis of a slot is everything that its rendering reads: the entry, the assignment, the patches, and the cluster's own
 * names. Entries are compared by identity, so a catalogue must hand out one object for one id.
 */
export function renderedSlots<K extends CatalogueKind>(
  cluster: Cluster,
  kind: K,
  catalogue: Catalogue,
  only?: ReadonlySet<string>,
): RouteSlots {
  const { segment, assignedIn, render } = fluxRoute(kind);
  const { cluster_name, cluster_dns, environment } = cluster;
  const assigned: readonly Partial<ComponentAssignment>[] = cluster[assignedIn];
  const slots: InputSlot[] = [];
  for (const [position, { id = '', enabled, oci_tag, component_path }] of assigned.entries()) {
    if (only !== undefined && !only.has(catalogueKey(kind, id))) continue;
    const entry = catalogue(kind, id);
    const own = [enabled, oci_tag, component_path, ownPatches(cluster, kind, id)];
    slots.push({
      id,
      basis: [entry, cluster_name, cluster_dns, environment, ...own],
      input: (): RenderedInput => render(cluster, entry, position),
    });
  }
  return { kind, route: segment, total: assigned.length, slots };
}

/** As text: the documents before and after are two objects, though hardly ever different ones. */
function ownPatches(cluster: Cluster, kind: CatalogueKind, id: string): string | undefined {
  if (kind !== 'platform_component') return undefined;
  const { patches, secret_refs: refs = {} } = cluster;
  const own = [patches, refs].map((map) => (Object.hasOwn(map, id) ? map[id] : undefined));
  return own.every((map) => map === undefined) ? undefined : JSON.stringify(own);
}
