/** Name constraints over a whole path (RFC 5280 §4.2.1.10, §6.1.3 (b) and (c), §6.1.4 (g)). */

import { LIMITS } from '../limits.ts';
import { type CertificateFacts, describeCertificate } from './certificate.ts';
import { type ConstrainedName, matchConstraint } from './constrained-names.ts';
import { describeGeneralName, type GeneralName } from './general-name.ts';
import { canonicalDnsName } from './names.ts';
import { CertificateRefused } from './refused.ts';

const nameOf = (type: GeneralName['type'], text: string): ConstrainedName => ({
  type,
  octets: Buffer.from(text, 'utf8'),
});

/**
 * Every name of a certificate that a constraint can reach: the SANs, the subject as a directoryName, its emailAddress
 * attributes (RFC: where the SAN has no address; OpenSSL: always, and so do we), and, as OpenSSL does for a leaf without a
 * dNSName, a CN that reads like a DNS name.
 */
function constrainedNames(facts: CertificateFacts, isLeaf: boolean): readonly ConstrainedName[] {
  const names: ConstrainedName[] = [...facts.subjectAltNames];
  if (facts.subject.canonicalRdns.length > 0) {
    names.push({ type: 'directoryName', octets: facts.subject.der, directoryName: facts.subject });
  }
  for (const address of facts.subject.emailAddresses) names.push(nameOf('rfc822Name', address));
  if (isLeaf && !facts.subjectAltNames.some(({ type }) => type === 'dNSName')) {
    for (const commonName of facts.subject.commonNames) {
      if (commonName.includes('.') && canonicalDnsName(commonName) !== undefined) {
        names.push(nameOf('dNSName', commonName));
      }
    }
  }
  return names;
}

/** One CA's constraints against one name: why it is refused, or undefined. */
function judgeName(name: ConstrainedName, ca: CertificateFacts): string | undefined {
  const { permitted = [], excluded = [] } = ca.nameConstraints ?? {};
  const shown = describeGeneralName(name);
  const by = `by the name constraints of ${describeCertificate(ca)}`;
  for (const base of excluded) {
    if (base.type !== name.type) continue;
    const matches = matchConstraint(name, base);
    if (matches === undefined) {
      return `${shown} cannot be compared with the excluded ${describeGeneralName(base)}, ${by}`;
    }
    if (matches) return `${shown} is excluded (${describeGeneralName(base)}) ${by}`;
  }
  const candidates = permitted.filter((base) => base.type === name.type);
  if (candidates.length === 0) return undefined;
  // "Cannot tell" is not "permitted".
  return candidates.some((base) => matchConstraint(name, base) === true)
    ? undefined
    : `${shown} is not among the names permitted ${by}`;
}

/** Counted over all paths of one search, so that a maze of cross-signed CAs does not multiply the limit. */
export interface ComparisonWork {
  nameComparisons: number;
}

/**
 * Why the path, leaf first, breaks a name constraint of one of its CAs, the anchor's own included. Throws CertificateRefused
 * (`too_large`) before comparing more than the limit: names × constraints is the product that hostile chains aim at.
 */
export function findNameConstraintBreach(
  path: readonly CertificateFacts[],
  work: ComparisonWork,
): { readonly index: number; readonly detail: string } | undefined {
  if (path.every(({ nameConstraints }) => nameConstraints === undefined)) return undefined;
  const names = path.map((facts, index) => constrainedNames(facts, index === 0));
  for (const [caIndex, ca] of path.entries()) {
    if (ca.nameConstraints === undefined) continue;
    const constraints = ca.nameConstraints.permitted.length + ca.nameConstraints.excluded.length;
    for (let index = caIndex - 1; index >= 0; index -= 1) {
      work.nameComparisons += constraints * (names[index]?.length ?? 0);
      if (work.nameComparisons > LIMITS.nameConstraintComparisonsMax) {
        throw new CertificateRefused(
          'too_large',
          `names times constraints of the chain exceed ${LIMITS.nameConstraintComparisonsMax} comparisons`,
        );
      }
      // RFC 5280 §6.1.3 (b): self-issued certificates are exempt unless final, so that a CA can change its key.
      if (index > 0 && path[index]?.selfIssued === true) continue;
      for (const name of names[index] ?? []) {
        const detail = judgeName(name, ca);
        if (detail !== undefined) return { index, detail };
      }
    }
  }
  return undefined;
}
