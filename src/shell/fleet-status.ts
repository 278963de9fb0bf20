import type { CatalogueKind, FleetReader } from '../core/fleet/access.ts';
import type { ClusterState, Environment } from '../core/fleet/objects.ts';
import { CATALOGUE_KINDS, fluxRoute, kindOfFluxSegment } from '../core/fleet/registry.ts';
import { type ComponentReport, componentReports } from '../core/liveness/reports.ts';
import { type ClusterStatus, clusterStatus, FLEET_STATES, type FleetState } from '../core/liveness/states.ts';
import type { OperationTable } from '../core/policy/operations.ts';
import type { Clock } from './clock.ts';
import { type FleetIndex, type IndexedCluster, renderedFor } from './fleet-index.ts';
import type { Liveness } from './liveness.ts';
import { createPause } from './pause.ts';
import type { PresentedCertificate } from './presentations.ts';
import type { Refusals } from './refusals.ts';
import { type Rumour, rumoursOf } from './refused-polls.ts';

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
export type FleetCertificate = Pick<PresentedCertificate, 'sha256' | 'anchorSha256' | 'notAfter'>;

export interface Reported {
  readonly applied: number;
  readonly failed: number;
  readonly lastMs: number | undefined;
}

export interface StatedCluster {
  readonly id: string;
  readonly clusterName: string;
  readonly clusterDns: string;
  readonly environment: Environment;
  readonly lifecycle: ClusterState;
  readonly status: ClusterStatus;
  readonly reported: Reported;
  readonly certificate: FleetCertificate | undefined;
}

export interface FleetPage {
  readonly revision: number;
  readonly total: number;
  /** Of all that the filter selects, whatever its `state` says. */
  readonly counts: Readonly<Record<FleetState, number>>;
  /** Of the same clusters: how many last came with a certificate under which anchor, by its SHA-256. */
  readonly anchors: ReadonlyMap<string, number>;
  readonly clusters: readonly StatedCluster[];
}

/** What a cluster is served of one component. */
export interface ServedComponent {
  readonly enabled: boolean;
  readonly component_version: string;
  readonly oci_tag: string;
}

export interface DetailedCluster extends StatedCluster {
  readonly components: readonly (ComponentReport & { readonly served: ServedComponent | undefined })[];
  readonly unreported: readonly string[];
}

/** How the fleet is: what is in the store, who polled what, and who was refused, put together. */
export interface FleetStatus {
  list(filter: FleetFilter, limit: number, offset: number): Promise<FleetPage>;
  /** undefined: no such cluster is served. */
  cluster(clusterDns: string): Promise<DetailedCluster | undefined>;
  /** The newest revision, and the clusters that are served by their state. */
  counts(): Promise<Pick<FleetPage, 'revision' | 'counts'>>;
}

export interface FleetStatusParts {
  readonly index: FleetIndex;
  readonly liveness: Liveness;
  readonly refusals: Pick<Refusals, 'ofCluster'>;
  readonly operations: OperationTable;
  readonly reader: FleetReader;
  readonly clock: Clock;
  /** From memory, for each cluster of the fleet. */
  certificateOf(clusterDns: string): FleetCertificate | undefined;
}

const ROUTES: readonly string[] = CATALOGUE_KINDS.map((kind) => fluxRoute(kind).segment);
/** Looked at before anybody else is let in again, at some microseconds each. */
const CLUSTERS_AT_ONCE = 64;
const NOTHING: Reported = Object.freeze({ applied: 0, failed: 0, lastMs: undefined });

export function createFleetStatus(parts: FleetStatusParts): FleetStatus {
  const { index, liveness } = parts;
  const reportedBefore = new WeakMap<
    IndexedCluster,
    { readonly version: string; readonly reported: Reported }
  >();

  const reportedOf = async (cluster: IndexedCluster): Promise<Reported> => {
    const version = liveness.reportsVersion(cluster.clusterDns);
    if (version === undefined) return NOTHING;
    const before = reportedBefore.get(cluster);
    if (before?.version === version) return before.reported;
    const served = await servedComponents(parts.reader, cluster.clusterDns);
    const reports = await liveness.reportsOf(cluster.clusterDns);
    const reported = count(componentReports(reports, served ?? new Map()));
    reportedBefore.set(cluster, { version, reported });
    return reported;
  };
  const stated = async (cluster: IndexedCluster, status: ClusterStatus): Promise<StatedCluster> => {
    const { id, clusterName, clusterDns, environment, lifecycle } = cluster;
    return {
      id,
      clusterName,
      clusterDns,
      environment,
      lifecycle,
      status,
      reported: await reportedOf(cluster),
      certificate: parts.certificateOf(clusterDns),
    };
  };
  /** All of one moment, in their order. */
  const statuses = async (
    filter: FleetFilter,
  ): Promise<{ revision: number; found: readonly (readonly [IndexedCluster, ClusterStatus])[] }> => {
    await liveness.refresh();
    const { revision, clusters } = await index.current();
    const pause = createPause();
    const found: [IndexedCluster, ClusterStatus][] = [];
    for (const [number, cluster] of clusters.entries()) {
      // A promise for each of 10,000 clusters would cost more than the clusters.
      if (number % CLUSTERS_AT_ONCE === 0) await pause();
      if (!isSelected(cluster, filter) || !hasCertificate(parts, cluster, filter)) continue;
      for (const kind of digestsToLearn(parts, cluster)) {
        await index.digest(cluster, kind);
        await pause();
      }
      found.push([cluster, statusOf(parts, cluster)]);
    }
    return { revision, found };
  };

  return {
    async list(filter, limit, offset) {
      const { revision, found } = await statuses(filter);
      const { state } = filter;
      const selected = state === undefined ? found : found.filter(([, status]) => status.state === state);
      const page: StatedCluster[] = [];
      for (const [cluster, status] of selected.slice(offset, offset + limit)) {
        page.push(await stated(cluster, status));
      }
      const anchors = countAnchors(found.map(([{ clusterDns }]) => parts.certificateOf(clusterDns)));
      return { revision, total: selected.length, counts: countStates(found), anchors, clusters: page };
    },
    async cluster(clusterDns) {
      await liveness.refresh();
      const { clusters } = await index.current();
      const cluster = clusters.find((one) => one.clusterDns === clusterDns);
      const served = await servedComponents(parts.reader, clusterDns);
      if (cluster === undefined || served === undefined) return undefined;
      const reports = componentReports(await liveness.reportsOf(clusterDns), served);
      const told = new Set(reports.map(({ component }) => component));
      return {
        ...(await stated(cluster, await statusNow(parts, cluster))),
        components: reports.map((report) => ({ ...report, served: served.get(report.component) })),
        unreported: [...served].flatMap(([id, { enabled }]) => (enabled && !told.has(id) ? [id] : [])),
      };
    },
    async counts() {
      const { revision, found } = await statuses({});
      return { revision, counts: countStates(found) };
    },
  };
}

/** The kinds of which it has to be learnt what the cluster is answered now, to say whether it is behind. */
function digestsToLearn({ index, liveness }: FleetStatusParts, cluster: IndexedCluster): CatalogueKind[] {
  const kinds: CatalogueKind[] = [];
  for (const [route, { polls }] of Object.entries(liveness.of(cluster.clusterDns) ?? {})) {
    const kind = kindOfFluxSegment(route);
    if (polls === undefined || kind === undefined) continue;
    if (liveness.hasServed(cluster.clusterDns, kind, cluster.touched)) continue;
    if (index.knownDigest(cluster, kind) === undefined) kinds.push(kind);
  }
  return kinds;
}

async function statusNow(parts: FleetStatusParts, cluster: IndexedCluster): Promise<ClusterStatus> {
  for (const kind of digestsToLearn(parts, cluster)) await parts.index.digest(cluster, kind);
  return statusOf(parts, cluster);
}

/** By the digests that are known; of an answer that cannot be given there is none, and nobody is behind it. */
function statusOf(parts: FleetStatusParts, cluster: IndexedCluster): ClusterStatus {
  const { index, liveness, refusals, operations, clock } = parts;
  const { clusterDns, touched } = cluster;
  const record = liveness.of(clusterDns) ?? {};
  const isBehind = (route: string): boolean => {
    const kind = kindOfFluxSegment(route);
    const digest = record[route]?.polls?.digest;
    if (digest === undefined || kind === undefined || liveness.hasServed(clusterDns, kind, touched))
      return false;
    const now = index.knownDigest(cluster, kind);
    return now !== undefined && now !== digest;
  };
  let rumours: readonly Rumour[] | undefined;
  return clusterStatus(record, ROUTES, {
    nowMs: clock.now(),
    isBehind,
    rumour(route) {
      rumours ??= rumoursOf(refusals, operations, clusterDns);
      return rumours.find((one) => one.route === route)?.attempt;
    },
  });
}

function isSelected(cluster: IndexedCluster, { environment, label, text }: FleetFilter): boolean {
  if (environment !== undefined && cluster.environment !== environment) return false;
  if (label !== undefined && !cluster.labels.includes(label)) return false;
  if (text === undefined) return true;
  const wanted = text.toLowerCase();
  return [cluster.id, cluster.clusterName, cluster.clusterDns].some((name) =>
    name.toLowerCase().includes(wanted),
  );
}

function hasCertificate(
  { certificateOf }: Pick<FleetStatusParts, 'certificateOf'>,
  { clusterDns }: IndexedCluster,
  { anchor, expiresByMs }: FleetFilter,
): boolean {
  if (anchor === undefined && expiresByMs === undefined) return true;
  const certificate = certificateOf(clusterDns);
  if (anchor !== undefined && certificate?.anchorSha256 !== anchor) return false;
  return expiresByMs === undefined || (certificate !== undefined && certificate.notAfter <= expiresByMs);
}

function countAnchors(certificates: readonly (FleetCertificate | undefined)[]): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const certificate of certificates) {
    if (certificate === undefined) continue;
    counts.set(certificate.anchorSha256, (counts.get(certificate.anchorSha256) ?? 0) + 1);
  }
  return counts;
}

function countStates(
  found: readonly (readonly [IndexedCluster, ClusterStatus])[],
): Readonly<Record<FleetState, number>> {
  const counts = Object.fromEntries(FLEET_STATES.map((state) => [state, 0])) as Record<FleetState, number>;
  for (const [, { state }] of found) counts[state] += 1;
  return counts;
}

function count(components: readonly ComponentReport[]): Reported {
  const applied = components.filter(({ result }) => result === 'applied').length;
  const last = components.map(({ atMs }) => atMs);
  return {
    applied,
    failed: components.length - applied,
    lastMs: last.length === 0 ? undefined : Math.max(...last),
  };
}

/** By id, as they are served now, a frozen cluster's as they were; undefined: the cluster is not served. */
export async function servedComponents(
  reader: Pick<FleetReader, 'clusterInputs'>,
  clusterDns: string,
): Promise<ReadonlyMap<string, ServedComponent> | undefined> {
  const rendered = await renderedFor(reader, clusterDns, 'platform_component');
  if (rendered === undefined) return undefined;
  return new Map(
    rendered.inputs.map((input) => {
      const { oci_tag } = input['source'] as { readonly oci_tag: string };
      const component_version = String(input['component_version']);
      return [input.id, { enabled: input['enabled'] === true, component_version, oci_tag }];
    }),
  );
}
