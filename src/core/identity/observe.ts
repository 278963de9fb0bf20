/** A CA that is to be trusted one day, watched before it is: what it would let in is known, and still refused. */

import { type JudgeInput, judge } from './judge.ts';
import type { Trust } from './trust.ts';
import type { Verdict } from './verdict.ts';

/**
 * The verdict with, where it is a refusal, whom the observed bundle would have made of the chain. It stays a refusal: nothing
 * here returns an acceptance that was not one before. OpenSSL holds observed CAs in its store only so that clients are told
 * their names, and is therefore not asked about them.
 */
export function withObservation(verdict: Verdict, input: JudgeInput): Verdict {
  const { observed } = input.trust;
  if (verdict.accepted || observed === undefined) return verdict;
  const candidate: Trust = { ...input.trust, cluster: observed, observed: undefined };
  const would = judge({ ...input, trust: candidate, openssl: { authorized: true, error: undefined } });
  const validUntil = Math.min(verdict.validUntil, would.validUntil);
  if (!would.accepted || would.principal.kind !== 'cluster') return Object.freeze({ ...verdict, validUntil });
  return Object.freeze({ ...verdict, validUntil, wouldBe: would.principal });
}
