import { recordOf } from '../api/pages.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { tellOutcome } from '../objects/bulk.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import { numberOf } from './read.ts';

export async function revertRevision(
  context: TerminalContext,
  revision: string,
  options: WriteOptions,
): Promise<void> {
  const path = `/revisions/${numberOf(revision)}/revert`;
  const write = {
    request: { method: 'POST', path },
    creates: true,
    reason: true,
    planFirst: true,
    tellsProgress: true,
  } as const;
  const answer = await carryOut(context, await openSession(context, options), write, options);
  if (answer !== undefined) tellOutcome(context, recordOf(answer), options, `revision ${revision} is undone`);
}
