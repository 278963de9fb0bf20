import { type ErrorDetail, FluxgateError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { CatalogueKind } from './access.ts';
import { pointer } from './canonical.ts';
import type { Cluster, PlatformComponent } from './objects.ts';
import type { LimitWarning, ObjectChange } from './plan.ts';
import type { ClusterInspection, TouchedCluster } from './plan-changes.ts';
import { CATALOGUE_KINDS, fluxRoute, kindDefinition } from './registry.ts';
import { routeBytes, routeBytesBound } from './route-bytes.ts';
import { boundDetails } from './schemas.ts';
import type { Catalogue } from './served.ts';
import { tagProblem } from './sources.ts';

/**
 * What a cluster's document may not come to, whichever object the write is of: more inputs or bytes than Flux takes (it cuts
 * off the rest and uninstalls it), or a component without its dependencies (Flux waits for them for ever). What was so
 * before the write is no fault of it: a fleet from before these rules can be put right step by step.
 */

interface Problem {
  readonly cluster: Cluster;
  /** Pointer into the cluster's document. */
  readonly field: string;
  readonly problem: string;
}

/** A refusal names this many clusters' problems, and counts the others. */
const PROBLEMS_KEPT_MAX = 1_000;

const WARNING_SHARE = 0.8;

export interface Inspection extends ClusterInspection {
  /** Throws `validation_error` when some cluster would break a rule. */
  throwIfRefused(): void;
}

export function inspectClusters(changes: readonly ObjectChange[]): Inspection {
  const problems: Problem[] = [];
  let total = 0;
  const components = changes.filter(({ kind }) => kind === 'platform_component');
  const news = {
    dependencies: components.some((change) => isNew(change, 'depends_on')),
    sources: components.some((change) => isNew(change, 'oci_url')),
  };
  return {
    inspect(touched) {
      const { after, before } = touched;
      if (after === undefined) return [];
      const found = [
        // A document that stays has its old problems only, unless the catalogue says otherwise now: of 10,000 that is half the work.
        ...(before !== after || news.dependencies ? dependencyProblems(touched, after) : []),
        ...countProblems(touched, after),
        ...(before !== after || news.sources ? tagProblems(touched, after) : []),
      ];
      const warnings: LimitWarning[] = [];
      for (const kind of touched.kinds) {
        const { warning, problem } = checkBytes(kind, after, touched);
        if (problem !== undefined) found.push(problem);
        if (warning !== undefined) warnings.push(warning);
        const count = countWarning(kind, after, before);
        if (count !== undefined) warnings.push(count);
      }
      total += found.length;
      if (problems.length < PROBLEMS_KEPT_MAX) problems.push(...found);
      return warnings;
    },
    throwIfRefused() {
      if (total > 0) throw refusal(changes, problems, total);
    },
  };
}

/** Of a component: whether this write says something else in this field, or is the first or last that says anything. */
function isNew({ before, after }: ObjectChange, field: 'depends_on' | 'oci_url'): boolean {
  if (before === undefined || after === undefined) return true;
  const [was, is] = [before, after] as [PlatformComponent, PlatformComponent];
  return JSON.stringify(was[field]) !== JSON.stringify(is[field]);
}

/** What a cluster that was never there before is refused for: more than Flux takes. */
export function limitProblems(cluster: Cluster, catalogue: Catalogue): readonly ErrorDetail[] {
  const touched = {
    before: undefined,
    after: cluster,
    kinds: CATALOGUE_KINDS,
    catalogueBefore: catalogue,
    catalogueAfter: catalogue,
  };
  const inBytes = CATALOGUE_KINDS.flatMap((kind) => checkBytes(kind, cluster, touched).problem ?? []);
  return [...countProblems(touched, cluster), ...tagProblems(touched, cluster), ...inBytes];
}

/** A cluster's own tag is for the catalogue's URL, which the cluster's document does not know. */
function tagProblems(touched: TouchedCluster, after: Cluster): Problem[] {
  if (!touched.kinds.includes('platform_component')) return [];
  const known = new Set(badTags(touched.before, touched.catalogueBefore).map(({ key }) => key));
  return badTags(after, touched.catalogueAfter).flatMap(({ key, position, problem }) =>
    known.has(key)
      ? []
      : [{ cluster: after, field: pointer('platform_components', position, 'oci_tag'), problem }],
  );
}

function badTags(
  cluster: Cluster | undefined,
  catalogue: Catalogue,
): { readonly key: string; readonly position: number; readonly problem: string }[] {
  return (cluster?.platform_components ?? []).flatMap(({ id, oci_tag }, position) => {
    if (oci_tag === undefined) return [];
    const problem = tagProblem(catalogue('platform_component', id).oci_url, oci_tag);
    return problem === undefined ? [] : [{ key: `${id} ${oci_tag}`, position, problem }];
  });
}

function dependencyProblems(touched: TouchedCluster, after: Cluster): Problem[] {
  if (!touched.kinds.includes('platform_component')) return [];
  const missing = missingDependencies(after, touched.catalogueAfter);
  if (missing.length === 0) return [];
  const known = new Set(
    touched.before === undefined
      ? []
      : missingDependencies(touched.before, touched.catalogueBefore).map(({ key }) => key),
  );
  return missing
    .filter(({ key }) => !known.has(key))
    .map(({ field, problem }) => ({ cluster: after, field, problem }));
}

export interface MissingDependency {
  /** Which component lacks which. */
  readonly key: string;
  readonly field: string;
  readonly problem: string;
}

/** Enabled components of this cluster whose dependencies are not assigned to it, or not enabled. */
export function missingDependencies(cluster: Cluster, catalogue: Catalogue): MissingDependency[] {
  const enabled = new Map(cluster.platform_components.map((entry) => [entry.id, entry.enabled]));
  return cluster.platform_components.flatMap((entry, position) => {
    if (!entry.enabled) return [];
    return catalogue('platform_component', entry.id)
      .depends_on.filter((dependency) => enabled.get(dependency) !== true)
      .map((dependency) => {
        const what = enabled.has(dependency)
          ? 'is disabled: enable it'
          : 'is not assigned: assign and enable it';
        return {
          key: `${entry.id} ${dependency}`,
          field: pointer('platform_components', position),
          problem: `"${entry.id}" is enabled and depends on "${dependency}", which ${what}, or disable "${entry.id}"`,
        };
      });
  });
}

function countProblems({ before, kinds }: TouchedCluster, after: Cluster): Problem[] {
  const limit = filterLimit(after);
  return kinds.flatMap((kind) => {
    const list = fluxRoute(kind).assignedIn;
    const count = after[list].length;
    if (count <= limit) return [];
    if (before !== undefined && before[list].length >= count && filterLimit(before) <= limit) return [];
    const problem = `has ${count} entries, and Flux reads the first ${limit} of a route and uninstalls the rest: assign fewer, or raise filter_limit here and spec.filter.limit of the cluster's provider`;
    return [{ cluster: after, field: pointer(list), problem }];
  });
}

function countWarning(
  kind: CatalogueKind,
  after: Cluster,
  before: Cluster | undefined,
): LimitWarning | undefined {
  if (before === after) return undefined; // a change of the catalogue alone changes no counts
  const { assignedIn, segment } = fluxRoute(kind);
  const limit = filterLimit(after);
  const value = after[assignedIn].length;
  if (value < limit * WARNING_SHARE) return undefined;
  return { cluster: after.id, route: segment, measure: 'inputs', value, limit };
}

/** What Flux Operator reads of a route unless its provider says otherwise. */
export const filterLimit = (cluster: Cluster): number => cluster.filter_limit ?? LIMITS.filterLimitDefault;

function checkBytes(
  kind: CatalogueKind,
  after: Cluster,
  touched: TouchedCluster,
): { readonly warning?: LimitWarning; readonly problem?: Problem } {
  const limit = LIMITS.renderedRouteBytesMax;
  if (routeBytesBound(after, kind, touched.catalogueAfter) < limit * WARNING_SHARE) return {};
  const { assignedIn, segment } = fluxRoute(kind);
  const value = routeBytes(after, kind, touched.catalogueAfter);
  if (value < limit * WARNING_SHARE) return {};
  if (value <= limit)
    return { warning: { cluster: after.id, route: segment, measure: 'bytes', value, limit } };
  const { before, catalogueBefore } = touched;
  if (before !== undefined && routeBytes(before, kind, catalogueBefore) >= value) return {};
  const problem = `would be answered with ${value} bytes, and a route may have ${limit}: assign fewer or smaller entries`;
  return { problem: { cluster: after, field: pointer(assignedIn), problem } };
}

function refusal(
  changes: readonly ObjectChange[],
  problems: readonly Problem[],
  total: number,
): FluxgateError {
  const own = changes.length === 1 && changes[0]?.kind === 'cluster';
  const collection = kindDefinition('cluster').collection;
  const details = problems.map(
    ({ cluster, field, problem }): ErrorDetail => ({
      field: own ? field : `/${collection}/${cluster.id}${field}`,
      problem,
    }),
  );
  const clusters = new Set(problems.map(({ cluster }) => cluster.id));
  const named = [...clusters]
    .slice(0, 5)
    .map((id) => `"${id}"`)
    .join(', ');
  const more = clusters.size > 5 ? ` and ${clusters.size - 5} more` : '';
  const message = own
    ? 'The cluster is not valid: correct the fields named in details.'
    : `This would leave clusters with what Flux cannot run (${total} problems): ${named}${more}. See details; correct those clusters first.`;
  return new FluxgateError('validation_error', message, { details: boundDetails(details) });
}
