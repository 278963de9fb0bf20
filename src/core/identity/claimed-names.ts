import type { CertificateFacts } from './certificate.ts';
import { dnsNameFromOctets, readSpiffeUri } from './names.ts';

/** More than one is refused anyway; a stranger does not get to fill a memory. */
const CLAIMS_MAX = 3;

/**
 * Which clusters a certificate that is not accepted says it is of: whatever a stranger likes. For finding a refusal again,
 * never for believing it. Canonical names only, each once.
 */
export function claimedClusters(
  leaf: CertificateFacts,
  spiffeTrustDomain: string | undefined,
): readonly string[] {
  const names = new Set<string>();
  for (const san of leaf.subjectAltNames) {
    if (names.size >= CLAIMS_MAX) break;
    const name = claimOf(san, spiffeTrustDomain);
    if (name !== undefined) names.add(name);
  }
  return Object.freeze([...names]);
}

type Name = CertificateFacts['subjectAltNames'][number];

function claimOf(san: Name, spiffeTrustDomain: string | undefined): string | undefined {
  if (san.type === 'dNSName') return dnsNameFromOctets(san.octets);
  if (san.type !== 'uniformResourceIdentifier' || spiffeTrustDomain === undefined) return undefined;
  const reading = readSpiffeUri(san.octets, spiffeTrustDomain);
  if (reading.status !== 'identity' || reading.identity.kind !== 'cluster') return undefined;
  return reading.identity.dns;
}
