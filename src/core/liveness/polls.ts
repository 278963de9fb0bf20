import { LIMITS } from '../limits.ts';

/**
 * What is known of a cluster's polls. Several processes may serve one fleet, each seeing some of the polls: whatever is recorded
 * merges, in any order and any number of times, to what one process would have recorded (nearly: see `intervalMs`).
 */

export interface PollCredential {
  readonly method: 'certificate' | 'token';
  /** Of a certificate the name in it; of a token its id, or the start of its hash. */
  readonly name: string;
  /** Of the certificate. */
  readonly sha256?: string;
}

/** Times are milliseconds since the epoch. */
export interface RoutePolls {
  readonly lastMs: number;
  /** When the last bursts of polls began, oldest first: from their gaps the interval is told. */
  readonly burstsMs: readonly number[];
  readonly revision: number;
  /** Of the inputs as served: `sha256:` and hex. */
  readonly digest: string;
  /** When these very inputs were first polled. */
  readonly sinceMs: number;
  readonly credential: PollCredential;
  /** User-Agent, escaped. */
  readonly client: string | undefined;
}

/** How an attempt is known to be the cluster's; see shell/refusals.ts. */
export type KnownBy = 'proven' | 'claimed' | 'requested';

export interface RefusedAttempt {
  readonly atMs: number;
  readonly status: number;
  /** For operators: what the log says. */
  readonly reason: string;
  readonly knownBy: KnownBy;
}

/** One of the two at least. */
export interface RouteRecord {
  readonly polls?: RoutePolls;
  /** The latest attempt that was refused, by evidence that only the cluster itself can have given. */
  readonly refused?: RefusedAttempt;
}

/** By the route's path segment. */
export type PollRecord = Readonly<Record<string, RouteRecord>>;

/** One poll that was answered with inputs. */
export type Poll = Omit<RoutePolls, 'burstsMs' | 'sinceMs'>;

/** What mergeRecords would make of the two, without its detours: each poll comes by here. */
export function withPoll(before: RouteRecord | undefined, poll: Poll): RouteRecord {
  const { lastMs, digest } = poll;
  const known = before?.polls;
  // A clock that went back: rare enough for the detour.
  if (known !== undefined && known.lastMs > lastMs) {
    return mergeRoutes(before, { polls: { ...poll, burstsMs: [lastMs], sinceMs: lastMs } });
  }
  const bursts = known?.burstsMs ?? [];
  const isRetry = lastMs - (bursts.at(-1) ?? Number.NEGATIVE_INFINITY) < LIMITS.pollBurstMs;
  const polls: RoutePolls = {
    ...poll,
    burstsMs: isRetry ? bursts : [...bursts.slice(1 - LIMITS.pollBurstsKept), lastMs],
    sinceMs: known?.digest === digest ? known.sinceMs : lastMs,
  };
  return before?.refused === undefined ? { polls } : { polls, refused: before.refused };
}

/** What both know together. */
export function mergeRecords(a: PollRecord, b: PollRecord): PollRecord {
  const merged: Record<string, RouteRecord> = { ...a };
  for (const [route, record] of Object.entries(b)) merged[route] = mergeRoutes(a[route], record);
  return merged;
}

function mergeRoutes(a: RouteRecord | undefined, b: RouteRecord): RouteRecord {
  if (a === undefined) return b;
  const polls = mergePolls(a.polls, b.polls);
  const refused = later(a.refused, b.refused, ({ atMs }) => atMs);
  return { ...(polls === undefined ? {} : { polls }), ...(refused === undefined ? {} : { refused }) };
}

function mergePolls(a: RoutePolls | undefined, b: RoutePolls | undefined): RoutePolls | undefined {
  const newest = later(a, b, ({ lastMs }) => lastMs);
  if (a === undefined || b === undefined || newest === undefined) return newest;
  const sinceMs = a.digest === b.digest ? Math.min(a.sinceMs, b.sinceMs) : newest.sinceMs;
  return { ...newest, sinceMs, burstsMs: burstsOf([...a.burstsMs, ...b.burstsMs]) };
}

function later<T>(a: T | undefined, b: T | undefined, when: (one: T) => number): T | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return when(b) >= when(a) ? b : a;
}

/** A retry, or a second request on a connection that is kept open, is of the same burst. */
function burstsOf(timesMs: number[]): readonly number[] {
  const bursts: number[] = [];
  for (const ms of timesMs.sort((x, y) => x - y)) {
    const last = bursts.at(-1);
    if (last === undefined || ms - last >= LIMITS.pollBurstMs) bursts.push(ms);
  }
  return bursts.slice(-LIMITS.pollBurstsKept);
}

/**
 * The median of the gaps between bursts, so that one outage makes nobody slow; at most a day and an hour, so that nobody is waited for
 * during months because of two polls that lay far apart. undefined: there is no gap yet.
 */
export function intervalMs({ burstsMs }: Pick<RoutePolls, 'burstsMs'>): number | undefined {
  const gaps = burstsMs.slice(1).map((ms, index) => ms - (burstsMs[index] ?? ms));
  if (gaps.length === 0) return undefined;
  gaps.sort((x, y) => x - y);
  // Of two in the middle the lower: an interval that is told too long hides who is missing.
  return Math.min(gaps[Math.floor((gaps.length - 1) / 2)] ?? 0, LIMITS.pollIntervalMsMax);
}

/**
 * Without what cannot be: moments that have not come yet (a clock that was wrong once would keep a cluster current for ever), and
 * routes that the cluster polls no more while it polls others. The record itself, where there is nothing of the kind.
 */
export function pruned(record: PollRecord, nowMs: number): PollRecord {
  const touched = Object.values(record).map(touchedMs);
  const newest = Math.max(0, ...touched);
  const isLate = (ms: number): boolean => newest - ms >= LIMITS.pollRouteForgottenMs;
  if (newest <= nowMs && !touched.some(isLate)) return record;
  const cleaned = Object.entries(record).flatMap(([route, one]) => {
    const past = withoutFuture(one, nowMs);
    return past === undefined ? [] : [[route, past] as const];
  });
  const lastMs = Math.max(0, ...cleaned.map(([, one]) => touchedMs(one)));
  return Object.fromEntries(
    cleaned.filter(([, one]) => lastMs - touchedMs(one) < LIMITS.pollRouteForgottenMs),
  );
}

export const touchedMs = ({ polls, refused }: RouteRecord): number =>
  Math.max(polls?.lastMs ?? 0, refused?.atMs ?? 0);

function withoutFuture({ polls, refused }: RouteRecord, nowMs: number): RouteRecord | undefined {
  const kept: { polls?: RoutePolls; refused?: RefusedAttempt } = {};
  if (polls !== undefined) {
    const burstsMs = polls.burstsMs.filter((ms) => ms <= nowMs);
    const lastMs = Math.min(polls.lastMs, nowMs);
    kept.polls =
      polls.lastMs <= nowMs
        ? polls
        : { ...polls, lastMs, burstsMs, sinceMs: Math.min(polls.sinceMs, lastMs) };
  }
  if (refused !== undefined && refused.atMs <= nowMs) kept.refused = refused;
  return kept.polls === undefined && kept.refused === undefined ? undefined : kept;
}
