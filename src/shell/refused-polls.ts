import { fluxRoute, isCatalogueKind } from '../core/fleet/registry.ts';
import type { PrincipalKind } from '../core/identity/principal.ts';
import type { RefusedAttempt } from '../core/liveness/polls.ts';
import type { Operation, OperationTable } from '../core/policy/operations.ts';
import type { RecordRequest } from './http/pipeline.ts';
import type { Liveness } from './liveness.ts';
import type { FoundRefusal, Refusals } from './refusals.ts';

/** The route that a cluster polls by this operation; undefined: it is none of those. Asked of each request, so said once of each operation. */
export function polledRoute(operation: Operation | undefined): string | undefined {
  if (operation === undefined) return undefined;
  let found = polledRoutes.get(operation);
  if (found === undefined) {
    const { audience, kind, path } = operation;
    const isPoll = audience === 'flux' && kind !== undefined && path.includes('{cluster_dns}');
    found = { route: isPoll && isCatalogueKind(kind) ? fluxRoute(kind).segment : undefined };
    polledRoutes.set(operation, found);
  }
  return found.route;
}

const polledRoutes = new WeakMap<Operation, { readonly route: string | undefined }>();

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

/** An attempt at the cluster's path by whoever is known to be somebody else, or says so, tells nothing of it. */
function mayBe(clusterDns: string, { group, knownBy }: FoundRefusal): boolean {
  if (knownBy !== 'requested') return true;
  const { principal, claimedClusters } = group;
  const claimsAnother = claimedClusters.length > 0 && !claimedClusters.includes(clusterDns);
  return CLUSTERS_TOKENS.includes(principal) && !claimsAnother;
}

/** `anonymous`: nobody yet, with a token or a certificate that is not accepted, or with none. */
const CLUSTERS_TOKENS: readonly PrincipalKind[] = ['anonymous', 'reader', 'writer', 'cluster_token'];
