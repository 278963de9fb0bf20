import type { Clock } from '../clock.ts';
import type { RecentChains } from '../recent-chains.ts';
import type { Refusals } from '../refusals.ts';
import type { RecordRequest } from './pipeline.ts';

/** A request is remembered, for whoever will ask why: in memory, so nothing waits for it. */
export function rememberRequests(
  memory: { readonly refusals: Refusals; readonly recentChains: RecentChains },
  clock: Clock,
): RecordRequest {
  return (record, status, error) => {
    memory.refusals.note(record, status, error);
    const { presented, verdict, source } = record;
    if (presented === undefined || verdict === undefined) return;
    memory.recentChains.note(presented, verdict.accepted, error !== undefined, source, clock.now());
  };
}
