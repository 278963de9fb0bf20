import type { CertificateFacts } from './certificate.ts';

/** A certificate or a CRL. */
export type Issued = Pick<CertificateFacts, 'issuer' | 'authorityKeyIdentifier'>;

/**
 * Whether `issuer` may have issued `child`, by name (RFC 5280 §6.1.3 (a)(4)) and by authorityKeyIdentifier where both sides
 * have something to compare. RFC 5280 makes the identifier a hint only, but OpenSSL takes a mismatch for "not the issuer"
 * (X509_check_akid): a path that it would not see must not be a path here, or the two verifiers answer about
 * different chains.
 */
export function mayHaveIssued(issuer: CertificateFacts, child: Issued): boolean {
  if (issuer.subject.canonical !== child.issuer.canonical) return false;
  const hint = child.authorityKeyIdentifier;
  if (hint === undefined) return true;
  const { keyIdentifier, serial, issuers } = hint;
  const keyDiffers =
    keyIdentifier !== undefined &&
    issuer.subjectKeyIdentifier !== undefined &&
    keyIdentifier !== issuer.subjectKeyIdentifier;
  if (keyDiffers) return false;
  if (serial !== undefined && serial.replace(/^00/, '') !== issuer.serial) return false;
  // authorityCertIssuer names the issuer of the issuer's certificate; OpenSSL compares the first directoryName.
  const [issuerOfIssuer] = issuers;
  return issuerOfIssuer === undefined || issuerOfIssuer === issuer.issuer.canonical;
}

/** A positive hint, for trying the likeliest issuer first. */
export function isHinted(issuer: CertificateFacts, child: CertificateFacts): boolean {
  const wanted = child.authorityKeyIdentifier?.keyIdentifier;
  return wanted !== undefined && wanted === issuer.subjectKeyIdentifier;
}
