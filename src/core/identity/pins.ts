/**
 * Which key a cluster's identity belongs to: the first that was seen, then each that a renewal brings. A CA that is tricked
 * into a second certificate for a cluster's name makes a chain in which nothing is wrong; two keys in use at once show it.
 *
 * What this cannot see: a thief who has the cluster's own key, and which of two keys is the thief's.
 */

import { LIMITS } from '../limits.ts';
import type { ClusterPrincipal } from './principal.ts';
import { printableTime } from './printable.ts';
import type { Refusal } from './verdict.ts';

/** What becomes of a key that its cluster has left behind: flagged, or refused as well; `off`: nobody looks. */
export type PinMode = 'observe' | 'enforce' | 'off';

export interface RetiredKey {
  readonly spkiSha256: string;
  /** When its successor was first seen, ms since the epoch. */
  readonly retiredMs: number;
}

/** A key that was used again after its successor had been seen. */
export interface KeyConflict {
  readonly spkiSha256: string;
  readonly sinceMs: number;
  readonly lastMs: number;
  /** Requests with a retired key since `sinceMs`. */
  readonly count: number;
  /** The newest key was used after the retired one came back: both have a user, it is no straggler of a renewal. */
  readonly newestUsedSince: boolean;
}

/** What is remembered of one cluster; frozen, replaced as a whole. */
export interface PinState {
  readonly spkiSha256: string;
  /** When this key was first seen. */
  readonly sinceMs: number;
  /** Latest first, at most `LIMITS.retiredKeysMax`. */
  readonly retired: readonly RetiredKey[];
  readonly conflict: KeyConflict | undefined;
}

/** One list for all clusters that had one key only, of which there may be 100,000. */
export const NONE_RETIRED: PinState['retired'] = Object.freeze([]);

export type PinVerdict =
  | 'first' // no key was known of this cluster
  | 'current'
  | 'promoted' // a key that was never seen: a renewal, so it is the current one from now on
  | 'lingering' // a retired key, in its grace, whose successor has not been used since it came back
  | 'refused'; // a retired key after its grace, or while its successor is in use as well

export interface PinOutcome {
  readonly state: PinState;
  readonly verdict: PinVerdict;
}

/** One more request with this key, by a certificate that is otherwise accepted. Unchanged states are the same object. */
export function observeKey(state: PinState | undefined, spkiSha256: string, nowMs: number): PinOutcome {
  if (state === undefined) {
    return { state: pin(spkiSha256, nowMs, NONE_RETIRED, undefined), verdict: 'first' };
  }
  if (state.spkiSha256 === spkiSha256) return { state: noteNewestUsed(state), verdict: 'current' };
  const retired = state.retired.find((key) => key.spkiSha256 === spkiSha256);
  if (retired !== undefined) return observeRetired(state, retired, nowMs);
  const keys = [{ spkiSha256: state.spkiSha256, retiredMs: nowMs }, ...state.retired];
  return {
    state: pin(spkiSha256, nowMs, keys.slice(0, LIMITS.retiredKeysMax), state.conflict),
    verdict: 'promoted',
  };
}

function observeRetired(state: PinState, retired: RetiredKey, nowMs: number): PinOutcome {
  const { conflict } = state;
  const inGrace = nowMs - retired.retiredMs < LIMITS.pinGraceMs;
  const bothInUse = conflict?.newestUsedSince === true;
  const next: KeyConflict = Object.freeze({
    spkiSha256: retired.spkiSha256,
    sinceMs: conflict?.sinceMs ?? nowMs,
    lastMs: nowMs,
    count: (conflict?.count ?? 0) + 1,
    newestUsedSince: bothInUse,
  });
  return {
    state: pin(state.spkiSha256, state.sinceMs, state.retired, next),
    verdict: inGrace && !bothInUse ? 'lingering' : 'refused',
  };
}

function noteNewestUsed(state: PinState): PinState {
  const { conflict } = state;
  if (conflict === undefined || conflict.newestUsedSince) return state;
  return Object.freeze({ ...state, conflict: Object.freeze({ ...conflict, newestUsedSince: true }) });
}

function pin(
  spkiSha256: string,
  sinceMs: number,
  retired: readonly RetiredKey[],
  conflict: KeyConflict | undefined,
): PinState {
  return Object.freeze({ spkiSha256, sinceMs, retired: Object.freeze(retired), conflict });
}

/** Why this key's request is refused, if it is. The one place that says so, of requests and of questions about them. */
export function refusalByPin(
  { certificate }: ClusterPrincipal,
  outcome: PinOutcome,
  mode: PinMode,
): Refusal | undefined {
  if (mode !== 'enforce' || outcome.verdict !== 'refused') return undefined;
  return Object.freeze({
    rule: 'key_pin',
    position: 'leaf',
    detail: `${describeOutcome(outcome, certificate.spkiSha256)} (PIN_CLUSTER_KEYS=enforce)`,
    sha256: certificate.sha256,
    serial: certificate.serial,
    subject: certificate.subject,
  });
}

const short = (spkiSha256: string): string => `${spkiSha256.slice(0, 16)}…`;

/** What a request with this key would mean, in one line for people. */
export function describeOutcome({ state, verdict }: PinOutcome, spkiSha256: string): string {
  const key = `the key (SPKI sha256 ${short(spkiSha256)})`;
  switch (verdict) {
    case 'first':
      return `${key} is the first of this cluster: it is remembered from its first request on`;
    case 'current':
      return `${key} is the cluster's since ${printableTime(state.sinceMs)}`;
    case 'promoted':
      return `${key} was never seen of this cluster: a renewal, so from its first request on it replaces the one that is remembered`;
    default: {
      const retired = state.retired.find((one) => one.spkiSha256 === spkiSha256);
      const since = retired === undefined ? 'earlier' : `at ${printableTime(retired.retiredMs)}`;
      const grace =
        verdict === 'lingering' ? '; it is in its grace, and its successor was not used since' : '';
      return (
        `${key} was replaced by ${short(state.spkiSha256)} ${since}: two keys of one cluster in use may mean a stolen or ` +
        `cloned identity${grace}`
      );
    }
  }
}
