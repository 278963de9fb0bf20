/**
 * Where OpenSSL looks for a path (x509_vfy.c, build_chain), for plans: nobody can be asked to shake hands for one. It takes an
 * issuer from its store where there is one; else the first that the peer sent and that fits, and never turns back. A peer that
 * sends two certificates of one CA, signed by an old root and by a new one, loses its path with the first of them, though
 * there is another. What requests are judged by is OpenSSL's own answer.
 */

import { LIMITS } from '../limits.ts';
import type { CertificateFacts } from './certificate.ts';
import { mayHaveIssued } from './issuer-match.ts';
import type { Trust } from './trust.ts';

/** Of a chain that our own rules accept: the certificate at which OpenSSL finds no way on. Undefined: it ends in its store. */
export function findOpensslDeadEnd(
  leaf: CertificateFacts,
  presented: readonly CertificateFacts[],
  trust: Trust,
  nowMs: number,
): CertificateFacts | undefined {
  const store = [trust.cluster, ...(trust.operator === undefined ? [] : [trust.operator])];
  const isTrusted = (child: CertificateFacts): boolean =>
    store.some(({ bySubject }) =>
      (bySubject.get(child.issuer.canonical) ?? []).some((issuer) => mayHaveIssued(issuer, child)),
    );
  const followed = [leaf];
  for (;;) {
    const child = followed.at(-1) ?? leaf;
    // With X509_V_FLAG_PARTIAL_CHAIN whatever is in the store ends the path, an intermediate as well.
    if (isTrusted(child)) return undefined;
    // Of those that are not valid now it would take the last to expire; our own rules refuse whoever has no other.
    const next = presented.find(
      (issuer) =>
        !followed.includes(issuer) &&
        mayHaveIssued(issuer, child) &&
        issuer.notBefore <= nowMs &&
        nowMs <= issuer.notAfter,
    );
    if (next === undefined || followed.length > LIMITS.presentedCertificatesMax) return child;
    followed.push(next);
  }
}
