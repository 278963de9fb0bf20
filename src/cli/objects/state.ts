import { recordOf } from '../api/pages.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import { CLUSTERS, objectPath } from './kinds.ts';
import { tell } from './write.ts';

/** active, frozen, decommissioning or retired; the gateway says which step is one. */
export async function setState(
  context: TerminalContext,
  id: string,
  state: string,
  options: WriteOptions & { readonly reason: string },
): Promise<void> {
  const session = await openSession(context, options);
  const body = { state, reason: options.reason };
  const request = { method: 'POST', path: `${objectPath(CLUSTERS, id)}/state`, body } as const;
  const answer = await carryOut(context, session, { request }, options);
  if (answer !== undefined) tell(context, CLUSTERS, recordOf(answer), 'changed', options);
}
