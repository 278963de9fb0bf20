import { ENVIRONMENTS, type Environment } from './objects.ts';
import type { Pause } from './pause.ts';
import type { ChangedObject, ClusterPlan, InputVerdict, LimitWarning, Plan } from './plan.ts';
import { countForGuard, type GuardReason } from './prune-guard.ts';

/** What a person reads first of a plan; the same size whatever the size of the fleet. */
export interface PlanSummary {
  readonly plan_hash: string;
  /** Whether the prune guard asks for a confirmation of this plan. */
  readonly needs_confirmation: boolean;
  readonly reasons: readonly GuardReason[];
  /** Clusters whose answers change. */
  readonly clusters_affected: number;
  readonly environments: Readonly<Record<Environment, number>>;
  /** Inputs, over all clusters. */
  readonly inputs: Readonly<Record<InputVerdict, number>>;
  readonly objects_changed: number;
  readonly warnings_total: number;
}

/** One page of the whole plan. */
export interface PlanPage extends PlanSummary {
  readonly objects: readonly ChangedObject[];
  readonly clusters: readonly ClusterPlan[];
  readonly warnings: readonly LimitWarning[];
}

/** Objects and warnings have no pages of their own: the first of them, and the totals above. */
const LISTED_MAX = 100;

const summaries = new WeakMap<Plan, PlanSummary>();

/** Each plan is counted through once, with pauses: after this, summarisePlan has what it needs. */
export async function countThrough(plan: Plan, pause: Pause): Promise<void> {
  const count = createCount();
  for (const cluster of plan.clusters) {
    count.add(cluster);
    await pause();
  }
  summaries.set(plan, count.summaryOf(plan));
}

export function summarisePlan(plan: Plan): PlanSummary {
  const known = summaries.get(plan);
  if (known !== undefined) return known;
  const count = createCount();
  for (const cluster of plan.clusters) count.add(cluster);
  const summary = count.summaryOf(plan);
  summaries.set(plan, summary);
  return summary;
}

interface Count {
  add(cluster: ClusterPlan): void;
  summaryOf(plan: Plan): PlanSummary;
}

function createCount(): Count {
  const environments = Object.fromEntries(ENVIRONMENTS.map((name) => [name, 0])) as Record<
    Environment,
    number
  >;
  const inputs: Record<InputVerdict, number> = { added: 0, removed: 0, disabled: 0, enabled: 0, changed: 0 };
  const guard = countForGuard();
  return {
    add(cluster) {
      environments[cluster.environment]++;
      for (const { inputs: changes } of cluster.routes) for (const { change } of changes) inputs[change]++;
      guard.add(cluster);
    },
    summaryOf(plan) {
      const reasons = guard.reasons();
      return Object.freeze({
        plan_hash: plan.hash,
        needs_confirmation: reasons.length > 0,
        reasons,
        clusters_affected: plan.clusters.length,
        environments,
        inputs,
        objects_changed: plan.objects.length,
        warnings_total: plan.warnings.length,
      });
    },
  };
}

export function planPage(plan: Plan, limit: number, offset: number): PlanPage {
  return {
    ...summarisePlan(plan),
    objects: plan.objects.slice(0, LISTED_MAX),
    clusters: plan.clusters.slice(offset, offset + limit),
    warnings: plan.warnings.slice(0, LISTED_MAX),
  };
}

/** The environments that a plan touches, as they are and as they would be. */
export function environmentsOf(plan: Plan): readonly Environment[] {
  const touched = new Set<Environment>();
  const add = ({ environment, environment_before: before }: ClusterPlan): void => {
    touched.add(environment);
    if (before !== undefined) touched.add(before);
  };
  for (const cluster of plan.clusters) add(cluster);
  return [...touched].sort();
}
