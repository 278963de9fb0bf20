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

/** Lists that clusters hold together; where more are different there is little to share. */
const ROUTES_ALIKE_MAX = 1_000;

/** Of ten thousand clusters that a change touches most are changed alike: what is equal is one list for all of them. For one plan. */
export class RoutesAlike {
  readonly #numbers = new Map<InputChange, number>();
  readonly #lists = new Map<string, readonly RoutePlan[]>();

  /** `routes` or a list that is equal to it, of changes that are the same by identity. */
  held(routes: readonly RoutePlan[]): readonly RoutePlan[] {
    if (this.#numbers.size >= ROUTES_ALIKE_MAX || this.#lists.size >= ROUTES_ALIKE_MAX) return routes;
    let key = '';
    for (const { route, inputs_before, inputs_after, reordered, inputs } of routes) {
      key += `${route} ${inputs_before} ${inputs_after} ${reordered}`;
      for (const input of inputs) key += ` ${this.#numberOf(input)}`;
      key += '\n';
    }
    const known = this.#lists.get(key);
    if (known === undefined) this.#lists.set(key, routes);
    return known ?? routes;
  }

  #numberOf(input: InputChange): number {
    const known = this.#numbers.get(input);
    if (known !== undefined) return known;
    this.#numbers.set(input, this.#numbers.size);
    return this.#numbers.size - 1;
  }
}

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
  alike: RoutesAlike,
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
  return {
    id,
    cluster_dns,
    environment,
    state,
    answers: 'stays',
    served_before: served,
    routes: alike.held(routes),
  };
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
