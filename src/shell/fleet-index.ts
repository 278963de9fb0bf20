import { createHash } from 'node:crypto';
import { FluxgateError } from '../core/errors.ts';
import type { CatalogueKind, FleetReader } from '../core/fleet/access.ts';
import type { HistoryReader } from '../core/fleet/history.ts';
import type { Cluster, ClusterState, Environment } from '../core/fleet/objects.ts';
import { listAll } from '../core/fleet/pause.ts';
import { type RenderedInputs, renderInputs, serialiseInputs } from '../core/fleet/render.ts';
import { stateOf } from '../core/fleet/states.ts';
import { createPause } from './pause.ts';

/** What is shown of a cluster without reading its document. */
export interface IndexedCluster {
  readonly id: string;
  readonly clusterName: string;
  readonly clusterDns: string;
  readonly environment: Environment;
  readonly lifecycle: ClusterState;
  /** `key=value` */
  readonly labels: readonly string[];
  /** The newest revision that may have changed what it is served. */
  readonly touched: number;
}

/** The clusters that are served, by id: those of one revision. */
export interface FleetMoment {
  readonly revision: number;
  readonly clusters: readonly IndexedCluster[];
}

/** The fleet as far as it is looked at again and again: read once, and then kept up with by its revisions. */
export interface FleetIndex {
  /** As new as the store is now. */
  current(): Promise<FleetMoment>;
  /** Of the answer of now; undefined: there is none to be given. */
  digest(cluster: IndexedCluster, kind: CatalogueKind): Promise<string | undefined>;
  /** The same where it was asked for before, and nothing has changed since. */
  knownDigest(cluster: IndexedCluster, kind: CatalogueKind): string | undefined;
}

const PAGE = 1_000;

export function createFleetIndex(store: {
  readonly reader: FleetReader;
  readonly history: HistoryReader;
}): FleetIndex {
  const { reader, history } = store;
  const known = new Map<string, IndexedCluster>();
  let moment: FleetMoment | undefined;
  /** Per cluster as it was touched last: an entry that is replaced takes its digests with it. */
  const digests = new WeakMap<IndexedCluster, Map<CatalogueKind, string | undefined>>();

  const put = (cluster: Cluster | undefined, id: string, touched: number): void => {
    if (cluster === undefined || stateOf(cluster) === 'retired') known.delete(id);
    else known.set(id, indexed(cluster, touched));
  };
  const readAll = async (newest: number): Promise<void> => {
    known.clear();
    for (const cluster of await listAll('cluster', reader, createPause())) put(cluster, cluster.id, newest);
  };
  const readChanges = async (since: number, newest: number): Promise<void> => {
    const pause = createPause();
    for (const { kind, id } of await history.changedSince(since)) {
      if (kind === 'cluster') put(await reader.get('cluster', id), id, newest);
      await pause();
    }
    for (let offset = 0; ; offset += PAGE) {
      const { items } = await history.clustersTouched(since, newest, PAGE, offset);
      for (const id of items) {
        const cluster = known.get(id);
        if (cluster !== undefined) known.set(id, { ...cluster, touched: newest });
      }
      if (items.length < PAGE) return;
      await pause();
    }
  };
  const catchUp = async (): Promise<FleetMoment> => {
    for (;;) {
      const { oldest, newest } = await history.range();
      if (moment?.revision === newest) return moment;
      const followed = moment !== undefined && moment.revision <= newest && oldest <= moment.revision + 1;
      if (moment !== undefined && followed) await readChanges(moment.revision, newest);
      else await readAll(newest);
      const clusters = [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      moment = { revision: newest, clusters };
    }
  };
  let catching: Promise<FleetMoment> | undefined;

  return {
    current() {
      catching ??= catchUp().finally(() => {
        catching = undefined;
      });
      return catching;
    },
    knownDigest: (cluster, kind) => digests.get(cluster)?.get(kind),
    async digest(cluster, kind) {
      const own = digests.get(cluster) ?? new Map<CatalogueKind, string | undefined>();
      digests.set(cluster, own);
      if (!own.has(kind)) own.set(kind, await digestOf(reader, cluster.clusterDns, kind));
      return own.get(kind);
    },
  };
}

function indexed(cluster: Cluster, touched: number): IndexedCluster {
  const { id, cluster_name: clusterName, cluster_dns: clusterDns, environment } = cluster;
  const labels = Object.entries(cluster.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return { id, clusterName, clusterDns, environment, lifecycle: stateOf(cluster), labels, touched };
}

async function digestOf(
  reader: FleetReader,
  clusterDns: string,
  kind: CatalogueKind,
): Promise<string | undefined> {
  try {
    const inputs = await reader.clusterInputs(clusterDns, kind);
    if (inputs === undefined) return undefined;
    const bytes = inputs.pinned ?? serialiseInputs(renderInputs(kind, inputs));
    return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  } catch (error) {
    // One cluster that cannot be answered is no reason to tell nothing of the others.
    if (error instanceof FluxgateError) return undefined;
    throw error;
  }
}

/** What the cluster is served on this route now; undefined: it is not served. */
export async function renderedFor(
  reader: Pick<FleetReader, 'clusterInputs'>,
  clusterDns: string,
  kind: CatalogueKind,
): Promise<RenderedInputs | undefined> {
  const inputs = await reader.clusterInputs(clusterDns, kind);
  if (inputs === undefined) return undefined;
  return inputs.pinned === undefined
    ? renderInputs(kind, inputs)
    : (JSON.parse(inputs.pinned) as RenderedInputs);
}
