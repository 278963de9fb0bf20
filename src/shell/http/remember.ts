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
    // The chain is not read again to be remembered, unless somebody may ask why it was of no use.
    if (presented.recalled && verdict.accepted && error === undefined) {
      memory.recentChains.again(verdict.principal.certificate.sha256, source, clock.now());
      return;
    }
    memory.recentChains.note(presented, verdict.accepted, error !== undefined, source, clock.now());
  };
}
