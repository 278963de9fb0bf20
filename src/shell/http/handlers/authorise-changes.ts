import { isRecord } from '../../../core/fleet/canonical.ts';
import type { Pause } from '../../../core/fleet/pause.ts';
import type { ObjectChange } from '../../../core/fleet/plan.ts';
import { placeOfObject } from '../../../core/policy/place.ts';
import type { Call } from './handlers.ts';

/**
 * For somebody whose rights may end somewhere in the fleet: each object is decided on as it is, inside the transaction that
 * changes it, and as it would be. So nobody moves a cluster out of their scope or into it, and whatever way a write takes (bulk,
 * import, revert, a dry run of any), it passes here. Throws `forbidden`.
 */
export async function authoriseChanges(
  { authorise, parameters, body }: Pick<Call, 'authorise' | 'parameters' | 'body'>,
  changes: readonly ObjectChange[],
  pause: Pause,
): Promise<void> {
  const named = parameters.path['id'] ?? (isRecord(body) ? body['id'] : undefined);
  const decided = new Set<string>();
  for (const { kind, id, before, after } of changes) {
    await pause();
    for (const object of [before, after]) {
      if (object === undefined) continue;
      // What a change takes along is decided on by where it is: a change of ten thousand clusters asks for a few places.
      const shown = id === named ? id : '';
      const place = placeOfObject(kind, object);
      const key = JSON.stringify([kind, shown, place]);
      if (decided.has(key)) continue;
      authorise({ kind: 'object', objectKind: kind, id: shown, place });
      decided.add(key);
    }
  }
}
