import type { Clock } from '../clock.ts';
import type { RecentChains } from '../recent-chains.ts';
import type { Refusals } from '../refusals.ts';
import type { PipelineParts } from './pipeline.ts';

type Record = PipelineParts['record'];

/** After its line in the log a request is remembered, for whoever will ask why: in memory, so nothing waits for it. */
export function rememberRequests(
  log: Record,
  memory: { readonly refusals: Refusals; readonly recentChains: RecentChains; readonly clock: Clock },
): Record {
  return (record, status, error) => {
    log(record, status, error);
    memory.refusals.note(record, status, error);
    const { presented, verdict, source } = record;
    if (presented === undefined || verdict === undefined) return;
    memory.recentChains.note(presented, verdict.accepted, source, memory.clock.now());
  };
}
