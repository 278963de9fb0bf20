import { X509Certificate } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { printable } from './printable.ts';

/**
 * The subject of a certificate that was not judged, or that our own reader could not take apart: as OpenSSL reads it, for the log and for
 * nothing else. A stranger's word: one line, at most 256 characters. undefined: nothing can be read, or there are too many octets to try: OpenSSL prints all of a
 * subject, which takes it 10 ms for one of 60 KB.
 */
export function shownSubject(der: Uint8Array | undefined): string | undefined {
  if (der === undefined || der.length > LIMITS.shownCertificateOctetsMax) return undefined;
  try {
    const { subject } = new X509Certificate(der) as { readonly subject: string | undefined };
    return subject === undefined ? '' : printable(subject.replaceAll('\n', ', '));
  } catch {
    return undefined;
  }
}
