/**
 * The rules of a path (RFC 5280 §6.1, contract §4), each once, as a table: the search applies them, and whoever wants to
 * explain a verdict can walk them and say what each one saw. `check` answers why not, or undefined.
 */

import { type CertificateFacts, describeCertificate } from './certificate.ts';
import { type ComparisonWork, findNameConstraintBreach } from './name-constraints.ts';
import { nameOfOid, OID } from './oids.ts';
import { printableTime } from './printable.ts';
import { weaknessOf } from './public-key.ts';
import type { RevocationCheck } from './revocation.ts';
import type { RefusalRule } from './verdict.ts';

export type PathRole = 'leaf' | 'intermediate' | 'anchor';

export interface CertificateRule {
  readonly rule: RefusalRule;
  readonly check: (facts: CertificateFacts, role: PathRole, nowMs: number) => string | undefined;
}

/** Validity has a resolution of seconds, and both of its ends belong to it (RFC 5280 §4.1.2.5). */
const secondOf = (ms: number): number => Math.floor(ms / 1000);

/** For each certificate of a path, the anchor included; in the order in which their answers help most. No cryptography. */
export const CERTIFICATE_RULES: readonly CertificateRule[] = Object.freeze([
  {
    rule: 'not_yet_valid',
    check: (facts, _role, nowMs) =>
      // Written so that a clock that is no number fails.
      secondOf(nowMs) >= secondOf(facts.notBefore)
        ? undefined
        : `not valid before ${printableTime(facts.notBefore)}; it is ${printableTime(nowMs)}`,
  },
  {
    rule: 'expired',
    check: (facts, _role, nowMs) =>
      secondOf(nowMs) <= secondOf(facts.notAfter)
        ? undefined
        : `expired at ${printableTime(facts.notAfter)}; it is ${printableTime(nowMs)}`,
  },
  {
    rule: 'not_a_ca',
    check: (facts, role) => {
      const ca = facts.basicConstraints?.ca === true;
      if (role === 'leaf') return ca ? 'a CA certificate (basicConstraints cA) used as a client' : undefined;
      return ca ? undefined : 'used as an issuer without basicConstraints cA';
    },
  },
  {
    rule: 'key_usage',
    check: (facts, role) => {
      const needed = role === 'leaf' ? 'digitalSignature' : 'keyCertSign';
      if (facts.keyUsage === undefined || facts.keyUsage.has(needed)) return undefined;
      return `keyUsage is ${[...facts.keyUsage].join(', ') || 'empty'}, without ${needed}`;
    },
  },
  { rule: 'extended_key_usage', check: checkExtendedKeyUsage },
  {
    rule: 'weak_key',
    check: (facts) => {
      const weakness = weaknessOf(facts.publicKey);
      return weakness === undefined ? undefined : `a key that is not accepted: ${weakness}`;
    },
  },
  {
    rule: 'weak_signature',
    check: (facts, role) =>
      // The bundle's file vouches for an anchor, so its own signature decides nothing (nor does OpenSSL look at it).
      role === 'anchor' || facts.signature.algorithm !== undefined
        ? undefined
        : `signed with ${facts.signature.problem}; accepted are SHA-256, SHA-384 and SHA-512 with RSA or ECDSA, and Ed25519`,
  },
  {
    rule: 'unknown_critical_extension',
    check: (facts) =>
      facts.unknownCritical.length === 0
        ? undefined
        : `critical extension ${facts.unknownCritical.slice(0, 4).join(', ')}, which is not processed here`,
  },
  {
    // With user-initial-policy-set any-policy, RFC 5280 §6.1 can fail on policies only once somebody requires an explicit
    // one. We carry no policy tree, so that demand is refused; all else about policies then changes nothing.
    rule: 'certificate_policy',
    check: (facts) => {
      if (facts.requiresExplicitPolicy)
        return 'policyConstraints demands an explicit policy; none is known here';
      return facts.mapsAnyPolicy
        ? 'policyMappings maps to or from anyPolicy (RFC 5280 §6.1.4 (a))'
        : undefined;
    },
  },
]);

function checkExtendedKeyUsage(facts: CertificateFacts, role: PathRole): string | undefined {
  const purposes = facts.extendedKeyUsage;
  if (purposes?.includes(OID.clientAuth) === true) return undefined;
  const seen =
    purposes === undefined
      ? 'no extendedKeyUsage'
      : `extendedKeyUsage ${purposes.slice(0, 6).map(nameOfOid).join(', ')}`;
  // A leaf says so itself: anyExtendedKeyUsage is what certificates for everything and nothing carry.
  if (role === 'leaf') return `${seen}, but a client's certificate needs clientAuth`;
  const unrestricted = purposes === undefined || purposes.includes(OID.anyExtendedKeyUsage);
  return unrestricted ? undefined : `${seen}, so it may not issue certificates for clientAuth`;
}

export interface PathBreach {
  readonly rule: RefusalRule;
  /** Into the path; the leaf is 0. */
  readonly index: number;
  readonly detail: string;
  /** When time alone may mend it, ms since the epoch; absent: never. */
  readonly retryAt?: number;
  readonly revocationId?: string | undefined;
}

/** What the rules of a path are asked with. */
export interface PathWork extends ComparisonWork {
  readonly nowMs: number;
  readonly revocation: RevocationCheck;
}

export interface PathRule {
  readonly rule: RefusalRule;
  /** `path` is leaf first, anchor last, each signed by the next. May throw CertificateRefused (`too_large`). */
  readonly check: (
    path: readonly CertificateFacts[],
    work: PathWork,
  ) => (Omit<PathBreach, 'rule'> & { readonly rule?: RefusalRule }) | undefined;
}

/** For a path as a whole, once its signatures are known to be right. */
export const PATH_RULES: readonly PathRule[] = Object.freeze([
  { rule: 'path_length', check: findPathLengthBreach },
  { rule: 'name_constraints', check: findNameConstraintBreach },
  { rule: 'revoked', check: findRevocation },
]);

/** RFC 5280 §4.2.1.9: how many certificates that are not self-issued may stand between a CA and the leaf. */
function findPathLengthBreach(path: readonly CertificateFacts[]): Omit<PathBreach, 'rule'> | undefined {
  let between = 0;
  for (const [index, facts] of path.entries()) {
    if (index === 0) continue;
    const allowed = facts.basicConstraints?.pathLen;
    if (allowed !== undefined && between > allowed) {
      return {
        index,
        detail: `pathLenConstraint ${allowed}, but ${between} intermediate(s) between ${describeCertificate(facts)} and the leaf`,
      };
    }
    if (!facts.selfIssued) between += 1;
  }
  return undefined;
}

/**
 * RFC 5280 §6.3, for each certificate of the path. On whole paths only: then every certificate that a CRL is looked up for
 * was signed by somebody trusted, and strangers cannot make us verify a large CRL against their keys.
 */
function findRevocation(
  path: readonly CertificateFacts[],
  { revocation, nowMs }: PathWork,
): PathBreach | undefined {
  for (const [index, facts] of path.entries()) {
    const breach = revocation.check(facts, path[index + 1], nowMs);
    if (breach !== undefined) return { index, ...breach };
  }
  return undefined;
}
