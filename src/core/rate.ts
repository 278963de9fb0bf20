import { boundedMemory } from './bounded-memory.ts';
import { LIMITS } from './limits.ts';

/** How much of something may happen: `burst` at once, and so many a second for ever. */
export interface Rate {
  readonly burst: number;
  readonly perSecond: number;
}

/**
 * Token buckets, one for each key, as the generic cell rate algorithm keeps them (ITU-T I.371, "virtual scheduling"): one
 * number each, no timer. A bucket that is full again says what no bucket says, and is forgotten: of 100,000 clusters that poll every
 * few minutes, hardly one has any. What is forgotten at the bound is the key unused for longest: it was nearly full.
 */
export interface Buckets {
  /** 0: taken. Else nothing is taken, and the milliseconds after which the next one is there. */
  take(key: string, nowMs: number): number;
  /** As many were taken by another process: whatever is left of them counts here as well. */
  takenElsewhere(key: string, count: number, nowMs: number): void;
  /** How many are taken and not yet there again. */
  used(key: string, nowMs: number): number;
  /** How many are kept, of which some may be full again by now. */
  kept(): number;
}

/** So many are not worth a look for those that are full; more would live for long enough to be costly garbage. */
const UNSWEPT_MAX = 128;

/** `nowMs` of each call: milliseconds from any start, never going back. */
export function createBuckets(rate: Rate, keysMax: number = LIMITS.bucketsMax): Buckets {
  const intervalMs = 1_000 / rate.perSecond;
  const depthMs = intervalMs * rate.burst;
  /** The moment at which the bucket is full. */
  const buckets = boundedMemory<string, { fullAt: number }>(keysMax);
  let sweptAt = UNSWEPT_MAX;
  const forgetFull = (nowMs: number): void => {
    buckets.deleteWhere(({ fullAt }) => fullAt <= nowMs);
    // When there are twice as many: so each costs two looks at most, however many are not full. At the bound, where a sixty-fourth goes
    // at once, before each time: what is full goes first.
    sweptAt = Math.min(keysMax, Math.max(UNSWEPT_MAX, buckets.size * 2));
  };
  const fill = (known: { fullAt: number } | undefined, key: string, fullAt: number, nowMs: number): void => {
    if (known !== undefined) {
      known.fullAt = fullAt;
      return;
    }
    if (buckets.size >= sweptAt) forgetFull(nowMs);
    buckets.set(key, { fullAt });
  };
  return {
    take(key, nowMs) {
      const known = buckets.get(key);
      const next = Math.max(known?.fullAt ?? nowMs, nowMs) + intervalMs;
      const waitMs = next - nowMs - depthMs;
      // Sums of fractions: a bucket that is full by less than a thousandth is full.
      if (waitMs > 1e-3) return Math.max(waitMs, 1);
      fill(known, key, next, nowMs);
      return 0;
    },
    takenElsewhere(key, count, nowMs) {
      const known = buckets.get(key);
      fill(known, key, Math.max(known?.fullAt ?? nowMs, nowMs) + count * intervalMs, nowMs);
    },
    used(key, nowMs) {
      return Math.max(0, ((buckets.peek(key)?.fullAt ?? nowMs) - nowMs) / intervalMs);
    },
    kept: () => buckets.size,
  };
}

/**
 * How long the refusal of one more token is held back, after `failures` from the same address that are not forgiven yet. Nothing
 * at first, because a token that was rotated too early shows as a fleet's worth of honest mistakes; then it doubles and doubles.
 */
export function failureDelayMs(failures: number): number {
  const over = failures - LIMITS.failedTokensFree;
  if (over <= 0) return 0;
  const delayMs = LIMITS.failureDelayMsMin * 2 ** (over / LIMITS.failuresPerDoubling);
  return Math.min(Math.round(delayMs), LIMITS.failureDelayMsMax);
}

/** How loaded the process is, and what that closes. Each level includes the one before it. */
export const LOAD_LEVELS = Object.freeze(['none', 'anonymous', 'tokens'] as const);
export type LoadLevel = (typeof LOAD_LEVELS)[number];

/**
 * `delaysMs`: how late the event loop was at the last samples. All of them count by the least: a pause is no load, what stays is
 * (as CoDel tells a burst from a standing queue, RFC 8289 §3.1).
 */
export function loadLevel(delaysMs: readonly number[]): LoadLevel {
  if (delaysMs.length < LIMITS.loadSamples) return 'none';
  const standingMs = Math.min(...delaysMs);
  if (standingMs >= LIMITS.shedTokensDelayMs) return 'tokens';
  return standingMs >= LIMITS.shedAnonymousDelayMs ? 'anonymous' : 'none';
}

/** Whether `level` turns away those whom `asked` names. */
export function sheds(level: LoadLevel, asked: Exclude<LoadLevel, 'none'>): boolean {
  return LOAD_LEVELS.indexOf(level) >= LOAD_LEVELS.indexOf(asked);
}
