/** Chains for the tests of this folder: one that keeps every rule, and a handle on each thing that a test breaks. */
import { type Minted, type MintRequest, mint } from '../../../certs-dev/mint.ts';
import { type JudgeInput, judge } from '../../../src/core/identity/judge.ts';
import { createTrust, readBundle, type Trust } from '../../../src/core/identity/trust.ts';
import type { Refusal, Verdict } from '../../../src/core/identity/verdict.ts';

/** The moment at which everything here is judged; nothing depends on the clock of the machine. */
export const NOW = Date.UTC(2030, 0, 15, 12, 0, 0);
const HOUR = 3_600_000;
export const DAY = 24 * HOUR;

type Overrides = Partial<MintRequest>;
const validity = { notBefore: new Date(NOW - DAY), notAfter: new Date(NOW + 30 * DAY) };

export const ca = (CN: string, overrides: Overrides = {}): Promise<Minted> =>
  mint({
    subject: { CN },
    ...validity,
    basicConstraints: { ca: true, critical: true },
    keyUsage: ['keyCertSign', 'cRLSign'],
    ...overrides,
  });

export const leaf = (issuer: Minted, overrides: Overrides = {}): Promise<Minted> =>
  mint({
    subject: { CN: 'a client' },
    issuer,
    ...validity,
    basicConstraints: { ca: false },
    keyUsage: ['digitalSignature'],
    extendedKeyUsage: ['clientAuth'],
    subjectAltNames: [{ type: 'dns', value: 'one.k8s.example.com' }],
    ...overrides,
  });

export const bundle = (...members: readonly Minted[]) =>
  readBundle(members.map(({ pem }) => pem).join(''), 'CLUSTER_CA_FILE');

export function trustOf(cluster: readonly Minted[], operator?: readonly Minted[], domain?: string): Trust {
  return createTrust({
    cluster: bundle(...cluster),
    operator:
      operator === undefined
        ? undefined
        : readBundle(operator.map(({ pem }) => pem).join(''), 'OPERATOR_CA_FILE'),
    spiffeTrustDomain: domain,
  });
}

const AGREES = { authorized: true, error: undefined } as const;

export function judged(
  presented: readonly (Minted | Uint8Array)[],
  trust: Trust,
  changes: Partial<JudgeInput> = {},
): Verdict {
  const chain = presented.map((one) => (one instanceof Uint8Array ? one : one.der));
  return judge({ presented: chain, openssl: AGREES, trust, nowMs: NOW, ...changes });
}

/** 'accepted', or the rule that refused: what most tests compare. */
export function ruleOf(verdict: Verdict): string {
  return verdict.accepted ? 'accepted' : verdict.refusal.rule;
}

export function refusalOf(verdict: Verdict): Refusal {
  if (verdict.accepted) throw new Error('accepted, where a refusal was expected');
  return verdict.refusal;
}
