import { createPlanner, type Refused } from '../core/identity/plan.ts';
import { LIMITS } from '../core/limits.ts';
import { type Snapshot, trustStateOf } from '../core/snapshot.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { createPause } from './pause.ts';
import type { Presentation, Presentations } from './presentations.ts';

/** Tells whom a reload has shut out, before they come: who was accepted with what they last showed, and no more is. */
export interface RefusedLately {
  /** After `after` came into force in place of `before`. One that is asked for later begins anew, from the first `before`. */
  look(before: Snapshot, after: Snapshot): void;
  stop(): void;
}

export function createRefusedLately(presentations: Presentations, clock: Clock, log: Log): RefusedLately {
  let running: { readonly since: Snapshot; stopped: boolean } | undefined;
  return {
    look(before, after) {
      if (running !== undefined) running.stopped = true;
      const run = { since: running?.since ?? before, stopped: false };
      running = run;
      void findRefused(presentations, run, after, clock.now())
        .then((refused) => {
          if (refused.length > 0 && !run.stopped) tell(log, after, refused);
        })
        .catch((error: unknown) => {
          if (!run.stopped) log.error({ err: error }, 'who is refused by the reload was not found out');
        })
        .finally(() => {
          if (running === run) running = undefined;
        });
    },
    stop() {
      if (running !== undefined) running.stopped = true;
    },
  };
}

async function findRefused(
  presentations: Presentations,
  run: { readonly since: Snapshot; readonly stopped: boolean },
  after: Snapshot,
  nowMs: number,
): Promise<readonly (readonly [Presentation, Refused])[]> {
  const refused: (readonly [Presentation, Refused])[] = [];
  // What is judged is the same: most reloads renew a token, a policy or the server's certificate.
  if (run.since.trust === after.trust && listsOf(run.since) === listsOf(after)) return refused;
  await presentations.loaded();
  const plan = createPlanner({
    inForce: trustStateOf(run.since),
    candidate: trustStateOf(after),
    nowMs,
  });
  const since = nowMs - LIMITS.seenLatelyMs;
  const pause = createPause();
  for (const one of presentations.all()) {
    await pause();
    if (run.stopped) return [];
    if (one.credential !== 'certificate' || one.lastSeenMs < since) continue;
    const presented = await presentations.withChain(one);
    if (presented === undefined) continue;
    const verdict = plan(presented);
    if (!verdict.stays && !verdict.refusedNow) refused.push([one, verdict]);
  }
  return refused;
}

const listsOf = ({ crls }: Snapshot): string => crls.crls.map(({ facts }) => facts.sha256).join();

function tell(
  log: Log,
  { generation }: Snapshot,
  refused: readonly (readonly [Presentation, Refused])[],
): void {
  const of = (kind: Presentation['kind']) => {
    const some = refused.filter(([one]) => one.kind === kind);
    const named = some.slice(0, LIMITS.loggedNamesMax);
    return { count: some.length, names: named.map(([{ name }, { rule }]) => `${name} (${rule})`) };
  };
  log.warn(
    { generation, clusters: of('cluster'), operators: of('operator') },
    'seen lately, and refused since this reload',
  );
}
