import { createHash } from 'node:crypto';
import { boundedMemory } from '../bounded-memory.ts';
import { LIMITS } from '../limits.ts';
import { type CertificateFacts, confirmFacts, readFacts } from './certificate.ts';

export interface IssuerReader {
  /** As `readFacts`. */
  read(der: Uint8Array): CertificateFacts;
  /** As `confirmFacts`. */
  confirm(facts: CertificateFacts): void;
}

/**
 * For what stands in many chains: a fleet has few intermediates, and reading one by three parsers is a third of what a
 * chain costs. Facts are the octets' own, whatever is trusted and whenever it is asked, so nothing makes them stale; what is refused is
 * read, and refused, each time.
 */
export function createIssuerReader(): IssuerReader {
  const known = boundedMemory<string, CertificateFacts>(LIMITS.issuersReadMax);
  /** Of what was read here, and for as long as it is kept. */
  const confirmed = new WeakSet<CertificateFacts>();
  return {
    read(der) {
      const key = createHash('sha256').update(der).digest('base64');
      const before = known.get(key);
      if (before !== undefined) return before;
      const facts = readFacts(der);
      known.set(key, facts);
      return facts;
    },
    confirm(facts) {
      if (confirmed.has(facts)) return;
      confirmFacts(facts);
      confirmed.add(facts);
    },
  };
}
