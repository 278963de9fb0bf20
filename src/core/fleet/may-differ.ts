import type { CatalogueKind } from './access.ts';
import type { Cluster, ComponentAssignment } from './objects.ts';
import { fluxRoute } from './registry.ts';

/**
 * The entries whose inputs may differ between two documents of one cluster that is served by both; undefined: any of them, or
 * their order. `changed`: the entries of this kind that the catalogue has otherwise. Most changes of 10,000 clusters are of one entry
 * in each, and what is left out here is neither rendered nor compared.
 */
export function mayDiffer(
  before: Cluster,
  after: Cluster,
  kind: CatalogueKind,
  changed: ReadonlySet<string>,
): ReadonlySet<string> | undefined {
  if (before === after) return changed;
  const isCalledTheSame =
    before.cluster_name === after.cluster_name &&
    before.cluster_dns === after.cluster_dns &&
    before.environment === after.environment;
  // The first reference of a cluster gives all its inputs a key.
  if (!isCalledTheSame || (before.secret_refs === undefined) !== (after.secret_refs === undefined))
    return undefined;
  const { assignedIn } = fluxRoute(kind);
  const was: readonly Partial<ComponentAssignment>[] = before[assignedIn];
  const is: readonly Partial<ComponentAssignment>[] = after[assignedIn];
  if (was.length !== is.length) return undefined;
  const differing = new Set(changed);
  for (const [position, one] of was.entries()) {
    const other = is[position];
    if (one.id === undefined || one.id !== other?.id) return undefined;
    const isSame =
      one.enabled === other.enabled &&
      one.oci_tag === other.oci_tag &&
      one.component_path === other.component_path;
    if (!isSame) differing.add(one.id);
  }
  if (kind === 'platform_component') {
    addDiffering(before.patches, after.patches, differing);
    addDiffering(before.secret_refs ?? {}, after.secret_refs ?? {}, differing);
  }
  return differing;
}

/** Maps are canonical, so that the same one is the same text. */
function addDiffering(
  before: Readonly<Record<string, unknown>>,
  after: Readonly<Record<string, unknown>>,
  differing: Set<string>,
): void {
  for (const id of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (JSON.stringify(own(before, id)) !== JSON.stringify(own(after, id))) differing.add(id);
  }
}

const own = (map: Readonly<Record<string, unknown>>, id: string): unknown =>
  Object.hasOwn(map, id) ? map[id] : undefined;
