import type { CatalogueKind, FleetTransactor } from './access.ts';
import type { Cluster, FleetKind, FleetObject, PlatformComponent } from './objects.ts';
import type { Pause } from './pause.ts';
import type { ObjectChange } from './plan.ts';
import { assignmentField, isCatalogueKind } from './registry.ts';

/** Takes an object out of all that refer to it, so that it can be deleted in the same transaction. Nothing is written here. */

export async function detachedUsers(
  kind: FleetKind,
  id: string,
  total: number,
  transactor: Pick<FleetTransactor, 'usersOf' | 'get'>,
  pause: Pause,
): Promise<ObjectChange[]> {
  if (!isCatalogueKind(kind)) throw new Error(`${kind} has users that cannot be detached`);
  const changes: ObjectChange[] = [];
  for (const user of (await transactor.usersOf(kind, id, total)).items) {
    const before = await transactor.get(user.kind, user.id);
    if (before === undefined)
      throw new Error(`${user.kind} ${user.id} refers to ${kind} ${id} and is not there`);
    changes.push({ ...user, before, after: detached(user.kind, before, kind, id) });
    await pause();
  }
  return changes;
}

/** The pairs of `userKind` and `user` come from the store. */
function detached(userKind: FleetKind, user: FleetObject, kind: CatalogueKind, id: string): FleetObject {
  if (userKind === 'cluster') return detachedCluster(user as Cluster, kind, id);
  if (userKind === 'platform_component' && kind === 'platform_component') {
    const component = user as PlatformComponent;
    return { ...component, depends_on: component.depends_on.filter((dependency) => dependency !== id) };
  }
  throw new Error(`${userKind} cannot be detached from ${kind}`);
}

/** What hangs on an assignment goes with it. */
function detachedCluster(cluster: Cluster, kind: CatalogueKind, id: string): Cluster {
  const list = assignmentField(kind);
  const kept: readonly { readonly id: string }[] = cluster[list].filter((entry) => entry.id !== id);
  if (kind !== 'platform_component') return { ...cluster, [list]: kept };
  const others = <T>(map: Readonly<Record<string, T>>): Record<string, T> =>
    Object.fromEntries(Object.entries(map).filter(([of]) => of !== id));
  const { secret_refs: refs, ...rest } = { ...cluster, [list]: kept, patches: others(cluster.patches) };
  const left = others(refs ?? {});
  return Object.keys(left).length === 0 ? rest : { ...cluster, ...rest, secret_refs: left };
}
