/** Of each CA of a bundle whether anything under it can be accepted, in the judge's own rules. For people: no verdict asks here. */

import { type CertificateFacts, describeCertificate } from './certificate.ts';
import { mayHaveIssued } from './issuer-match.ts';
import { CERTIFICATE_RULES } from './path-rules.ts';
import type { RevocationCheck } from './revocation.ts';
import { isIssuerSignedBy } from './signature.ts';
import type { TrustBundle } from './trust.ts';
import type { RefusalRule } from './verdict.ts';

/** Why no path of the bundle leads over a CA. */
export interface AuthorityRefusal {
  readonly rule: RefusalRule;
  /** The certificate that the rule refuses: the CA itself, or one above it. */
  readonly sha256: string;
  /** As in the log: one line, certificate text in it already escaped. */
  readonly detail: string;
  /** Where an operator revoked it. */
  readonly revocationId?: string | undefined;
}

/** A CA, who signed it (`undefined`: the bundle's file vouches for it), and what speaks against it there. */
interface Link {
  readonly facts: CertificateFacts;
  readonly issuer: CertificateFacts | undefined;
  readonly refusal: AuthorityRefusal | undefined;
}

/**
 * SHA-256 of each CA of `bundle` that no path leads over at `nowMs` → why: a rule against itself, or, where every issuer it has in
 * the bundle is without a path too, what is against one of those. Rules about whole chains (path length, names) are not asked:
 * whoever is not named here may be refused all the same, and who is named can only be reached by a CA that a client sends along.
 * Yields after each signature.
 */
export function* refusedAuthorities(
  bundle: TrustBundle,
  revocation: RevocationCheck,
  nowMs: number,
): Generator<void, ReadonlyMap<string, AuthorityRefusal>> {
  const links: Link[] = [];
  for (const facts of bundle.certificates) {
    const isAnchor = bundle.anchorFingerprints.has(facts.sha256);
    for (const issuer of isAnchor ? [undefined] : (bundle.bySubject.get(facts.issuer.canonical) ?? [])) {
      yield;
      if (issuer !== undefined && !isIssuer(issuer, facts)) continue;
      const refusal = against(facts, issuer, nowMs, revocation);
      links.push({ facts, issuer, refusal });
    }
  }
  const below = Map.groupBy(links, ({ issuer }) => issuer?.sha256);
  const above = Map.groupBy(links, ({ facts }) => facts.sha256);
  // Grows while it is read; each is in it once, so circles end.
  const reached = new Set<string | undefined>([undefined]);
  for (const from of reached) {
    yield;
    for (const { facts, refusal } of below.get(from) ?? []) {
      if (refusal === undefined) reached.add(facts.sha256);
    }
  }
  const refused = new Map<string, AuthorityRefusal>();
  for (const facts of bundle.certificates) {
    const { sha256 } = facts;
    yield;
    if (!reached.has(sha256)) refused.set(sha256, nearestRefusal(sha256, above) ?? nowhere(facts));
  }
  return refused;
}

const isIssuer = (issuer: CertificateFacts, facts: CertificateFacts): boolean =>
  issuer.sha256 !== facts.sha256 && mayHaveIssued(issuer, facts) && isIssuerSignedBy(facts, issuer);

function against(
  facts: CertificateFacts,
  issuer: CertificateFacts | undefined,
  nowMs: number,
  revocation: RevocationCheck,
): AuthorityRefusal | undefined {
  const { sha256 } = facts;
  const describe = (detail: string): string => `${describeCertificate(facts)}: ${detail}`;
  const breach = revocation.check(facts, issuer, nowMs);
  if (breach !== undefined) {
    return { rule: breach.rule, sha256, detail: describe(breach.detail), revocationId: breach.revocationId };
  }
  for (const { rule, check } of CERTIFICATE_RULES) {
    const detail = check(facts, issuer === undefined ? 'anchor' : 'intermediate', nowMs);
    if (detail !== undefined) return { rule, sha256, detail: describe(detail) };
  }
  return undefined;
}

/** Of those that sign each other in a circle. */
const nowhere = (facts: CertificateFacts): AuthorityRefusal => ({
  rule: 'untrusted',
  sha256: facts.sha256,
  detail: `${describeCertificate(facts)}: no path leads from it to an anchor of its file`,
});

/** On the way up. */
function nearestRefusal(
  sha256: string,
  above: ReadonlyMap<string, readonly Link[]>,
): AuthorityRefusal | undefined {
  const queued = new Set([sha256]);
  for (const one of queued) {
    for (const { issuer, refusal } of above.get(one) ?? []) {
      if (refusal !== undefined) return refusal;
      if (issuer !== undefined) queued.add(issuer.sha256);
    }
  }
  return undefined;
}
