import type { CatalogueKind, FleetReader } from './access.ts';
import { assemblePlan } from './assemble-plan.ts';
import { mayDiffer } from './may-differ.ts';
import type { Cluster, FleetKind, FleetObjects } from './objects.ts';
import type { Pause } from './pause.ts';
import {
  type ChangeMemory,
  type ClusterPlan,
  type LimitWarning,
  type ObjectChange,
  type Plan,
  planCluster,
} from './plan.ts';
import { planByCatalogue, RoutesAlike } from './plan-by-catalogue.ts';
import { TELL_NOBODY, type TellProgress } from './progress.ts';
import { CATALOGUE_KINDS, fluxRoute, isCatalogueKind } from './registry.ts';
import { answersOf, type Catalogue, type MayDiffer, type PinnedAnswers, servedCluster } from './served.ts';
import { stateOf } from './states.ts';

/** Finds the clusters that a set of changes touches, and plans each. */

/** One cluster before and after all changes, with the catalogue of each moment. */
export interface TouchedCluster {
  readonly before: Cluster | undefined;
  readonly after: Cluster | undefined;
  /** The kinds whose routes may differ. */
  readonly kinds: readonly CatalogueKind[];
  readonly catalogueBefore: Catalogue;
  readonly catalogueAfter: Catalogue;
}

/** Looks at each touched cluster once, e.g. for limits; returns what is worth a warning, throws at the end what is refused. */
export interface ClusterInspection {
  inspect(touched: TouchedCluster): readonly LimitWarning[];
}

const PAGE = 50;

/** `reader` reads the state before the changes. Nothing is written. */
export async function planChanges(
  changes: readonly ObjectChange[],
  reader: FleetReader,
  pause: Pause,
  inspection?: ClusterInspection,
  tell: TellProgress = TELL_NOBODY,
): Promise<PlannedChanges> {
  const catalogues = createCatalogues(changes, reader);
  const clusters: ClusterPlan[] = [];
  const warnings: LimitWarning[] = [];
  const pins = new Map<string, PinnedAnswers>();
  const changed = changedEntries(changes);
  const memory: ChangeMemory = new Map();
  const alike = new RoutesAlike();
  const total = clustersToPlan(changes);
  let done = 0;
  const planOne = async (touched: Touched): Promise<ClusterPlan | undefined> => {
    const { before, after, kinds } = touched;
    const { catalogueBefore, catalogueAfter } = catalogues;
    const pinned = await pinsFor(catalogues, touched, reader);
    const only = lookedAt(touched, pinned, changed);
    if (after !== undefined && pinned.fresh !== undefined) pins.set(after.id, pinned.fresh);
    const planned = planCluster(
      before && servedCluster(before, kinds, catalogueBefore, only, pinned.before),
      after && servedCluster(after, kinds, catalogueAfter, only, pinned.after),
      memory,
    );
    return planned === undefined ? undefined : withPast(planned, reader);
  };
  for await (const page of touchedClusters(changes, reader)) {
    // Of most clusters nothing has to be waited for, and ten thousand promises cost as much as what they are about.
    for (const touched of page) {
      const { before, after, kinds } = touched;
      tell('planning', done++, total);
      const loading = catalogues.load(before, after, kinds);
      if (loading !== undefined) await loading;
      const planned =
        before !== undefined && before === after && stateOf(before) !== 'frozen'
          ? planByCatalogue(before, kinds, catalogues, changed, memory, alike)
          : await planOne(touched);
      if (planned !== undefined) clusters.push(planned);
      const { catalogueBefore, catalogueAfter } = catalogues;
      const found = inspection?.inspect({ before, after, kinds, catalogueBefore, catalogueAfter });
      if (found !== undefined) warnings.push(...found);
      const due = pause();
      if (due !== undefined) await due;
    }
  }
  return { plan: await assemblePlan(changes, clusters, warnings, pause), pins };
}

/** Undefined: what uses an object that is replaced is found on the way. */
function clustersToPlan(changes: readonly ObjectChange[]): number | undefined {
  const found = changes.some(
    ({ kind, before, after }) => kind !== 'cluster' && before !== undefined && after !== undefined,
  );
  return found ? undefined : changes.filter(({ kind }) => kind === 'cluster').length;
}

type ChangedEntries = (kind: CatalogueKind) => ReadonlySet<string>;

function changedEntries(changes: readonly ObjectChange[]): ChangedEntries {
  const byKind = new Map<FleetKind, Set<string>>(CATALOGUE_KINDS.map((kind) => [kind, new Set()]));
  for (const { kind, id } of changes) byKind.get(kind)?.add(id);
  const none: ReadonlySet<string> = new Set();
  return (kind) => byKind.get(kind) ?? none;
}

/** Whatever is answered on one side only, or out of what is pinned, is looked at as a whole. */
function lookedAt(
  { before, after }: Pick<Touched, 'before' | 'after'>,
  pinned: Pins,
  changed: ChangedEntries,
): MayDiffer | undefined {
  if (before === undefined || after === undefined) return undefined;
  if (pinned.before !== undefined || pinned.after !== undefined) return undefined;
  if (stateOf(before) === 'retired' || stateOf(after) === 'retired') return undefined;
  return (kind) => mayDiffer(before, after, kind, changed(kind));
}

/** Whoever answers under this name from now on answers a cluster that still holds what it was served under it before. */
async function withPast(planned: ClusterPlan, reader: FleetReader): Promise<ClusterPlan> {
  if (planned.answers !== 'begins' && planned.answers !== 'moves') return planned;
  const revived = planned.state === 'retired' || (await reader.isRatcheted(planned.cluster_dns));
  return revived ? { ...planned, revived } : planned;
}

interface Pins {
  readonly before: PinnedAnswers | undefined;
  readonly after: PinnedAnswers | undefined;
  /** What is to be pinned by this write. */
  readonly fresh: PinnedAnswers | undefined;
}

/**
 * A cluster is frozen at what it is served when the write comes. One that begins frozen was deleted so, and a revert brings
 * it back: what it was served then is what Flux still holds.
 */
async function pinsFor(
  { catalogueBefore, catalogueAfter }: Catalogues,
  { before, after, undoes }: Omit<Touched, 'kinds'>,
  reader: FleetReader,
): Promise<Pins> {
  const pinned = await pinsOf(before, reader);
  if (after === undefined || stateOf(after) !== 'frozen') {
    return { before: pinned, after: undefined, fresh: undefined };
  }
  if (pinned !== undefined) return { before: pinned, after: pinned, fresh: undefined };
  if (before !== undefined) {
    const fresh = answersOf(before, catalogueBefore);
    return { before: undefined, after: fresh, fresh };
  }
  // Of the very revision that is taken back: the id may have been another cluster's since.
  const former = undoes === undefined ? undefined : await reader.formerAnswers(after.id, undoes);
  const fresh = former ?? answersOf(after, catalogueAfter);
  return { before: undefined, after: fresh, fresh };
}

async function pinsOf(cluster: Cluster | undefined, reader: FleetReader): Promise<PinnedAnswers | undefined> {
  if (cluster === undefined || stateOf(cluster) !== 'frozen') return undefined;
  const pinned = await reader.pinnedAnswers(cluster.id);
  if (pinned !== undefined) return pinned;
  throw new Error(`cluster ${cluster.id} is frozen and nothing is pinned`);
}

export interface PlannedChanges {
  readonly plan: Plan;
  /** For each cluster that these changes freeze, the answers that it keeps. */
  readonly pins: ReadonlyMap<string, PinnedAnswers>;
}

interface Touched extends Pick<TouchedCluster, 'before' | 'after' | 'kinds'> {
  readonly undoes?: number | undefined;
}

/** Page by page. */
async function* touchedClusters(
  changes: readonly ObjectChange[],
  reader: FleetReader,
): AsyncGenerator<readonly Touched[]> {
  const done = new Set<string>();
  const own: Touched[] = [];
  for (const change of changes) {
    if (change.kind !== 'cluster') continue;
    done.add(change.id);
    const { before, after } = change as { before: Cluster | undefined; after: Cluster | undefined };
    own.push({ before, after, kinds: CATALOGUE_KINDS, undoes: change.undoes });
  }
  yield own;
  // What is created has no users yet; the users of what is deleted are changed themselves, or the store refuses.
  const replaced = changes.filter(({ before, after }) => before !== undefined && after !== undefined);
  const kinds = CATALOGUE_KINDS.filter((kind) => replaced.some((change) => change.kind === kind));
  for (const { kind, id } of replaced) {
    if (!isCatalogueKind(kind)) continue;
    for (let after = ''; ; ) {
      const page = await reader.clustersUsing(kind, id, after, PAGE);
      const fresh: Touched[] = [];
      for (const cluster of page) {
        if (done.has(cluster.id)) continue;
        done.add(cluster.id);
        fresh.push({ before: cluster, after: cluster, kinds });
      }
      yield fresh;
      const last = page.at(-1);
      if (last === undefined || page.length < PAGE) break;
      after = last.id;
    }
  }
}

interface Catalogues {
  readonly catalogueBefore: Catalogue;
  readonly catalogueAfter: Catalogue;
  /** Reads the entries that these documents assign, each once for the whole plan; undefined: all of them are there. */
  load(
    before: Cluster | undefined,
    after: Cluster | undefined,
    kinds: readonly CatalogueKind[],
  ): Promise<void> | undefined;
}

type Entries = Record<CatalogueKind, Map<string, FleetObjects[FleetKind] | undefined>>;

/** Asked for each entry of each cluster: no key is put together for it. */
const entriesByKind = (): Entries =>
  Object.fromEntries(CATALOGUE_KINDS.map((kind) => [kind, new Map()])) as Entries;

function createCatalogues(changes: readonly ObjectChange[], reader: FleetReader): Catalogues {
  const stored = entriesByKind();
  const changed = entriesByKind();
  for (const { kind, id, before, after } of changes) {
    if (!isCatalogueKind(kind)) continue;
    stored[kind].set(id, before);
    changed[kind].set(id, after);
  }
  const entry = <K extends CatalogueKind>(
    found: FleetObjects[FleetKind] | undefined,
    kind: K,
    id: string,
  ): FleetObjects[K] => {
    if (found === undefined) throw new Error(`plan: there is no ${kind} ${id}`);
    return found as FleetObjects[K];
  };
  const read = async (wanted: readonly (readonly [CatalogueKind, string])[]): Promise<void> => {
    for (const [kind, id] of wanted) {
      if (!stored[kind].has(id)) stored[kind].set(id, await reader.get(kind, id));
    }
  };
  return {
    catalogueBefore: (kind, id) => entry(stored[kind].get(id), kind, id),
    catalogueAfter: (kind, id) =>
      entry(changed[kind].has(id) ? changed[kind].get(id) : stored[kind].get(id), kind, id),
    load(before, after, kinds) {
      const missing = (cluster: Cluster | undefined): readonly [CatalogueKind, string][] =>
        cluster === undefined ? [] : missingIn(cluster, kinds, stored);
      const wanted = before === after ? missing(before) : [...missing(before), ...missing(after)];
      return wanted.length === 0 ? undefined : read(wanted);
    },
  };
}

function missingIn(
  cluster: Cluster,
  kinds: readonly CatalogueKind[],
  stored: Entries,
): [CatalogueKind, string][] {
  const missing: [CatalogueKind, string][] = [];
  for (const kind of kinds) {
    const known = stored[kind];
    for (const { id } of cluster[fluxRoute(kind).assignedIn]) if (!known.has(id)) missing.push([kind, id]);
  }
  return missing;
}
