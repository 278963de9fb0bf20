import { isRecord } from './canonical.ts';
import type { ClusterPlan, InputChange } from './plan.ts';

/**
 * Flux uninstalls what vanishes from an answer or is switched off in it. What would take more away than one input of one
 * cluster is asked about first, and so is what takes a protection away; to add and to change values is not.
 */
export type GuardRule =
  /** More than one input of one cluster is removed or disabled. */
  | 'several_inputs'
  /** Inputs of more than one cluster are removed or disabled. */
  | 'several_clusters'
  /** A namespace goes, and with it all that is in it. */
  | 'namespace'
  /** A route that had inputs would have none. */
  | 'empty_route'
  /** The answers of a cluster that is served inputs end with 404. */
  | 'answers_end'
  /** A cluster that is served inputs gets another DNS name; the old one answers 404. */
  | 'answers_move'
  /** A cluster that is served inputs changes its environment. */
  | 'environment'
  /** A name that a cluster was served under is served again; Flux still holds what it was served last, and nobody can compare. */
  | 'revived'
  /** What a cluster verifies of a component's signature is taken away or becomes another: it may let in what it kept out. */
  | 'signature';

export interface GuardReason {
  readonly rule: GuardRule;
  /** To how many clusters it applies. */
  readonly clusters: number;
}

const RULES: readonly GuardRule[] = Object.freeze([
  'several_inputs',
  'several_clusters',
  'namespace',
  'empty_route',
  'answers_end',
  'answers_move',
  'environment',
  'revived',
  'signature',
]);

export interface GuardCount {
  add(cluster: ClusterPlan): void;
  /** Of those added. Empty: the plan needs no confirmation. */
  reasons(): readonly GuardReason[];
}

export function countForGuard(): GuardCount {
  const counts = new Map<GuardRule, number>();
  let shrinking = 0;
  return {
    add(cluster) {
      if (lossesOf(cluster) > 0) shrinking++;
      for (const rule of rulesOf(cluster)) counts.set(rule, (counts.get(rule) ?? 0) + 1);
    },
    reasons() {
      const all = shrinking > 1 ? new Map(counts).set('several_clusters', shrinking) : counts;
      return RULES.flatMap((rule) => {
        const clusters = all.get(rule);
        return clusters === undefined ? [] : [{ rule, clusters }];
      });
    },
  };
}

function rulesOf(cluster: ClusterPlan): GuardRule[] {
  const rules: GuardRule[] = [];
  const served = cluster.served_before > 0;
  if (cluster.answers === 'ends') return served ? ['answers_end'] : [];
  if (cluster.revived === true) rules.push('revived');
  if (cluster.answers === 'begins') return rules;
  if (cluster.answers === 'moves' && served) rules.push('answers_move');
  if (cluster.environment_before !== undefined && served) rules.push('environment');
  if (
    cluster.routes.some(({ inputs }) =>
      inputs.some(
        (input) => loosensSignature(input) && !(input.change === 'removed' && isExpectedToShrink(cluster)),
      ),
    )
  )
    rules.push('signature');
  if (lossesOf(cluster) > 1) rules.push('several_inputs');
  if (isExpectedToShrink(cluster)) return rules;
  if (cluster.routes.some(({ route, inputs }) => route === 'namespaces' && inputs.some(isLoss))) {
    rules.push('namespace');
  }
  if (cluster.routes.some(({ inputs_before, inputs_after }) => inputs_before > 0 && inputs_after === 0)) {
    rules.push('empty_route');
  }
  return rules;
}

function lossesOf(cluster: ClusterPlan): number {
  if (isExpectedToShrink(cluster) || cluster.answers === 'ends') return 0;
  return cluster.routes.reduce((sum, { inputs }) => sum + inputs.filter(isLoss).length, 0);
}

/** A decommissioning cluster is being emptied: that is what the state is for. */
function isExpectedToShrink(cluster: ClusterPlan): boolean {
  return cluster.state === 'decommissioning';
}

/**
 * Whether one expression lets in more than another nobody can tell, so each change counts; to begin to verify does not. What is taken
 * away with its signature counts as well, or it would come back without one, a step at a time and never asked about.
 */
function loosensSignature({ change, fields }: InputChange): boolean {
  if (change === 'added') return false;
  if (change === 'removed')
    return fields.some(({ field, before }) => field.startsWith('/verify') || hasSignature(before));
  return fields.some(
    ({ field, before }) => (field === '/verify' || field.startsWith('/verify/')) && before !== undefined,
  );
}

const hasSignature = (input: unknown): boolean => isRecord(input) && input['verify'] !== undefined;

function isLoss({ change }: { readonly change: string }): boolean {
  return change === 'removed' || change === 'disabled';
}
