import { LIMITS } from '../limits.ts';
import { intervalMs, type PollRecord, type RefusedAttempt, type RouteRecord } from './polls.ts';

/** From worst to best, which is the order in which a cluster's routes decide about it. `never` is a cluster's only. */
export const FLEET_STATES = Object.freeze(['refused', 'overdue', 'behind', 'never', 'current'] as const);
export type FleetState = (typeof FLEET_STATES)[number];

export interface RouteStatus {
  readonly route: string;
  readonly record: RouteRecord;
  readonly state: FleetState;
  /** Why it is `refused`. */
  readonly refusal: RefusedAttempt | undefined;
}

export interface ClusterStatus {
  readonly state: FleetState;
  /** Newest of all routes. */
  readonly lastPollMs: number | undefined;
  readonly refusal: (RefusedAttempt & { readonly route: string }) | undefined;
  readonly routes: readonly RouteStatus[];
}

export interface Situation {
  readonly nowMs: number;
  /** Whether what the route answers now is not what was last polled. */
  isBehind(route: string): boolean;
  /** The latest attempt that may have been the cluster's, by a stranger's word; undefined: there is none. */
  rumour(route: string): RefusedAttempt | undefined;
}

/** How long nobody is missed: three intervals, and 20 minutes because a client that failed backs off to 15. */
export function overdueAfterMs(interval: number | undefined): number {
  return Math.max(3 * (interval ?? LIMITS.pollIntervalMsDefault), LIMITS.overdueMsMin);
}

/** `routes`: all there are, in the order in which they are told. */
export function clusterStatus(
  record: PollRecord,
  routes: readonly string[],
  situation: Situation,
): ClusterStatus {
  // Of 10,000 clusters each is looked at for one view: this makes no list that it can do without.
  const { nowMs } = situation;
  // Anybody can claim a name. It is believed of those alone who are not heard of at all, of whom it says why that may be.
  let silent = true;
  let lastPollMs: number | undefined;
  for (const one of Object.values(record)) {
    if (one.polls !== undefined) lastPollMs = Math.max(lastPollMs ?? one.polls.lastMs, one.polls.lastMs);
    if (silent && !isMissing(one, nowMs)) silent = false;
  }
  const told: RouteStatus[] = [];
  let state: FleetState | undefined;
  let refusal: ClusterStatus['refusal'];
  for (const route of routes) {
    const claim = silent ? situation.rumour(route) : undefined;
    const rumour = claim !== undefined && claim.atMs > (lastPollMs ?? 0) ? claim : undefined;
    const status = routeStatus(route, record[route] ?? NOTHING, situation, rumour);
    if (status === undefined) continue;
    told.push(status);
    if (state === undefined || FLEET_STATES.indexOf(status.state) < FLEET_STATES.indexOf(state)) {
      state = status.state;
    }
    if (status.refusal !== undefined && status.refusal.atMs > (refusal?.atMs ?? Number.NEGATIVE_INFINITY)) {
      refusal = { ...status.refusal, route };
    }
  }
  return { state: state ?? 'never', lastPollMs, refusal, routes: told };
}

const NOTHING: RouteRecord = Object.freeze({});

/**
 * Until when at least (milliseconds since the epoch) a state stays what it is for as long as nobody polls, is refused or changes the fleet:
 * nobody is missed before. undefined: nothing is heard of the cluster, and a stranger's word may change it at any time.
 */
export function settledUntilMs(record: PollRecord, nowMs: number): number | undefined {
  let until: number | undefined;
  for (const { polls } of Object.values(record)) {
    if (polls === undefined) continue;
    const soonestMs = polls.lastMs + LIMITS.overdueMsMin;
    const missedMs = soonestMs >= nowMs ? soonestMs : polls.lastMs + overdueAfterMs(intervalMs(polls));
    if (missedMs >= nowMs) until = Math.min(until ?? missedMs, missedMs);
  }
  return until;
}

const isMissing = ({ polls }: RouteRecord, nowMs: number): boolean =>
  polls === undefined ||
  (nowMs - polls.lastMs > LIMITS.overdueMsMin && nowMs - polls.lastMs > overdueAfterMs(intervalMs(polls)));

/** undefined: there was never a poll, and no refusal is known. */
function routeStatus(
  route: string,
  record: RouteRecord,
  { nowMs, isBehind }: Situation,
  rumour: RefusedAttempt | undefined,
): RouteStatus | undefined {
  const { polls, refused } = record;
  const is = (state: FleetState, refusal?: RefusedAttempt): RouteStatus => ({
    route,
    record,
    state,
    refusal,
  });
  const since = polls?.lastMs ?? Number.NEGATIVE_INFINITY;
  const latest = [refused, rumour].find((one) => one !== undefined && one.atMs > since);
  if (latest !== undefined) return is('refused', latest);
  if (polls === undefined) return undefined;
  if (isMissing(record, nowMs)) return is('overdue');
  return is(isBehind(route) ? 'behind' : 'current');
}
