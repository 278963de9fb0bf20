/** A verified path → exactly one recognised name → a principal. Zero or two names is a refusal, never a choice. */

import type { CertificateFacts } from './certificate.ts';
import type { CertificatePath } from './chain.ts';
import { describeGeneralName, type GeneralName } from './general-name.ts';
import { dnsNameFromOctets, emailFromOctets, readSpiffeUri } from './names.ts';
import type { CertificatePrincipal, CertificateReference } from './principal.ts';
import { printable } from './printable.ts';
import { CertificateRefused } from './refused.ts';

type Kind = CertificatePrincipal['kind'];

/** Bounds of ours: an operator's groups end up in policies, audit rows and log lines. */
const GROUPS_MAX = 32;
const GROUP_CHARACTERS_MAX = 256;

/** What one SAN says; undefined: a form that names nobody here (IP, otherName, a foreign URI, …) and is passed over. */
interface Claim {
  /** Whom it would name. A cluster's DNS name may name an operator, if the operators' CA says so; not the reverse. */
  readonly kind: Kind | 'either';
  /** undefined: of a recognised form, and not canonicalisable. */
  readonly name: string | undefined;
  readonly shown: string;
}

function claimOf(san: GeneralName, kind: Kind, spiffeTrustDomain: string | undefined): Claim | undefined {
  const shown = describeGeneralName(san);
  switch (san.type) {
    case 'dNSName':
      return { kind: 'either', name: dnsNameFromOctets(san.octets), shown };
    case 'rfc822Name':
      // On a cluster's certificate an address is contact information.
      return kind === 'operator' ? { kind, name: emailFromOctets(san.octets), shown } : undefined;
    case 'uniformResourceIdentifier': {
      if (spiffeTrustDomain === undefined) return undefined;
      const reading = readSpiffeUri(san.octets, spiffeTrustDomain);
      if (reading.status === 'foreign') return undefined;
      if (reading.status === 'malformed') return { kind: 'either', name: undefined, shown };
      const { identity } = reading;
      const name = identity.kind === 'cluster' ? identity.dns : identity.uri;
      return { kind: identity.kind, name, shown };
    }
    default:
      return undefined;
  }
}

/** The one name. The whole SAN is looked at, so that no order of its entries can hide a second one. */
function soleName(leaf: CertificateFacts, kind: Kind, spiffeTrustDomain: string | undefined): string {
  const claims = leaf.subjectAltNames.flatMap((san) => claimOf(san, kind, spiffeTrustDomain) ?? []);
  const shown = claims
    .slice(0, 5)
    .map((claim) => claim.shown)
    .join(', ');
  const bad = claims.find((claim) => claim.name === undefined);
  if (bad !== undefined) {
    throw new CertificateRefused(
      'bad_name',
      `${bad.shown} is no name of one client: it must be spelled out, without wildcard, underscore, escape, NUL or empty label, and be no IP address`,
    );
  }
  if (claims.length > 1) {
    throw new CertificateRefused(
      'ambiguous_identity',
      `${claims.length} names where exactly one must be: ${shown}`,
    );
  }
  const [claim] = claims;
  if (claim?.name === undefined || (claim.kind !== 'either' && claim.kind !== kind)) {
    const wanted = kind === 'cluster' ? 'one dNSName' : 'one email address or dNSName';
    const spiffe = spiffeTrustDomain === undefined ? '' : ` or spiffe://${spiffeTrustDomain}/${kind}/… URI`;
    const found =
      claim !== undefined
        ? `${claim.shown}, which names no ${kind}`
        : `${leaf.subjectAltNames.slice(0, 5).map(describeGeneralName).join(', ') || 'none'}`;
    throw new CertificateRefused(
      'no_identity',
      `the subjectAltName must hold exactly ${wanted}${spiffe} (the CN is never looked at); found: ${found}`,
    );
  }
  return claim.name;
}

/** The subject's O values, in order. Kubernetes reads them the same way. */
function groupsOf(leaf: CertificateFacts): readonly string[] {
  const groups = leaf.subject.organizations;
  if (groups.length > GROUPS_MAX) {
    throw new CertificateRefused(
      'too_large',
      `${groups.length} organizations in the subject; at most ${GROUPS_MAX}`,
    );
  }
  for (const group of groups) {
    // Control, format (bidirectional!) and unassigned characters: a group that reads like another one.
    if (group === '' || group.length > GROUP_CHARACTERS_MAX || /[\p{C}\p{Zl}\p{Zp}]/u.test(group)) {
      throw new CertificateRefused(
        'bad_name',
        `the organization "${printable(group, 80)}" is no group: empty, longer than ${GROUP_CHARACTERS_MAX} characters, or with control characters`,
      );
    }
  }
  return Object.freeze([...groups]);
}

/** The text of a name that two certificates have, once: an issuer's is remembered, and may stand in 100,000 leaves. */
const sharedName = (name: string, [issuer]: readonly CertificateFacts[]): string =>
  issuer?.subject.readable === name ? issuer.subject.readable : name;

/** By the leaf's issuer: the path above it that was last found, of which one list is enough for all its leaves. */
const listsAbove = new WeakMap<CertificateFacts, readonly string[]>();

function fingerprintsOf(above: readonly CertificateFacts[]): readonly string[] {
  const [issuer] = above;
  const before = issuer === undefined ? undefined : listsAbove.get(issuer);
  if (before?.length === above.length && above.every(({ sha256 }, index) => sha256 === before[index])) {
    return before;
  }
  const list = Object.freeze(above.map(({ sha256 }) => sha256));
  if (issuer !== undefined) listsAbove.set(issuer, list);
  return list;
}

function referenceTo(
  leaf: CertificateFacts,
  { anchor, certificates }: CertificatePath,
): CertificateReference {
  const above = certificates.slice(1);
  return Object.freeze({
    sha256: leaf.sha256,
    spkiSha256: leaf.spkiSha256,
    serial: leaf.serial,
    subject: leaf.subject.readable,
    issuer: sharedName(leaf.issuer.readable, above),
    anchorSha256: anchor.sha256,
    issuersSha256: fingerprintsOf(above),
    notAfter: leaf.notAfter,
  });
}

/** Throws CertificateRefused: no_identity, ambiguous_identity, bad_name, too_large. */
export function identify(
  leaf: CertificateFacts,
  path: CertificatePath,
  kind: Kind,
  spiffeTrustDomain: string | undefined,
): CertificatePrincipal {
  const name = soleName(leaf, kind, spiffeTrustDomain);
  const certificate = referenceTo(leaf, path);
  return kind === 'cluster'
    ? Object.freeze({ kind, dns: name, certificate })
    : Object.freeze({ kind, name, groups: groupsOf(leaf), certificate });
}
