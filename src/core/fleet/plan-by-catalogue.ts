import type { CatalogueKind } from './access.ts';
import type { Cluster, ComponentAssignment } from './objects.ts';
import {
  type ChangeMemory,
  type ClusterPlan,
  entryChange,
  type InputChange,
  type RoutePlan,
} from './plan.ts';
import { fluxRoute } from './registry.ts';
import { assignedText, type Catalogue, slotAt } from './served.ts';
import { stateOf } from './states.ts';

/**
 * The plan of a cluster whose document stays, where the catalogue has `changed` otherwise: the same as planCluster's, of which nearly
 * all of a plan of 10,000 clusters consists. Nothing is rendered that was rendered of another cluster which assigns the entry in the
 * same words, and no order can change. Not for what is pinned.
 */
export function planByCatalogue(
  cluster: Cluster,
  kinds: readonly CatalogueKind[],
  catalogues: { readonly catalogueBefore: Catalogue; readonly catalogueAfter: Catalogue },
  changed: (kind: CatalogueKind) => ReadonlySet<string>,
  memory: ChangeMemory,
): ClusterPlan | undefined {
  const state = stateOf(cluster);
  if (state === 'retired') return undefined;
  const routes: RoutePlan[] = [];
  let served = 0;
  for (const kind of kinds) {
    const { segment: route, assignedIn } = fluxRoute(kind);
    const { length: total } = cluster[assignedIn];
    served += total;
    const inputs = changesOf(cluster, kind, catalogues, changed(kind), memory);
    if (inputs.length === 0) continue;
    routes.push({ route, inputs_before: total, inputs_after: total, reordered: false, inputs });
  }
  if (routes.length === 0) return undefined;
  if (routes.length > 1) routes.sort((a, b) => (a.route < b.route ? -1 : 1));
  const { id, cluster_dns, environment } = cluster;
  return { id, cluster_dns, environment, state, answers: 'stays', served_before: served, routes };
}

function changesOf(
  cluster: Cluster,
  kind: CatalogueKind,
  { catalogueBefore, catalogueAfter }: Parameters<typeof planByCatalogue>[2],
  changed: ReadonlySet<string>,
  memory: ChangeMemory,
): InputChange[] {
  const inputs: InputChange[] = [];
  if (changed.size === 0) return inputs;
  const assigned: readonly Partial<ComponentAssignment>[] = cluster[fluxRoute(kind).assignedIn];
  for (const [position, assignment] of assigned.entries()) {
    const { id = '' } = assignment;
    if (!changed.has(id)) continue;
    const entries = { before: catalogueBefore(kind, id), after: catalogueAfter(kind, id) };
    const change = entryChange(entries, assignedText(assignment), memory, () => [
      slotAt(cluster, kind, catalogueBefore, position),
      slotAt(cluster, kind, catalogueAfter, position),
    ]);
    if (change !== undefined) inputs.push(change);
  }
  return inputs;
}
