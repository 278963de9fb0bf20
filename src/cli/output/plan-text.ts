import type { ChangedObject, ClusterPlan, FieldChange, InputVerdict } from '../../core/fleet/plan.ts';
import type { PlanPage, PlanSummary } from '../../core/fleet/plan-summary.ts';
import type { Paint } from './paint.ts';
import { counted, shown } from './text.ts';

/** Why the prune guard asks, for people; the rules are in docs/fleet-safety.md. */
const REASONS: Readonly<Record<string, string>> = Object.freeze({
  several_inputs: 'more than one input of a cluster goes or is switched off',
  several_clusters: 'inputs of more than one cluster go or are switched off',
  namespace: 'a namespace goes, and with it all that is in it',
  empty_route: 'a route that had inputs would have none',
  answers_end: 'the answers of a cluster that is served end',
  answers_move: 'a cluster gets another DNS name: the old one answers 404',
  environment: 'a cluster gets another environment, by which templates and policies decide',
  revived: 'a name is served again that was served before, and Flux there still holds what that was',
});

const SIGNS: Readonly<Record<InputVerdict, string>> = Object.freeze({
  added: '+',
  enabled: '+',
  removed: '-',
  disabled: '-',
  changed: '~',
});

const STYLES = Object.freeze({ '+': 'green', '-': 'red', '~': 'yellow' } as const);

/** A plan as a diff: what is written, what each cluster is served, and why somebody is asked. */
export function planLines(plan: PlanSummary & Partial<PlanPage>, paint: Paint): string[] {
  const { inputs } = plan;
  const where = Object.entries(plan.environments)
    .filter(([, count]) => count > 0)
    .map(([environment, count]) => `${shown(environment)} ${count}`);
  const lines = [
    `objects changed: ${plan.objects_changed}; clusters affected: ${plan.clusters_affected}${where.length === 0 ? '' : ` (${where.join(', ')})`}`,
    `inputs: ${inputs.added} added, ${inputs.removed} removed, ${inputs.disabled} disabled, ${inputs.enabled} enabled, ${inputs.changed} changed`,
  ];
  for (const object of plan.objects ?? []) lines.push(...objectLines(object, paint));
  lines.push(...more(plan.objects_changed - (plan.objects?.length ?? plan.objects_changed), 'object'));
  for (const cluster of plan.clusters ?? []) lines.push(...clusterLines(cluster, paint));
  lines.push(...more(plan.clusters_affected - (plan.clusters?.length ?? plan.clusters_affected), 'cluster'));
  for (const { cluster, route, measure, value, limit } of plan.warnings ?? []) {
    lines.push(paint('yellow', shown(`near a limit: ${cluster} ${route} ${measure} ${value} of ${limit}`)));
  }
  for (const { rule, clusters } of plan.reasons) {
    const why = REASONS[rule] ?? '';
    lines.push(paint('red', `needs confirmation: ${shown(rule)} (${counted(clusters, 'cluster')}): ${why}`));
  }
  lines.push(`plan_hash: ${shown(plan.plan_hash)}`);
  return lines;
}

function more(count: number, noun: string): string[] {
  return count > 0 ? [`… and ${counted(count, `more ${noun}`)}`] : [];
}

function objectLines({ kind, id, change, fields }: ChangedObject, paint: Paint): string[] {
  const sign = change === 'created' ? '+' : change === 'deleted' ? '-' : '~';
  // The object stays what it is: "replaced" is the API's word for its document.
  const verb = change === 'replaced' ? 'changed' : change;
  const head = paint([STYLES[sign], 'bold'], shown(`${sign} ${verb} ${kind} ${id}`));
  // What goes and comes as a whole is told by its name.
  return change === 'replaced' ? [head, ...fieldLines(fields, paint, '    ')] : [head];
}

/** What one cluster is served after the change that it was not before, route by route. */
export function clusterLines(cluster: ClusterPlan, paint: Paint): string[] {
  const notes = [
    ...(cluster.answers === 'stays' ? [] : [`its answers: ${ANSWERS[cluster.answers] ?? cluster.answers}`]),
    ...(cluster.environment_before === undefined ? [] : [`environment was ${cluster.environment_before}`]),
    ...(cluster.state === 'active' ? [] : [cluster.state]),
  ];
  const head = `${cluster.id} (${[cluster.environment, cluster.cluster_dns, ...notes].join(', ')})`;
  const lines = [paint('bold', shown(head))];
  for (const { route, inputs_before, inputs_after, reordered, inputs } of cluster.routes) {
    lines.push(
      `  ${shown(route)}: ${inputs_before} → ${inputs_after} inputs${reordered ? ', in another order' : ''}`,
    );
    for (const { id, change, fields } of inputs) {
      const sign = SIGNS[change] ?? '~';
      const word = change === 'changed' ? '' : `  ${change}`;
      lines.push(paint(STYLES[sign as keyof typeof STYLES], `    ${sign} ${shown(id + word)}`));
      if (change === 'changed') lines.push(...fieldLines(fields, paint, '        '));
    }
  }
  return lines;
}

const ANSWERS: Readonly<Record<string, string>> = Object.freeze({
  begins: 'begin',
  ends: 'end with 404; Flux keeps what it has',
  moves: 'move to another name',
});

/** Before and after of each field; of lists the elements that go and come. */
export function fieldLines(fields: readonly FieldChange[], paint: Paint, indent: string): string[] {
  return fields.flatMap(({ field, before, after }) => {
    const name = shown(field);
    if (Array.isArray(before) && Array.isArray(after)) {
      const gone = elementsNotIn(before, after);
      const come = elementsNotIn(after, before);
      if (gone.length + come.length === 0) return [`${indent}${name}: another order`];
      return [
        `${indent}${name}:`,
        ...gone.map((text) => paint('red', `${indent}  - ${text}`)),
        ...come.map((text) => paint('green', `${indent}  + ${text}`)),
      ];
    }
    const was = before === undefined ? [] : [paint('red', `${indent}- ${name}: ${short(before)}`)];
    const is = after === undefined ? [] : [paint('green', `${indent}+ ${name}: ${short(after)}`)];
    return [...was, ...is];
  });
}

function elementsNotIn(list: readonly unknown[], other: readonly unknown[]): readonly string[] {
  const there = new Set(other.map(short));
  return list.map(short).filter((text) => !there.has(text));
}

const short = (value: unknown): string => shown(JSON.stringify(value) ?? 'nothing');
