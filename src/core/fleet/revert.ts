import { isDeepStrictEqual } from 'node:util';
import { FluxgateError } from '../errors.ts';
import { pathOf } from './change-set.ts';
import type { RecordedTransactor } from './history.ts';
import type { ObjectChange } from './plan.ts';
import { boundDetails } from './schemas.ts';

/** More than any fleet has objects. */
const CHANGES_MAX = 1_000_000;
const LATER_NAMED_MAX = 3;

/**
 * What undoes one revision: each object as it was before it. Throws `not_found`, and `conflict` naming each object that is
 * not as the revision left it, with the revisions that changed it since.
 */
export async function changesToRevert(
  revision: number,
  { history, get }: Pick<RecordedTransactor, 'history' | 'get'>,
): Promise<ObjectChange[]> {
  if ((await history.revision(revision)) === undefined) {
    throw new FluxgateError(
      'not_found',
      'There is no such revision, or it is too old. GET /revisions lists them.',
    );
  }
  const { items } = await history.changesOf(revision, CHANGES_MAX, 0);
  const changes: ObjectChange[] = [];
  const conflicts: { field: string; problem: string }[] = [];
  for (const { kind, id, before, after } of items) {
    const now = await get(kind, id);
    if (isDeepStrictEqual(now, after)) {
      changes.push({ kind, id, before: now, after: before });
      continue;
    }
    const later = await history.laterChanges({ kind, id }, revision, LATER_NAMED_MAX);
    const problem = `was changed again by revision ${later.join(', ')}: revert that first`;
    conflicts.push({ field: pathOf({ kind, id }), problem });
  }
  if (conflicts.length === 0) return changes;
  throw new FluxgateError(
    'conflict',
    `Revision ${revision} cannot be reverted: ${conflicts.length} of its objects are not as it left them. Nothing was changed.`,
    { details: boundDetails(conflicts) },
  );
}
