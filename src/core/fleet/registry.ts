import { CLUSTERS } from './clusters.ts';
import type { AssignmentField, FleetReference, FluxRoute, KindDefinition } from './kind.ts';
import { NAMESPACES } from './namespaces.ts';
import type { FleetKind, FleetObject } from './objects.ts';
import { PLATFORM_COMPONENTS } from './platform-components.ts';
import { ROLEBINDINGS } from './rolebindings.ts';

/** THE table of kinds. A new kind is its file, its type in objects.ts, and its line here. */
const REGISTRY: { readonly [K in FleetKind]: KindDefinition<K> } = Object.freeze({
  cluster: CLUSTERS,
  platform_component: PLATFORM_COMPONENTS,
  namespace: NAMESPACES,
  rolebinding: ROLEBINDINGS,
});

export const FLEET_KINDS: readonly FleetKind[] = Object.freeze(Object.keys(REGISTRY) as FleetKind[]);

export function kindDefinition<K extends FleetKind>(kind: K): KindDefinition<K> {
  return REGISTRY[kind];
}

/** The kind of a path segment such as `platform_components`; undefined: there is no such collection. */
export function kindOfCollection(collection: string): FleetKind | undefined {
  return FLEET_KINDS.find((kind) => REGISTRY[kind].collection === collection);
}

/** The kind that the Flux route of this path segment (such as `platform-components`) renders. */
export function kindOfFluxSegment(segment: string): Exclude<FleetKind, 'cluster'> | undefined {
  return CATALOGUE_KINDS.find((kind) => fluxRoute(kind).segment === segment);
}

export function isCatalogueKind(kind: FleetKind): kind is Exclude<FleetKind, 'cluster'> {
  return REGISTRY[kind].flux !== undefined;
}

/** The kinds that clusters assign, each with a Flux route of its own. */
export const CATALOGUE_KINDS: readonly Exclude<FleetKind, 'cluster'>[] = Object.freeze(
  FLEET_KINDS.filter(isCatalogueKind),
);

export function fluxRoute<K extends Exclude<FleetKind, 'cluster'>>(kind: K): FluxRoute<K> {
  const route = kindDefinition(kind).flux;
  if (route === undefined) throw new Error(`registry: ${kind} has no Flux route`);
  return route;
}

/** The list of a cluster's document that assigns objects of this kind. */
export function assignmentField(kind: Exclude<FleetKind, 'cluster'>): AssignmentField {
  return fluxRoute(kind).assignedIn;
}

/** `object` is of the kind `kind`: the pair comes from one store or one seed, which its type does not say. */
export function referencesOf(kind: FleetKind, object: FleetObject): readonly FleetReference[] {
  return kindDefinition(kind).references(object as never);
}
