import { type CertificateFacts, describeCertificate } from './certificate.ts';

/** What keeps a certificate from every anchor of a bundle, before anything of it is checked. */
export interface MissingIssuer {
  /** The setting whose bundle was looked through. */
  readonly bundle: string;
  readonly child: CertificateFacts;
  /** There are CAs of its issuer's name, and none of them is it or leads on. */
  readonly hasNamesakes: boolean;
  /** How many certificates the peer sent beside the leaf. */
  readonly presented: number;
}

/** One line. `elsewhere`: the same of another bundle. */
export function describeMissing(
  { bundle, child, hasNamesakes, presented }: MissingIssuer,
  elsewhere?: MissingIssuer,
): string {
  const bundles = elsewhere === undefined ? [bundle] : [bundle, elsewhere.bundle];
  const why = hasNamesakes
    ? `${bundles.join(', ')} and the peer have CAs of that name, but with other key identifiers or without an anchor above them`
    : `neither ${bundles.join(' nor ')} nor the ${presented} further certificate(s) that the peer sent have a CA of that name`;
  return `${describeCertificate(child)} was issued by "${child.issuer.readable}": ${why}`;
}

export function isSameMissing(a: MissingIssuer, b: MissingIssuer): boolean {
  return a.child.sha256 === b.child.sha256 && a.hasNamesakes === b.hasNamesakes;
}
