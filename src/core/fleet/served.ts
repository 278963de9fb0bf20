import type { CatalogueKind } from './access.ts';
import type { RenderedInput } from './kind.ts';
import type { Cluster, ClusterState, FleetObjects } from './objects.ts';
import type { InputSlot, RouteSlots, ServedCluster } from './plan.ts';
import { fluxRoute } from './registry.ts';

/** What a cluster's document and its catalogue entries come to, route by route, as far as a plan must look. */

/** The catalogue as it is at one moment; throws where an entry is not there, for a reference to nothing cannot be stored. */
export type Catalogue = <K extends CatalogueKind>(kind: K, id: string) => FleetObjects[K];

export const stateOf = (cluster: Cluster): ClusterState => cluster.state ?? 'active';

export function servedCluster(
  cluster: Cluster,
  kinds: readonly CatalogueKind[],
  catalogue: Catalogue,
): ServedCluster {
  const { id, cluster_dns, environment } = cluster;
  const state = stateOf(cluster);
  const routes =
    state === 'retired' ? undefined : kinds.map((kind) => renderedSlots(cluster, kind, catalogue));
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
): RouteSlots {
  const { segment, assignedIn, render } = fluxRoute(kind);
  const names = `${cluster.cluster_name}\n${cluster.cluster_dns}\n${cluster.environment}`;
  const slots = cluster[assignedIn].map((assignment, position): InputSlot => {
    const entry = catalogue(kind, assignment.id);
    return {
      id: assignment.id,
      basis: [entry, names, JSON.stringify(assignment), ownPatches(cluster, kind, assignment.id)],
      input: (): RenderedInput => render(cluster, entry, position),
    };
  });
  return { kind, route: segment, slots };
}

/** As text: the documents before and after are two objects, though hardly ever different ones. */
function ownPatches(cluster: Cluster, kind: CatalogueKind, id: string): string | undefined {
  if (kind !== 'platform_component' || !Object.hasOwn(cluster.patches, id)) return undefined;
  return JSON.stringify(cluster.patches[id]);
}
