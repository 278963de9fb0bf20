import type { CatalogueKind } from './access.ts';
import type { Cluster, FleetObjects } from './objects.ts';
import { fluxRoute } from './registry.ts';
import { type Catalogue, renderedSlots } from './served.ts';

/** How large a route's answer is. Rendering 10,000 clusters to learn that they are small would take seconds. */

const bytes = (value: unknown): number => Buffer.byteLength(JSON.stringify(value) ?? '', 'utf8');

/** The answer's exact size. */
export function routeBytes(cluster: Cluster, kind: CatalogueKind, catalogue: Catalogue): number {
  return bytes({ inputs: renderedSlots(cluster, kind, catalogue).slots.map((slot) => slot.input()) });
}

/** Never less than routeBytes: each entry whole, the cluster's names in each input, and its document once. */
export function routeBytesBound(cluster: Cluster, kind: CatalogueKind, catalogue: Catalogue): number {
  const assigned = cluster[fluxRoute(kind).assignedIn];
  const names = 6 * (cluster.cluster_name.length + cluster.cluster_dns.length + cluster.environment.length);
  let bound = INPUT_FRAME_BYTES + assigned.length * (INPUT_FRAME_BYTES + names);
  for (const { id } of assigned) bound += entryBytes(catalogue(kind, id));
  if (kind === 'platform_component') {
    bound += textBound(cluster.patches) + textBound(cluster.platform_components);
    bound += textBound(cluster.secret_refs);
  }
  return bound;
}

/** Never less than the octets of a value as JSON: one UTF-16 unit is six of them at most (`\u0000`). Made without the text. */
function textBound(value: unknown): number {
  if (typeof value === 'string') return 2 + 6 * value.length;
  if (typeof value !== 'object' || value === null) return SCALAR_BYTES_MAX;
  let bound = 2;
  if (Array.isArray(value)) {
    for (const part of value) bound += 1 + textBound(part);
    return bound;
  }
  for (const key in value) bound += 4 + 6 * key.length + textBound((value as Record<string, unknown>)[key]);
  return bound;
}

/** A number's longest text. */
const SCALAR_BYTES_MAX = 25;

/** Keys, brackets and commas that an input has and its entry has not. */
const INPUT_FRAME_BYTES = 256;

const sizes = new WeakMap<object, number>();

/** Entries are frozen, and shared by all clusters of a plan. */
function entryBytes(entry: FleetObjects[CatalogueKind]): number {
  let size = sizes.get(entry);
  if (size === undefined) {
    size = bytes(entry);
    sizes.set(entry, size);
  }
  return size;
}
