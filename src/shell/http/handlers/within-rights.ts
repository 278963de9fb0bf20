import type { FleetTransactor } from '../../../core/fleet/access.ts';
import type { FleetKind, FleetObject } from '../../../core/fleet/objects.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { placeOfObject } from '../../../core/policy/place.ts';
import type { Call } from './handlers.ts';

/**
 * The transactor in the hands of somebody whose rights may end somewhere in the fleet: each object that is written is decided
 * on as it is, inside this very transaction, and as it would be. So nobody moves a cluster out of their scope or into it, and
 * whatever way a write takes, it passes here.
 */
export function withinRights<T extends FleetTransactor>(
  transactor: T,
  operation: Operation,
  { authorise }: Call,
): T {
  const decided = new Set<string>();
  const check = (kind: FleetKind, object: FleetObject): void => {
    // What a change takes along is decided on by where it is: a change of ten thousand clusters asks for a few places.
    const id = kind === operation.kind ? object.id : '';
    const place = placeOfObject(kind, object);
    const key = JSON.stringify([kind, id, place]);
    if (decided.has(key)) return;
    authorise({ kind: 'object', objectKind: kind, id, place });
    decided.add(key);
  };
  const checkStored = async (kind: FleetKind, id: string): Promise<void> => {
    const stored = await transactor.get(kind, id);
    if (stored !== undefined) check(kind, stored);
  };
  return {
    ...transactor,
    async insert(kind, object) {
      check(kind, object);
      return transactor.insert(kind, object);
    },
    async replace(kind, object) {
      await checkStored(kind, object.id);
      check(kind, object);
      return transactor.replace(kind, object);
    },
    async remove(kind, id) {
      await checkStored(kind, id);
      return transactor.remove(kind, id);
    },
  };
}
