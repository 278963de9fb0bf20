import type { CatalogueKind } from '../core/fleet/access.ts';
import { CATALOGUE_KINDS, fluxRoute } from '../core/fleet/registry.ts';
import type { RoutePolls } from '../core/liveness/polls.ts';
import {
  type ClusterStatus,
  clusterStatus,
  type FleetState,
  settledUntilMs,
} from '../core/liveness/states.ts';
import type { OperationTable } from '../core/policy/operations.ts';
import type { Clock } from './clock.ts';
import type { FleetIndex, IndexedCluster } from './fleet-index.ts';
import type { Liveness } from './liveness.ts';
import type { Refusals } from './refusals.ts';
import { type Rumour, rumoursOf } from './refused-polls.ts';

/** How clusters are, and what was found out about it before. */
export interface FleetLooks {
  /** From memory; undefined: it has to be learnt first what is answered. */
  stateAsKnown(cluster: IndexedCluster): FleetState | undefined;
  statusOf(cluster: IndexedCluster): Promise<ClusterStatus>;
  /** Compares what was polled with what would be answered, whatever the revisions say. */
  verify(cluster: IndexedCluster): Promise<void>;
}

export interface FleetLookParts {
  readonly index: FleetIndex;
  readonly liveness: Pick<Liveness, 'of' | 'versionOf' | 'hasServed'>;
  readonly refusals: Pick<Refusals, 'ofCluster'>;
  readonly operations: OperationTable;
  readonly clock: Clock;
}

const KIND_OF: ReadonlyMap<string, CatalogueKind> = new Map(
  CATALOGUE_KINDS.map((kind) => [fluxRoute(kind).segment, kind]),
);
const ROUTES: readonly string[] = [...KIND_OF.keys()];

/** What was found of a cluster, which holds for as long as its record is of this version, from `atMs` until `untilMs`. */
interface Look {
  readonly version: number;
  readonly state: FleetState;
  readonly atMs: number;
  readonly untilMs: number;
}

/** The digests of what a cluster is answered, where they were looked up; null: there is no answer to be given. */
type Answered = Partial<Record<CatalogueKind, string | null>>;

export function createFleetLooks(parts: FleetLookParts): FleetLooks {
  const { index, liveness, clock } = parts;
  // A cluster that is touched is another object, with which all of this is forgotten.
  const looks = new WeakMap<IndexedCluster, Look>();
  const answered = new WeakMap<IndexedCluster, Answered>();

  /** Looks up what is answered, of kinds of which nothing else says whether the cluster is behind. */
  const learn = async (cluster: IndexedCluster, kinds: readonly CatalogueKind[]): Promise<void> => {
    const record = liveness.of(cluster.clusterDns) ?? {};
    for (const kind of kinds) {
      const polls = record[fluxRoute(kind).segment]?.polls;
      if (polls === undefined) continue;
      if (polls.revision < index.exactSince) await index.lookBackTo(polls.revision);
      if (isUntouched(index, cluster, polls)) continue;
      const digest = await index.digest(cluster, kind);
      answered.set(cluster, { ...answered.get(cluster), [kind]: digest ?? null });
    }
  };
  const statusOf = async (cluster: IndexedCluster): Promise<ClusterStatus> => {
    for (;;) {
      const { status, unknown } = statusAsKnown(parts, cluster, answered.get(cluster));
      if (unknown.length === 0) return status;
      await learn(cluster, unknown);
    }
  };
  const stateAsKnown = (cluster: IndexedCluster): FleetState | undefined => {
    const nowMs = clock.now();
    const version = liveness.versionOf(cluster.clusterDns);
    const before = looks.get(cluster);
    if (before?.version === version && isOf(before, nowMs)) return before.state;
    const { status, unknown } = statusAsKnown(parts, cluster, answered.get(cluster));
    if (unknown.length > 0) return undefined;
    const { state } = status;
    const record = liveness.of(cluster.clusterDns);
    if (record === undefined || version === undefined) return state;
    const untilMs = settledUntilMs(record, nowMs);
    if (untilMs !== undefined) looks.set(cluster, { version, state, atMs: nowMs, untilMs });
    return state;
  };

  return {
    stateAsKnown,
    statusOf,
    async verify(cluster) {
      const record = liveness.of(cluster.clusterDns) ?? {};
      for (const [route, { polls }] of Object.entries(record)) {
        const kind = KIND_OF.get(route);
        if (polls === undefined || kind === undefined) continue;
        if (answered.get(cluster)?.[kind] !== undefined) continue;
        if (liveness.hasServed(cluster.clusterDns, kind, cluster.touched)) continue;
        const digest = await index.digest(cluster, kind);
        if (digest === polls.digest) continue;
        answered.set(cluster, { ...answered.get(cluster), [kind]: digest ?? null });
        looks.delete(cluster);
      }
    },
  };
}

/** The clock may have been put back. */
const isOf = (look: Look | undefined, nowMs: number): look is Look =>
  look !== undefined && look.atMs <= nowMs && nowMs <= look.untilMs;

/**
 * Whether the revisions say that what was polled is what is answered still: nothing in an answer changes without one
 * (flux-answers.ts). Of a revision that is not known here, as that of a store which was put back to an earlier moment, they say nothing.
 */
function isUntouched(
  index: Pick<FleetIndex, 'revision'>,
  { touched }: IndexedCluster,
  { revision }: Pick<RoutePolls, 'revision'>,
): boolean {
  return touched <= revision && revision <= index.revision;
}

/** By what is known without a look at the store; of an answer that cannot be given there is no digest, and nobody is behind it. */
function statusAsKnown(
  { index, liveness, refusals, operations, clock }: FleetLookParts,
  cluster: IndexedCluster,
  answered: Answered | undefined,
): { readonly status: ClusterStatus; readonly unknown: readonly CatalogueKind[] } {
  const { clusterDns, touched } = cluster;
  const record = liveness.of(clusterDns) ?? {};
  const unknown: CatalogueKind[] = [];
  const isBehind = (route: string): boolean => {
    const polls = record[route]?.polls;
    const kind = KIND_OF.get(route);
    if (polls === undefined || kind === undefined || liveness.hasServed(clusterDns, kind, touched))
      return false;
    const now = answered?.[kind];
    if (now !== undefined) return now !== null && now !== polls.digest;
    if (!isUntouched(index, cluster, polls)) unknown.push(kind);
    return false;
  };
  let rumours: readonly Rumour[] | undefined;
  const status = clusterStatus(record, ROUTES, {
    nowMs: clock.now(),
    isBehind,
    rumour(route) {
      rumours ??= rumoursOf(refusals, operations, clusterDns);
      return rumours.find((one) => one.route === route)?.attempt;
    },
  });
  return { status, unknown };
}
