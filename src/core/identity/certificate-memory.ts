import { createHash } from 'node:crypto';
import { boundedMemory } from '../bounded-memory.ts';
import { LIMITS } from '../limits.ts';
import { type CertificateFacts, readCertificate } from './certificate.ts';

/**
 * `readCertificate` for what stands in many chains: a fleet has few intermediates, and reading one by three parsers is a third of what a
 * chain costs. Facts are the octets' own, whatever is trusted and whenever it is asked, so nothing makes them stale; what is refused is
 * read, and refused, each time.
 */
export function createIssuerReader(): (der: Uint8Array) => CertificateFacts {
  const known = boundedMemory<string, CertificateFacts>(LIMITS.issuersReadMax);
  return (der) => {
    const key = createHash('sha256').update(der).digest('base64');
    const before = known.get(key);
    if (before !== undefined) return before;
    const facts = readCertificate(der);
    known.set(key, facts);
    return facts;
  };
}
