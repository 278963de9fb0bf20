import { FluxgateError } from '../core/errors.ts';
import type { CatalogueKind, FleetReader } from '../core/fleet/access.ts';
import type { HistoryReader } from '../core/fleet/history.ts';
import { CLUSTER_STATES, type ClusterState, ENVIRONMENTS, type Environment } from '../core/fleet/objects.ts';
import type { Pause } from '../core/fleet/pause.ts';
import { isCatalogueKind } from '../core/fleet/registry.ts';
import { inputsDigest, type RenderedInputs, renderInputs, serialiseInputs } from '../core/fleet/render.ts';
import { createPause } from './pause.ts';
import type { ClusterOutline, OutlinedChange, OutlineStore, Position } from './store/outlines.ts';

/** What is shown of a cluster without reading its document. There may be 100,000 of them. */
export interface IndexedCluster {
  readonly id: string;
  readonly clusterName: string;
  readonly clusterDns: string;
  readonly environment: Environment;
  readonly lifecycle: ClusterState;
  /** `key=value` */
  readonly labels: readonly string[];
  /** No later revision than this may have changed what it is served. */
  readonly touched: number;
}

/** The clusters that are served, by id: those of one revision. */
export interface FleetMoment {
  readonly revision: number;
  readonly clusters: readonly IndexedCluster[];
}

/**
 * The fleet as far as it is looked at again and again: read once, and then kept up with by its revisions. A cluster that was
 * touched is another object, so that whatever is remembered of the one before ends with it.
 */
export interface FleetIndex {
  /** As new as the store is now. */
  current(): Promise<FleetMoment>;
  /** Of the moment that was read last. */
  readonly revision: number;
  /** Of the revisions up to this one it is not known yet whom they touched. */
  readonly exactSince: number;
  /** Finds it out from this revision on, as far as the past is kept; `touched` says so from then on. */
  lookBackTo(revision: number): Promise<void>;
  /** Of the answer of now; undefined: there is none to be given. */
  digest(cluster: IndexedCluster, kind: CatalogueKind): Promise<string | undefined>;
}

const PAGE = 500;
/** Revisions that are looked back at once: whoever asks for one asks for the one before soon after. */
const LOOK_BACK_MIN = 64;

type Indexed = { -readonly [K in keyof IndexedCluster]: IndexedCluster[K] };

/** By id: the newest revision, of those that were looked at, that may have changed what the cluster is served. */
type Touched = ReadonlyMap<string, number>;

export function createFleetIndex(store: {
  readonly reader: FleetReader;
  readonly history: Pick<HistoryReader, 'range'>;
  readonly outlines: OutlineStore;
}): FleetIndex {
  const { reader, history, outlines } = store;
  const known = new Map<string, Indexed>();
  let moment: FleetMoment | undefined;
  /** Of every revision after this one it is known whom it touched; of the others that they are not later than this one. */
  let exactSince = 0;

  const put = (outline: ClusterOutline | undefined, id: string, touched: number): void => {
    if (outline === undefined || outline.state === 'retired') known.delete(id);
    else known.set(id, indexed(outline, touched));
  };
  const readAll = async (newest: number): Promise<void> => {
    known.clear();
    const pause = createPause();
    for (let after = ''; ; ) {
      const page = await outlines.clusters(after, PAGE);
      for (const outline of page) put(outline, outline.id, newest);
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last.id;
      await pause();
    }
    exactSince = newest;
  };
  /** false: some of those revisions are gone. */
  const readChanges = async (since: number, newest: number): Promise<boolean> => {
    const pause = createPause();
    const changed = await changesBetween(outlines, since, newest, pause);
    const touched = await touchedBy(outlines, changed, pause);
    if ((await history.range()).oldest > since + 1) return false;
    for (const { kind, id, revision } of changed) {
      if (kind !== 'cluster') continue;
      put(await outlines.cluster(id), id, revision);
      await pause();
    }
    for (const [id, revision] of touched) {
      const cluster = known.get(id);
      if (cluster !== undefined) known.set(id, { ...cluster, touched: Math.max(cluster.touched, revision) });
    }
    return true;
  };
  const catchUp = async (): Promise<FleetMoment> => {
    for (;;) {
      const { oldest, newest } = await history.range();
      if (moment?.revision === newest) return moment;
      const followed = moment !== undefined && moment.revision <= newest && oldest <= moment.revision + 1;
      if (moment === undefined || !followed || !(await readChanges(moment.revision, newest))) {
        await readAll(newest);
      }
      const clusters = [...known.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
      moment = { revision: newest, clusters };
    }
  };
  const lookBack = async (wanted: number): Promise<void> => {
    const far = Math.min(wanted, exactSince - LOOK_BACK_MIN);
    const since = Math.max(far, (await history.range()).oldest - 1);
    if (since >= exactSince) return;
    const pause = createPause();
    const changed = await changesBetween(outlines, since, exactSince, pause);
    const touched = await touchedBy(outlines, changed, pause);
    if ((await history.range()).oldest > since + 1) return;
    // At once: half of it would be the wrong half.
    for (const cluster of known.values()) {
      if (cluster.touched <= exactSince) cluster.touched = touched.get(cluster.id) ?? since;
    }
    exactSince = since;
  };
  let last: Promise<unknown> = Promise.resolve();
  const afterOthers = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  let catching: Promise<FleetMoment> | undefined;

  return {
    current() {
      catching ??= afterOthers(catchUp).finally(() => {
        catching = undefined;
      });
      return catching;
    },
    get revision() {
      return moment?.revision ?? 0;
    },
    get exactSince() {
      return exactSince;
    },
    lookBackTo: (revision) => afterOthers(() => lookBack(revision)),
    digest: (cluster, kind) => digestOf(reader, cluster.clusterDns, kind),
  };
}

/** Of 100,000 objects each is small: what is the same text is one. */
function indexed(outline: ClusterOutline, touched: number): Indexed {
  const { id, clusterName, clusterDns, environment, state, labels } = outline;
  return {
    id,
    clusterName: clusterName === id ? id : clusterName,
    clusterDns,
    environment: same(ENVIRONMENTS, environment),
    lifecycle: same(CLUSTER_STATES, state),
    labels: labels.length === 0 ? NO_LABELS : labels,
    touched,
  };
}

const NO_LABELS: readonly string[] = Object.freeze([]);

const same = <T extends string>(all: readonly T[], one: T): T => all.find((known) => known === one) ?? one;

/** Each object once, by the newest of the revisions that changed it. */
async function changesBetween(
  outlines: OutlineStore,
  since: number,
  upTo: number,
  pause: Pause,
): Promise<readonly OutlinedChange[]> {
  const newest = new Map<string, OutlinedChange>();
  let before: Position = { revision: upTo + 1, kind: '', id: '' };
  for (;;) {
    const page = await outlines.changes(since, before, PAGE);
    for (const change of page) {
      const key = `${change.kind} ${change.id}`;
      if (!newest.has(key)) newest.set(key, change);
    }
    const last = page.at(-1);
    if (last === undefined || page.length < PAGE) return [...newest.values()];
    before = last;
    await pause();
  }
}

async function touchedBy(
  outlines: OutlineStore,
  changed: readonly OutlinedChange[],
  pause: Pause,
): Promise<Touched> {
  const touched = new Map<string, number>();
  const touch = (id: string, revision: number): void => {
    if ((touched.get(id) ?? 0) < revision) touched.set(id, revision);
  };
  for (const { kind, id, revision } of changed) {
    if (!isCatalogueKind(kind)) touch(id, revision);
    else {
      for (let after = 0; ; ) {
        const users = await outlines.clustersUsing(kind, id, after, PAGE);
        for (const user of users) touch(user.id, revision);
        await pause();
        const lastUser = users.at(-1);
        if (lastUser === undefined || users.length < PAGE) break;
        after = lastUser.place;
      }
    }
  }
  return touched;
}

async function digestOf(
  reader: FleetReader,
  clusterDns: string,
  kind: CatalogueKind,
): Promise<string | undefined> {
  try {
    const inputs = await reader.clusterInputs(clusterDns, kind);
    if (inputs === undefined) return undefined;
    return inputsDigest(inputs.pinned ?? serialiseInputs(renderInputs(kind, inputs)));
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
