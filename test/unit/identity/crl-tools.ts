import { type CrlRequest, mintCrl } from '../../../certs-dev/mint-crl.ts';
import { readCrl } from '../../../src/core/identity/crl.ts';
import { type CrlSet, createCrlSet, findCrlIssuer } from '../../../src/core/identity/crl-set.ts';
import type { BoundCrl, CrlPolicy } from '../../../src/core/identity/crl-state.ts';
import type { Trust } from '../../../src/core/identity/trust.ts';
import { DAY, NOW } from './pki.ts';

export function drive<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

export type CrlChanges = Partial<CrlRequest> & Pick<CrlRequest, 'issuer'>;

/** In force since a day before NOW, for a week; verified against `trust`. */
export async function boundCrl(trust: Trust, changes: CrlChanges): Promise<BoundCrl> {
  const { der } = await mintCrl({
    thisUpdate: new Date(NOW - DAY),
    nextUpdate: new Date(NOW + 6 * DAY),
    number: 1,
    revoked: [],
    ...changes,
  });
  const facts = drive(readCrl(der));
  return { facts, issuer: drive(findCrlIssuer(facts, trust)), source: 'a.crl', remembered: false };
}

export interface SetChanges {
  readonly previous?: CrlSet;
  readonly policy?: CrlPolicy;
  readonly nowMs?: number;
}

export async function crlSet(
  trust: Trust,
  crls: readonly CrlChanges[],
  changes: SetChanges = {},
): Promise<CrlSet> {
  const bound = await Promise.all(crls.map((crl) => boundCrl(trust, crl)));
  const { previous, policy = 'require-fresh', nowMs = NOW } = changes;
  return createCrlSet({ crls: bound, previous, policy, trust, nowMs });
}
