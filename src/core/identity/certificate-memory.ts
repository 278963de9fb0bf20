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
  const known = boundedMemory<string, { readonly facts: CertificateFacts; isConfirmed: boolean }>(
    LIMITS.issuersReadMax,
  );
  return {
    read(der) {
      const key = createHash('sha256').update(der).digest('hex');
      const before = known.get(key);
      if (before !== undefined) return before.facts;
      const facts = readFacts(der);
      known.set(key, { facts, isConfirmed: false });
      return facts;
    },
    confirm(facts) {
      const before = known.peek(facts.sha256);
      // Only of what was read here, and is just that: a leaf is another one each time.
      const isOurs = before?.facts === facts;
      if (isOurs && before.isConfirmed) return;
      confirmFacts(facts);
      if (isOurs) before.isConfirmed = true;
    },
  };
}
