/** A CRL that is known to be its issuer's, and how it stands at a moment. */

import type { CertificateFacts } from './certificate.ts';
import type { CrlFacts } from './crl.ts';

export const CRL_POLICIES = Object.freeze(['require-fresh', 'prefer-fresh'] as const);
export type CrlPolicy = (typeof CRL_POLICIES)[number];

/** A CRL whose signature was verified. */
export interface BoundCrl {
  readonly facts: CrlFacts;
  /** The certificate of a bundle whose key signed it. */
  readonly issuer: CertificateFacts;
  /** The file's name, for people. */
  readonly source: string;
  /** In no file any more: remembered from an earlier snapshot. */
  readonly remembered: boolean;
}

export interface CrlState {
  readonly crl: BoundCrl;
  /** The next of the same issuer and scope that is yet to begin, where `crl` has begun. */
  readonly next?: BoundCrl | undefined;
  readonly status: 'fresh' | 'ending' | 'stale' | 'future';
}

const DAY_MS = 86_400_000;

/** Warned about in the last quarter of its life, at most a day before its end: a list of a day is renewed every few hours. */
function warnFrom({ facts }: BoundCrl): number {
  return facts.nextUpdate - Math.min((facts.nextUpdate - facts.thisUpdate) / 4, DAY_MS);
}

/** Both seconds belong to a list's life. Written so that a clock that is no number makes every list stale. */
export const isStale = ({ nextUpdate }: CrlFacts, nowMs: number): boolean =>
  !(Math.floor(nowMs / 1000) <= Math.floor(nextUpdate / 1000));

export function stateOf(crl: BoundCrl, next: BoundCrl | undefined, nowMs: number): CrlState {
  if (isStale(crl.facts, nowMs)) return { crl, next, status: 'stale' };
  return { crl, next, status: nowMs >= warnFrom(crl) ? 'ending' : 'fresh' };
}
