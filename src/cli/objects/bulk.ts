import type { PlanSummary } from '../../core/fleet/plan-summary.ts';
import { recordOf } from '../api/pages.ts';
import { openSession, type Session } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { jsonText, yamlText } from '../output/documents.ts';
import { counted } from '../output/text.ts';
import { carryOut } from '../writes/carry-out.ts';
import type { WriteOptions } from '../writes/options.ts';
import { type SelectOptions, selectorOf } from './select.ts';

/** As openapi.yaml has it under BulkOperation. */
export interface BulkOperation {
  readonly op: 'assign' | 'unassign' | 'enable' | 'disable' | 'set' | 'merge';
  readonly [field: string]: unknown;
}

/** One transaction, one plan, one revision. Clusters that are named go straight to the guard; those that are selected are shown first. */
export async function changeClusters(
  context: TerminalContext,
  operations: readonly BulkOperation[],
  options: WriteOptions & SelectOptions,
  session?: Session,
): Promise<void> {
  const select = selectorOf(options);
  const answer = await carryOut(
    context,
    session ?? (await openSession(context, options)),
    {
      request: { method: 'POST', path: '/bulk', body: { select, operations } },
      creates: true,
      reason: true,
      planFirst: options.environment !== undefined || options.selector !== undefined,
      what: 'the gateway changes clusters',
    },
    options,
  );
  if (answer !== undefined) tellOutcome(context, recordOf(answer), options);
}

/** Of bulk changes, imports and reverts: what they became. */
export function tellOutcome(
  context: TerminalContext,
  outcome: Readonly<Record<string, unknown>>,
  { output }: WriteOptions,
  verb = 'carried out',
): void {
  context.print(outcomeText(outcome, output, verb));
}

function outcomeText(
  outcome: Readonly<Record<string, unknown>>,
  output: WriteOptions['output'],
  verb: string,
): string {
  if (output === 'json') return jsonText(outcome);
  if (output === 'yaml') return yamlText(outcome);
  const revision = Number(outcome['revision']);
  if (!Number.isSafeInteger(revision)) return 'nothing was different';
  if (output === 'name') return `revision/${revision}`;
  const plan = outcome['plan'] as PlanSummary;
  const what = `${counted(Number(plan.objects_changed), 'object')} changed, ${counted(Number(plan.clusters_affected), 'cluster')} affected`;
  return `${verb} as revision ${revision}: ${what}`;
}
