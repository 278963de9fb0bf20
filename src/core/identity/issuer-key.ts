import { createHash } from 'node:crypto';
import type { CertificateFacts } from './certificate.ts';

/** Who a CA is, in whichever of its certificates (renewed, cross-signed): its name and its key. */
export const nameAndKeyOf = (facts: CertificateFacts): string =>
  `${facts.spkiSha256} ${facts.subject.canonical}`;

/** The same as a hash (hex), for storing. */
export function issuerKeyOf(facts: CertificateFacts): string {
  return createHash('sha256').update(nameAndKeyOf(facts)).digest('hex');
}
