/** What the hostile certificates have in common. */
import type { NameValue, RawExtension } from '../../certs-dev/mint-extensions.ts';
import type { RefusalRule } from '../../src/core/identity/verdict.ts';
import type { MintedChain, TestPki } from './pki.ts';

/** The cluster that all of them would be, were they accepted. */
export const HOSTILE_DNS = 'hostile.k8s.example.com';
/** What SPIFFE_TRUST_DOMAIN must be for `onlyWithTrustDomain`. */
export const HOSTILE_TRUST_DOMAIN = 'fleet.example.com';

export interface HostileCase {
  readonly why: string;
  readonly rule: RefusalRule;
  readonly onlyWithTrustDomain?: true;
  readonly clientNeedsSecurityLevel0?: true;
  readonly opensslEndsConnection?: true;
  readonly mint: (pki: TestPki) => Promise<MintedChain>;
}

const DAY_MS = 86_400_000;
export const days = (count: number): Date => new Date(Date.now() + count * DAY_MS);
export const dns = (value: string | Uint8Array): NameValue => ({ type: 'dns', value });

export const UNKNOWN_CRITICAL: RawExtension = Object.freeze({
  oid: '1.3.6.1.4.1.55555.1.2',
  critical: true,
  value: Uint8Array.of(0x05, 0x00),
});
