import type { Page } from './access.ts';
import type { ClusterMoment, HistoryReader } from './history.ts';
import type { FleetObject } from './objects.ts';
import { type ClusterPlan, planCluster, type ServedCluster } from './plan.ts';
import { CATALOGUE_KINDS } from './registry.ts';
import { type Catalogue, servedCluster } from './served.ts';

/** Clusters that may differ, a page of them, and how those of the page do. */
export interface RevisionDiff {
  readonly from: number;
  readonly to: number;
  /** How many clusters had their document or what they assign changed; a page looks at some of them. */
  readonly clusters_touched: number;
  readonly clusters: readonly ClusterPlan[];
}

/** What `to` serves that `from` did not; either may be the older. Both are in the history's range. */
export async function diffRevisions(
  from: number,
  to: number,
  history: HistoryReader,
  page: { readonly limit: number; readonly offset: number },
): Promise<RevisionDiff> {
  const touched: Page<string> = await history.clustersTouched(
    Math.min(from, to),
    Math.max(from, to),
    page.limit,
    page.offset,
  );
  const clusters: ClusterPlan[] = [];
  for (const id of touched.items) {
    const plan = diffMoments(await history.clusterAt(id, from), await history.clusterAt(id, to));
    if (plan !== undefined) clusters.push(plan);
  }
  return { from, to, clusters_touched: touched.total, clusters };
}

/** What the cluster was served after `to` that it was not after `from`; undefined: the same. Neither moment: it was not there. */
export function diffMoments(
  from: ClusterMoment | undefined,
  to: ClusterMoment | undefined,
): ClusterPlan | undefined {
  return planCluster(served(from), served(to));
}

function served(moment: ClusterMoment | undefined): ServedCluster | undefined {
  if (moment === undefined) return undefined;
  const byKey = new Map<string, FleetObject>();
  for (const kind of CATALOGUE_KINDS) {
    for (const entry of moment.entries[kind]) byKey.set(`${kind}/${entry.id}`, entry);
  }
  const catalogue = ((kind, id) => byKey.get(`${kind}/${id}`)) as Catalogue;
  return servedCluster(moment.cluster, CATALOGUE_KINDS, catalogue, undefined, moment.pinned);
}
