import { LIMITS } from '../limits.ts';
import type { KeyConflict, PinState, RetiredKey } from './pins.ts';

/**
 * What two processes know of one cluster's keys, as one: what either would know, had it seen the requests of both. Commutative and
 * idempotent, so that those who tell each other come to the same. Returns `a` itself where `b` adds nothing.
 */
export function mergePins(a: PinState, b: PinState): PinState {
  const [older, newer] = inOrder(a, b);
  const same = a.spkiSha256 === b.spkiSha256;
  // The key that was seen first by somebody later is, of two firsts, a renewal.
  const left: readonly RetiredKey[] = same
    ? []
    : [{ spkiSha256: older.spkiSha256, retiredMs: newer.sinceMs }];
  const merged: PinState = Object.freeze({
    spkiSha256: newer.spkiSha256,
    sinceMs: same ? Math.min(a.sinceMs, b.sinceMs) : newer.sinceMs,
    retired: mergeRetired([...left, ...a.retired, ...b.retired], newer.spkiSha256),
    conflict: mergeConflicts(mergeConflicts(a.conflict, b.conflict), cameBack(newer, older)),
  });
  return isSame(merged, a) ? a : merged;
}

/** Who knows the other's key as one that was left behind knows more; else it is a matter of time. */
function inOrder(a: PinState, b: PinState): readonly [older: PinState, newer: PinState] {
  const [aLeftB, bLeftA] = [retiredIn(a, b), retiredIn(b, a)];
  if ((aLeftB === undefined) !== (bLeftA === undefined)) return aLeftB === undefined ? [a, b] : [b, a];
  if (a.sinceMs !== b.sinceMs) return a.sinceMs < b.sinceMs ? [a, b] : [b, a];
  return a.spkiSha256 < b.spkiSha256 ? [a, b] : [b, a];
}

const retiredIn = (state: PinState, { spkiSha256 }: PinState): RetiredKey | undefined =>
  state.retired.find((key) => key.spkiSha256 === spkiSha256);

/** A retired key that somebody took for the first one of all: used again after its successor was seen. */
function cameBack(newer: PinState, older: PinState): KeyConflict | undefined {
  const retired = retiredIn(newer, older);
  if (retired === undefined || older.sinceMs <= retired.retiredMs) return undefined;
  const { spkiSha256, sinceMs } = older;
  return Object.freeze({ spkiSha256, sinceMs, lastMs: sinceMs, count: 1, newestUsedSince: false });
}

/** A key is retired from the first time on that its successor was seen. */
function mergeRetired(keys: readonly RetiredKey[], current: string): readonly RetiredKey[] {
  const retired = new Map<string, RetiredKey>();
  for (const key of keys) {
    const known = retired.get(key.spkiSha256);
    if (known === undefined || key.retiredMs < known.retiredMs) retired.set(key.spkiSha256, key);
  }
  retired.delete(current);
  const latestFirst = [...retired.values()].sort(
    (x, y) => y.retiredMs - x.retiredMs || (x.spkiSha256 < y.spkiSha256 ? -1 : 1),
  );
  return Object.freeze(latestFirst.slice(0, LIMITS.retiredKeysMax));
}

function mergeConflicts(a: KeyConflict | undefined, b: KeyConflict | undefined): KeyConflict | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  const later = a.lastMs === b.lastMs ? (a.spkiSha256 < b.spkiSha256 ? b : a) : a.lastMs > b.lastMs ? a : b;
  return Object.freeze({
    spkiSha256: later.spkiSha256,
    sinceMs: Math.min(a.sinceMs, b.sinceMs),
    lastMs: later.lastMs,
    count: Math.max(a.count, b.count),
    newestUsedSince: a.newestUsedSince || b.newestUsedSince,
  });
}

const isSame = (a: PinState, b: PinState): boolean => JSON.stringify(a) === JSON.stringify(b);
