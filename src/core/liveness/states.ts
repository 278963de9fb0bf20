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
  // Anybody can claim a name. It is believed of those alone who are not heard of at all, of whom it says why that may be.
  const silent = Object.values(record).every((one) => isMissing(one, situation.nowMs));
  const polls = Object.values(record).flatMap((one) => (one.polls === undefined ? [] : [one.polls.lastMs]));
  const lastPollMs = polls.length === 0 ? undefined : Math.max(...polls);
  const told = routes.flatMap((route) => {
    const claim = silent ? situation.rumour(route) : undefined;
    const rumour = claim !== undefined && claim.atMs > (lastPollMs ?? 0) ? claim : undefined;
    const status = routeStatus(route, record[route] ?? {}, situation, rumour);
    return status === undefined ? [] : [status];
  });
  const state = FLEET_STATES.find((one) => told.some((route) => route.state === one)) ?? 'never';
  const refusals = told.flatMap(({ route, refusal }) =>
    refusal === undefined ? [] : [{ ...refusal, route }],
  );
  return {
    state,
    lastPollMs,
    refusal: refusals.sort((a, b) => b.atMs - a.atMs)[0],
    routes: told,
  };
}

const isMissing = ({ polls }: RouteRecord, nowMs: number): boolean =>
  polls === undefined || nowMs - polls.lastMs > overdueAfterMs(intervalMs(polls));

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
