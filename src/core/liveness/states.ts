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
  const told = routes.flatMap((route) => {
    const status = routeStatus(route, record[route] ?? {}, situation);
    return status === undefined ? [] : [status];
  });
  const state = FLEET_STATES.find((one) => told.some((route) => route.state === one)) ?? 'never';
  const polled = told.flatMap(({ record: { polls } }) => (polls === undefined ? [] : [polls.lastMs]));
  const refusals = told.flatMap(({ route, refusal }) =>
    refusal === undefined ? [] : [{ ...refusal, route }],
  );
  return {
    state,
    lastPollMs: polled.length === 0 ? undefined : Math.max(...polled),
    refusal: refusals.sort((a, b) => b.atMs - a.atMs)[0],
    routes: told,
  };
}

/** undefined: there was never a poll, and no refusal is known. */
function routeStatus(route: string, record: RouteRecord, situation: Situation): RouteStatus | undefined {
  const { polls, refused } = record;
  const lastMs = polls?.lastMs ?? Number.NEGATIVE_INFINITY;
  const is = (state: FleetState, refusal?: RefusedAttempt): RouteStatus => ({
    route,
    record,
    state,
    refusal,
  });
  if (refused !== undefined && refused.atMs > lastMs) return is('refused', refused);
  const missing = polls === undefined || situation.nowMs - lastMs > overdueAfterMs(intervalMs(polls));
  // Anybody can claim a name. It is believed of those alone who are missing anyway, of whom it says why they may be.
  const rumour = missing ? situation.rumour(route) : undefined;
  if (rumour !== undefined && rumour.atMs > lastMs) return is('refused', rumour);
  if (polls === undefined) return undefined;
  if (missing) return is('overdue');
  return is(situation.isBehind(route) ? 'behind' : 'current');
}
