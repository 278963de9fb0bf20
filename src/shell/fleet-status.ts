import { setTimeout } from 'node:timers/promises';
import type { FleetReader } from '../core/fleet/access.ts';
import type { ClusterState, Environment } from '../core/fleet/objects.ts';
import { LIMITS } from '../core/limits.ts';
import { type ComponentReport, componentReports } from '../core/liveness/reports.ts';
import { type ClusterStatus, FLEET_STATES, type FleetState } from '../core/liveness/states.ts';
import {
  type CertificateOf,
  countAnchors,
  type FleetCertificate,
  type FleetFilter,
  isSelected,
} from './fleet-filter.ts';
import { type IndexedCluster, renderedFor } from './fleet-index.ts';
import { createFleetLooks, type FleetLookParts } from './fleet-looks.ts';
import type { Liveness } from './liveness.ts';
import { createPause } from './pause.ts';
import type { Presentations } from './presentations.ts';

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
  /**
   * Reads the fleet, and then compares what each cluster polled with what it would be answered, between other work: views go by
   * revisions, which say nothing of a program that renders otherwise than the one before it. For once after a start.
   */
  verify(): Promise<void>;
}

export interface FleetStatusParts extends FleetLookParts {
  readonly liveness: Liveness;
  readonly reader: FleetReader;
  readonly presentations: Pick<Presentations, 'certificateOf' | 'loaded'>;
}

/** Looked at before anybody else is let in again, at some microseconds each. */
const CLUSTERS_AT_ONCE = 64;
const NOTHING: Reported = Object.freeze({ applied: 0, failed: 0, lastMs: undefined });

export function createFleetStatus(parts: FleetStatusParts): FleetStatus {
  const { index, liveness, presentations } = parts;
  const certificateOf: CertificateOf = (clusterDns) => presentations.certificateOf(clusterDns);
  const reportedBefore = new WeakMap<
    IndexedCluster,
    { readonly version: string; readonly reported: Reported }
  >();
  const looks = createFleetLooks(parts);
  /** Views that are being made. */
  let looking = 0;

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
  const stated = async (cluster: IndexedCluster): Promise<StatedCluster> => {
    const { id, clusterName, clusterDns, environment, lifecycle } = cluster;
    return {
      id,
      clusterName,
      clusterDns,
      environment,
      lifecycle,
      status: await looks.statusOf(cluster),
      reported: await reportedOf(cluster),
      certificate: certificateOf(clusterDns),
    };
  };
  /** All of one moment, in their order. */
  const states = async (
    filter: FleetFilter,
  ): Promise<{ revision: number; found: readonly (readonly [IndexedCluster, FleetState])[] }> => {
    await Promise.all([liveness.refresh(), presentations.loaded()]);
    const { revision, clusters } = await index.current();
    const pause = createPause();
    const found: [IndexedCluster, FleetState][] = [];
    for (const [number, cluster] of clusters.entries()) {
      // A promise for each of 10,000 clusters would cost more than the clusters.
      if (number % CLUSTERS_AT_ONCE === 0) await pause();
      if (!isSelected(cluster, filter, certificateOf)) continue;
      const state = looks.stateAsKnown(cluster);
      if (state === undefined) await pause();
      found.push([cluster, state ?? (await looks.statusOf(cluster)).state]);
    }
    return { revision, found };
  };
  const asView = async <T>(view: () => Promise<T>): Promise<T> => {
    looking += 1;
    try {
      return await view();
    } finally {
      looking -= 1;
    }
  };

  return {
    list: (filter, limit, offset) =>
      asView(async () => {
        const { revision, found } = await states(filter);
        const selected =
          filter.state === undefined ? found : found.filter(([, state]) => state === filter.state);
        const page: StatedCluster[] = [];
        for (const [cluster] of selected.slice(offset, offset + limit)) page.push(await stated(cluster));
        const anchors = countAnchors(found.map(([{ clusterDns }]) => certificateOf(clusterDns)));
        return { revision, total: selected.length, counts: countStates(found), anchors, clusters: page };
      }),
    cluster: (clusterDns) =>
      asView(async () => {
        await Promise.all([liveness.refresh(), presentations.loaded()]);
        const { clusters } = await index.current();
        const cluster = clusters.find((one) => one.clusterDns === clusterDns);
        const served = await servedComponents(parts.reader, clusterDns);
        if (cluster === undefined || served === undefined) return undefined;
        const reports = componentReports(await liveness.reportsOf(clusterDns), served);
        const told = new Set(reports.map(({ component }) => component));
        return {
          ...(await stated(cluster)),
          components: reports.map((report) => ({ ...report, served: served.get(report.component) })),
          unreported: [...served].flatMap(([id, { enabled }]) => (enabled && !told.has(id) ? [id] : [])),
        };
      }),
    counts: () =>
      asView(async () => {
        const { revision, found } = await states({});
        return { revision, counts: countStates(found) };
      }),
    async verify() {
      await asView(() => states({}));
      const rest = createRest(() => looking > 0);
      const { clusters } = await index.current();
      for (const cluster of clusters) {
        await looks.verify(cluster);
        await rest();
      }
    },
  };
}

/** For work that nobody waits for: it holds a fifth of the time, and none while `others` are at it. */
function createRest(others: () => boolean): () => Promise<void> {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < LIMITS.sliceMs && !others()) return;
    do await setTimeout(LIMITS.sliceMs * 4, undefined, { ref: false });
    while (others());
    since = performance.now();
  };
}

function countStates(
  found: readonly (readonly [IndexedCluster, FleetState])[],
): Readonly<Record<FleetState, number>> {
  const counts = Object.fromEntries(FLEET_STATES.map((state) => [state, 0])) as Record<FleetState, number>;
  for (const [, state] of found) counts[state] += 1;
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
