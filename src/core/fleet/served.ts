import type { CatalogueKind } from './access.ts';
import type { RenderedInput } from './kind.ts';
import type { Cluster, ComponentAssignment, FleetObjects } from './objects.ts';
import type { InputSlot, RouteSlots, ServedCluster } from './plan.ts';
import { CATALOGUE_KINDS, fluxRoute } from './registry.ts';
import { renderInputs, serialiseInputs } from './render.ts';
import type { RenderedCluster } from './render-cluster.ts';
import { stateOf } from './states.ts';

/** What a cluster's document and its catalogue entries come to, route by route, as far as a plan must look. */

/** The catalogue as it is at one moment; throws where an entry is not there, for a reference to nothing cannot be stored. */
export type Catalogue = <K extends CatalogueKind>(kind: K, id: string) => FleetObjects[K];

/** The answers of a frozen cluster, as they were when it was frozen: the body of each route. */
export type PinnedAnswers = Readonly<Record<CatalogueKind, string>>;

/** Entries that may differ, of a kind; undefined: any may. */
export type MayDiffer = (kind: CatalogueKind) => ReadonlySet<string> | undefined;

const ANY: MayDiffer = () => undefined;

/** `only`: what is looked at. `pinned`: of a frozen cluster. */
export function servedCluster(
  cluster: Cluster,
  kinds: readonly CatalogueKind[],
  catalogue: Catalogue,
  only: MayDiffer = ANY,
  pinned?: PinnedAnswers,
): ServedCluster {
  const { id, cluster_dns, environment } = cluster;
  const state = stateOf(cluster);
  if (pinned !== undefined) {
    const routes = kinds.map((kind) => pinnedSlots(kind, pinned[kind]));
    // The document may say another one meanwhile; the cluster is told so when it is unfrozen.
    const served = routes.flatMap(({ slots }) => slots)[0]?.input()['cluster'] as RenderedCluster | undefined;
    return { id, cluster_dns, environment: served?.environment ?? environment, state, routes };
  }
  const routes =
    state === 'retired'
      ? undefined
      : kinds.map((kind) => renderedSlots(cluster, kind, catalogue, only(kind)));
  return { id, cluster_dns, environment, state, routes };
}

/**
 * A slot says everything that its rendering reads: the entry, the assignment, the patches, and the cluster's own names.
 * Entries are compared by identity, so a catalogue must hand out one object for one id.
 */
export function renderedSlots<K extends CatalogueKind>(
  cluster: Cluster,
  kind: K,
  catalogue: Catalogue,
  only?: ReadonlySet<string>,
): RouteSlots {
  const { segment, assignedIn } = fluxRoute(kind);
  const assigned: readonly Partial<ComponentAssignment>[] = cluster[assignedIn];
  const slots: InputSlot[] = [];
  if (only?.size === 0) return { kind, route: segment, total: assigned.length, slots };
  assigned.forEach(({ id = '' }, position) => {
    if (only === undefined || only.has(id)) slots.push(slotAt(cluster, kind, catalogue, position));
  });
  return { kind, route: segment, total: assigned.length, slots };
}

/** The one at this place of the cluster's list. */
export function slotAt<K extends CatalogueKind>(
  cluster: Cluster,
  kind: K,
  catalogue: Catalogue,
  position: number,
): InputSlot {
  const { assignedIn, render } = fluxRoute(kind);
  const assignment: Partial<ComponentAssignment> = cluster[assignedIn][position] ?? {};
  const { id = '' } = assignment;
  const entry = catalogue(kind, id);
  return {
    id,
    entry,
    assigned: assignedText(assignment),
    apart: JSON.stringify([
      [cluster.cluster_name, cluster.cluster_dns, cluster.environment],
      ownMaps(cluster, kind, id),
    ]),
    input: () => render(cluster, entry, position),
  };
}

/** What an assignment says before the catalogue's word. */
export const assignedText = ({ enabled, oci_tag, component_path }: Partial<ComponentAssignment>): string =>
  JSON.stringify([enabled, oci_tag ?? null, component_path ?? null]);

function pinnedSlots(kind: CatalogueKind, body: string): RouteSlots {
  const { inputs } = JSON.parse(body) as { inputs: readonly RenderedInput[] };
  const slots = inputs.map(
    (input): InputSlot => ({
      id: input.id,
      entry: undefined,
      assigned: '',
      apart: '',
      input: () => input,
    }),
  );
  return { kind, route: fluxRoute(kind).segment, total: slots.length, slots };
}

/** What there is to pin: the bodies of all routes as they are answered now. */
export function answersOf(cluster: Cluster, catalogue: Catalogue): PinnedAnswers {
  const bodies = CATALOGUE_KINDS.map((kind) => {
    const entries = cluster[fluxRoute(kind).assignedIn].map(({ id }) => catalogue(kind, id));
    return [kind, serialiseInputs(renderInputs(kind, { cluster, entries }))] as const;
  });
  return Object.freeze(Object.fromEntries(bodies)) as PinnedAnswers;
}

function ownMaps(cluster: Cluster, kind: CatalogueKind, id: string): readonly unknown[] {
  if (kind !== 'platform_component') return [];
  const { patches, secret_refs: refs } = cluster;
  const patch = Object.hasOwn(patches, id) ? patches[id] : {};
  // A cluster's first reference gives all its inputs the key.
  return refs === undefined ? [patch] : [patch, Object.hasOwn(refs, id) ? refs[id] : {}];
}
