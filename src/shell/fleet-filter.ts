import type { FleetState } from '../core/liveness/states.ts';
import type { IndexedCluster } from './fleet-index.ts';
import type { PresentedCertificate } from './presentations.ts';

/** Which clusters are looked at; absent: all. */
export interface FleetFilter {
  readonly state?: FleetState | undefined;
  readonly environment?: string | undefined;
  readonly label?: string | undefined;
  /** Part of the id, the name or the DNS name, in any case. */
  readonly text?: string | undefined;
  /** SHA-256 of the anchor that its last certificate was accepted under. */
  readonly anchor?: string | undefined;
  /** Its last certificate ends by then; milliseconds since the epoch. */
  readonly expiresByMs?: number | undefined;
}

/** What a cluster was last accepted with. */
export type FleetCertificate = Pick<
  PresentedCertificate,
  'sha256' | 'spkiSha256' | 'serial' | 'issuersSha256' | 'anchorSha256' | 'notAfter'
>;

/** From memory, for each cluster of the fleet. */
export type CertificateOf = (clusterDns: string) => FleetCertificate | undefined;

/** Whether the filter selects it, whatever its `state` says. */
export function isSelected(
  cluster: IndexedCluster,
  filter: FleetFilter,
  certificateOf: CertificateOf,
): boolean {
  return isNamed(cluster, filter) && hasCertificate(certificateOf, cluster, filter);
}

function isNamed(cluster: IndexedCluster, { environment, label, text }: FleetFilter): boolean {
  if (environment !== undefined && cluster.environment !== environment) return false;
  if (label !== undefined && !cluster.labels.includes(label)) return false;
  if (text === undefined) return true;
  const wanted = text.toLowerCase();
  return [cluster.id, cluster.clusterName, cluster.clusterDns].some((name) =>
    name.toLowerCase().includes(wanted),
  );
}

function hasCertificate(
  certificateOf: CertificateOf,
  { clusterDns }: IndexedCluster,
  { anchor, expiresByMs }: FleetFilter,
): boolean {
  if (anchor === undefined && expiresByMs === undefined) return true;
  const certificate = certificateOf(clusterDns);
  if (anchor !== undefined && certificate?.anchorSha256 !== anchor) return false;
  return expiresByMs === undefined || (certificate !== undefined && certificate.notAfter <= expiresByMs);
}

/** How many come with a certificate under which anchor, by its SHA-256. */
export function countAnchors(
  certificates: readonly (FleetCertificate | undefined)[],
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const certificate of certificates) {
    if (certificate === undefined) continue;
    counts.set(certificate.anchorSha256, (counts.get(certificate.anchorSha256) ?? 0) + 1);
  }
  return counts;
}
