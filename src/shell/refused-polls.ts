import { fluxRoute, isCatalogueKind } from '../core/fleet/registry.ts';
import type { PrincipalKind } from '../core/identity/principal.ts';
import type { RefusedAttempt } from '../core/liveness/polls.ts';
import type { Operation, OperationTable } from '../core/policy/operations.ts';
import type { RecordRequest } from './http/pipeline.ts';
import type { Liveness } from './liveness.ts';
import type { FoundRefusal, RefusalGroup, Refusals } from './refusals.ts';

/** The route that a cluster polls by this operation; undefined: it is none of those. */
export function polledRoute(operation: Operation | undefined): string | undefined {
  const { audience, kind, path } = operation ?? {};
  if (audience !== 'flux' || kind === undefined || path?.includes('{cluster_dns}') !== true) return undefined;
  return isCatalogueKind(kind) ? fluxRoute(kind).segment : undefined;
}

/**
 * After a refusal is remembered: was it a cluster's own attempt to poll? A certificate that is accepted proves it. One that is not accepted
 * proves it where the very same one was accepted before: nobody else has its key. Whatever else names a cluster is a rumour.
 */
export function noteRefusedPolls(
  refusals: Refusals,
  liveness: Pick<Liveness, 'of' | 'refused'>,
): RecordRequest {
  return (request, _status, error) => {
    const route = error === undefined ? undefined : polledRoute(request.operation);
    const found = route === undefined ? undefined : refusals.ofRequest(request.requestId);
    if (route === undefined || found === undefined) return;
    const { group, atMs } = found;
    const attempt = { atMs, status: group.status, reason: group.reason };
    if (group.provenCluster !== undefined) {
      liveness.refused(group.provenCluster, route, { ...attempt, knownBy: 'proven' });
    }
    for (const name of group.claimedClusters) {
      const polled = Object.values(liveness.of(name) ?? {}).map(({ polls }) => polls?.credential.sha256);
      if (group.certificateSha256 === undefined || !polled.includes(group.certificateSha256)) continue;
      liveness.refused(name, route, { ...attempt, knownBy: 'claimed' });
    }
  };
}

export interface Rumour {
  readonly route: string;
  readonly attempt: RefusedAttempt;
}

/** Attempts to poll that may have been the cluster's, by what this process remembers; newest first. */
export function rumoursOf(
  refusals: Pick<Refusals, 'ofCluster'>,
  operations: OperationTable,
  clusterDns: string,
): readonly Rumour[] {
  return refusals.ofCluster(clusterDns).flatMap((found) => {
    const { operation, lastMs, status, reason } = found.group;
    const route = operation === undefined ? undefined : polledRoute(operations.get(operation));
    if (route === undefined || !mayBe(clusterDns, found)) return [];
    return [{ route, attempt: { atMs: lastMs, status, reason, knownBy: found.knownBy ?? 'requested' } }];
  });
}

/** An attempt at the cluster's path by whoever is known to be somebody else says nothing of it. */
function mayBe(clusterDns: string, { group, knownBy }: FoundRefusal): boolean {
  if (knownBy !== 'requested') return true;
  return CLUSTERS_TOKENS.includes(group.principal) && !isOthers(clusterDns, group);
}

/** `anonymous`: nobody yet, with a token or a certificate that is not accepted, or with none. */
const CLUSTERS_TOKENS: readonly PrincipalKind[] = ['anonymous', 'reader', 'writer', 'cluster_token'];

function isOthers(clusterDns: string, { provenCluster, claimedClusters }: RefusalGroup): boolean {
  if (provenCluster !== undefined) return provenCluster !== clusterDns;
  return claimedClusters.length > 0 && !claimedClusters.includes(clusterDns);
}
