/** What can take a certificate's word away before its time: the one interface that the search for a path asks. */

import type { CertificateFacts } from './certificate.ts';
import type { RefusalRule } from './verdict.ts';

/** Why a certificate is not accepted although its chain is right. */
export interface RevocationBreach {
  readonly rule: Extract<RefusalRule, 'revoked' | 'crl_stale' | 'crl_not_yet_valid'>;
  /** For the log: one line, certificate text in it already escaped. Says neither who nor where: the path adds that. */
  readonly detail: string;
  /** When time alone may change the answer, ms since the epoch; Infinity: only another snapshot can. */
  readonly retryAt: number;
  /** Which revocation by API it was, so that attempts against it can be counted. */
  readonly revocationId?: string | undefined;
}

/** What is revoked by the name of a cluster, whatever certificate says that it is that cluster. */
export interface RevokedClusters {
  /** `dns` is canonical. */
  cluster(dns: string, nowMs: number): RevocationBreach | undefined;
}

/**
 * One source of revocations, frozen: what it knows belongs to one snapshot. Asked for each certificate of a path whose
 * signatures have been verified up to an anchor, so nobody unknown can make it work; look-ups take constant time.
 */
export interface RevocationCheck {
  /** `issuer` is the next certificate of the path; undefined for the anchor, which nothing above vouches for. */
  check(
    certificate: CertificateFacts,
    issuer: CertificateFacts | undefined,
    nowMs: number,
  ): RevocationBreach | undefined;
  /** Where `check` finds nothing: until when (ms) that may be remembered. Infinity: for as long as this snapshot lasts. */
  holdsUntil(certificate: CertificateFacts, issuer: CertificateFacts | undefined, nowMs: number): number;
}

/** Knows of no revocation. */
export const NO_REVOCATION: RevocationCheck = Object.freeze({
  check: () => undefined,
  holdsUntil: () => Number.POSITIVE_INFINITY,
});

/** All of `checks` as one: the first that speaks against a certificate decides; the earliest end of memory counts. */
export function combineRevocation(checks: readonly RevocationCheck[]): RevocationCheck {
  return Object.freeze<RevocationCheck>({
    check(certificate, issuer, nowMs) {
      for (const one of checks) {
        const breach = one.check(certificate, issuer, nowMs);
        if (breach !== undefined) return breach;
      }
      return undefined;
    },
    holdsUntil: (certificate, issuer, nowMs) =>
      Math.min(...checks.map((one) => one.holdsUntil(certificate, issuer, nowMs)), Number.POSITIVE_INFINITY),
  });
}
