import { isDeepStrictEqual } from 'node:util';
import { FluxgateError } from '../errors.ts';
import { pathOf } from './change-set.ts';
import type { HistoryReader, RecordedTransactor, RevisionChange } from './history.ts';
import type { Pause } from './pause.ts';
import type { ObjectChange } from './plan.ts';
import { boundDetails } from './schemas.ts';

const PAGE = 100;
const LATER_NAMED_MAX = 3;

/**
 * What undoes one revision: each object as it was before it. Throws `not_found`, and `conflict` naming each object that is
 * not as the revision left it, with the revisions that changed it since.
 */
export async function changesToRevert(
  revision: number,
  { history, get }: Pick<RecordedTransactor, 'history' | 'get'>,
  pause: Pause,
): Promise<ObjectChange[]> {
  if ((await history.revision(revision)) === undefined) {
    throw new FluxgateError(
      'not_found',
      'There is no such revision, or it is too old. GET /revisions lists them.',
    );
  }
  const changes: ObjectChange[] = [];
  const conflicts: { field: string; problem: string }[] = [];
  for await (const { kind, id, before, after } of changesOf(revision, history)) {
    await pause();
    const now = await get(kind, id);
    if (isDeepStrictEqual(now, after)) {
      changes.push({ kind, id, before: now, after: before, undoes: revision });
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

async function* changesOf(revision: number, history: HistoryReader): AsyncGenerator<RevisionChange> {
  for (let offset = 0; ; offset += PAGE) {
    const { items } = await history.changesOf(revision, PAGE, offset);
    yield* items;
    if (items.length < PAGE) return;
  }
}
