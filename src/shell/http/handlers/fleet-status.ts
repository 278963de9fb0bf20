import { type ErrorCode, FluxgateError, STATUS_OF } from '../../../core/errors.ts';
import { parseLifetime } from '../../../core/expiry.ts';
import { LIMITS } from '../../../core/limits.ts';
import { intervalMs } from '../../../core/liveness/polls.ts';
import { type FluxEvent, takeEvent } from '../../../core/liveness/reports.ts';
import type { FleetState, RouteStatus } from '../../../core/liveness/states.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import type { FleetFilter } from '../../fleet-filter.ts';
import { type DetailedCluster, type StatedCluster, servedComponents } from '../../fleet-status.ts';
import { numberOf } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import type { Call, Handler, HandlerParts } from './handlers.ts';

/** Which clusters poll, what they hold, and what became of it. */
export function fleetStatusHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  switch (operation.operationId) {
    case 'listFleet':
      return (call) => list(parts, call.parameters.query, whyIn(parts, call));
    case 'getFleetCluster':
      return async (call) => {
        const found = await parts.fleetStatus.cluster(call.parameters.path['cluster_dns'] ?? '');
        if (found === undefined) {
          throw new FluxgateError(
            'not_found',
            'No cluster of this name is served; GET /fleet lists those that are.',
          );
        }
        return { status: 200, body: showDetails(found, whyIn(parts, call)) };
      };
    default:
      return undefined;
  }
}

/** The revocation that a cluster will be refused by; undefined: none that names it. */
type RevokedBy = (cluster: StatedCluster) => string | undefined;

/** Why somebody is refused is for whoever may ask `GET /refusals` for it: else undefined. */
function whyIn({ trust, clock }: HandlerParts, call: Call): RevokedBy | undefined {
  if (!call.permits({ kind: 'trust' }, 'listRefusals')) return undefined;
  const { revocations, trust: bundles } = trust.snapshot;
  const nowMs = clock.now();
  return ({ clusterDns, certificate }) => {
    const above = certificate?.issuersSha256[0];
    const issuer = bundles.cluster.certificates.find(({ sha256 }) => sha256 === above);
    const own = certificate && revocations.remembered(certificate, issuer, nowMs);
    return (own ?? revocations.cluster(clusterDns, nowMs))?.revocationId;
  };
}

async function list(
  parts: HandlerParts,
  query: Call['parameters']['query'],
  revokedBy: RevokedBy | undefined,
): Promise<Answer> {
  const textOf = (name: string): string | undefined => {
    const value = query[name];
    return value === undefined ? undefined : String(value);
  };
  const within = textOf('expires_within');
  const filter: FleetFilter = {
    state: textOf('state') as FleetState | undefined,
    environment: textOf('environment'),
    label: textOf('label'),
    text: textOf('q'),
    anchor: textOf('anchor'),
    expiresByMs: within === undefined ? undefined : parts.clock.now() + parseLifetime(within),
  };
  const limit = numberOf(query['limit'], LIMITS.fleetPageClusters);
  const { clusters, anchors, ...page } = await parts.fleetStatus.list(
    filter,
    limit,
    numberOf(query['offset'], 0),
  );
  const trusted = parts.trust.snapshot.trust.cluster.certificates;
  const shownAnchors = [...anchors].map(([sha256, count]) => ({
    sha256,
    subject: trusted.find((certificate) => certificate.sha256 === sha256)?.subject.readable ?? null,
    clusters: count,
  }));
  const shown = clusters.map((cluster) => showCluster(cluster, revokedBy));
  return { status: 200, body: { ...page, anchors: shownAnchors, clusters: shown } };
}

/** What a cluster says became of what it was served. The policies have let in nobody else. */
export async function takeReport(parts: HandlerParts, { parameters, body }: Call): Promise<Answer> {
  const clusterDns = parameters.path['cluster_dns'] ?? '';
  const served = await servedComponents(parts.store.reader, clusterDns);
  if (served === undefined) throw new FluxgateError('not_found', 'No cluster of this name is registered.');
  const { taken, component, report } = takeEvent(
    body as FluxEvent,
    parts.clock.now(),
    new Set(served.keys()),
  );
  if (report !== undefined) parts.liveness.reported(clusterDns, report);
  parts.metrics.reports.inc({ taken });
  return { status: 202, body: { taken, ...(component === undefined ? {} : { component }) } };
}

const showTime = (ms: number | undefined): string | null =>
  ms === undefined ? null : new Date(ms).toISOString();

/** What the refused cluster itself was told. */
function toldOutside(status: number): string {
  const codes: readonly ErrorCode[] = ['unauthenticated', 'forbidden', 'certificate_rejected'];
  return codes.find((code) => STATUS_OF[code] === status) ?? 'refused';
}

function showCluster(cluster: StatedCluster, revokedBy: RevokedBy | undefined) {
  const { id, clusterName, clusterDns, environment, lifecycle, status, reported, certificate } = cluster;
  const { state, lastPollMs, refusal, routes } = status;
  return {
    id,
    cluster_name: clusterName,
    cluster_dns: clusterDns,
    environment,
    lifecycle,
    state,
    last_poll: showTime(lastPollMs),
    refusal:
      refusal === undefined
        ? null
        : {
            at: showTime(refusal.atMs),
            reason: revokedBy === undefined ? toldOutside(refusal.status) : refusal.reason,
            status: refusal.status,
            known_by: refusal.knownBy,
            route: refusal.route,
          },
    routes: routes.map(showRoute),
    reported: { applied: reported.applied, failed: reported.failed, last: showTime(reported.lastMs) },
    certificate:
      certificate === undefined
        ? null
        : {
            sha256: certificate.sha256,
            anchor_sha256: certificate.anchorSha256,
            not_after: showTime(certificate.notAfter),
          },
    // JSON leaves out what is undefined.
    revoked_by: revokedBy?.(cluster),
  };
}

function showRoute({ route, record: { polls }, state }: RouteStatus) {
  const interval = polls === undefined ? undefined : intervalMs(polls);
  return {
    route,
    last_poll: showTime(polls?.lastMs),
    revision: polls?.revision ?? null,
    digest: polls?.digest ?? null,
    served_since: showTime(polls?.sinceMs),
    credential: polls?.credential ?? null,
    client: polls?.client ?? null,
    interval_seconds: interval === undefined ? null : Math.round(interval / 1_000),
    state,
  };
}

function showDetails(cluster: DetailedCluster, revokedBy: RevokedBy | undefined) {
  return {
    ...showCluster(cluster, revokedBy),
    components: cluster.components.map(
      ({ component, result, revision, reason, message, atMs, kind, served }) => ({
        component,
        result,
        revision: revision ?? null,
        reason,
        message,
        at: showTime(atMs),
        kind,
        served: served ?? null,
      }),
    ),
    unreported: cluster.unreported,
  };
}
