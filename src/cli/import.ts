import type { PlanPage } from '../core/fleet/plan-summary.ts';
import { type ApiOptions, createApiClient, refusalOf } from './api-client.ts';
import type { CommandContext } from './context.ts';
import { readFleetFiles } from './fleet-directory.ts';

export interface ImportOptions extends ApiOptions {
  readonly dir: string;
  readonly mode: string;
  readonly yes?: boolean;
  readonly planHash?: string;
  readonly reason?: string;
}

/** Without --yes only the plan is shown. A plan that takes something away also needs its hash: --yes --plan-hash H. */
export async function importFleet(context: CommandContext, options: ImportOptions): Promise<void> {
  const send = await createApiClient(context, options);
  const body = { mode: options.mode, files: await readFleetFiles(options.dir) };
  const carryOut = options.yes === true;
  const answer = await send({
    method: 'POST',
    path: carryOut ? '/import' : '/import?dry_run=true',
    body,
    headers: {
      ...(carryOut && options.planHash !== undefined ? { 'confirm-plan': options.planHash } : {}),
      ...(options.reason === undefined
        ? {}
        : { 'change-reason': Buffer.from(options.reason, 'utf8').toString('latin1') }),
    },
  });
  const plan = answer.body['plan'] as PlanPage | undefined;
  if (answer.status !== 200) {
    if (plan !== undefined) printPlan(context, plan);
    throw refusalOf(answer);
  }
  if (plan !== undefined) printPlan(context, plan);
  if (carryOut) {
    const revision = answer.body['revision'];
    context.print(
      revision === undefined ? 'nothing was different' : `imported as revision ${String(revision)}`,
    );
  } else if (plan !== undefined && plan.objects_changed > 0) {
    const hash = plan.needs_confirmation ? ` --plan-hash ${plan.plan_hash}` : '';
    context.print(`nothing was written; to carry it out, add: --yes${hash}`);
  }
}

function printPlan({ print }: CommandContext, plan: PlanPage): void {
  const { added, removed, disabled, enabled, changed } = plan.inputs;
  print(`objects changed: ${plan.objects_changed}; clusters affected: ${plan.clusters_affected}`);
  print(
    `inputs: ${added} added, ${removed} removed, ${disabled} disabled, ${enabled} enabled, ${changed} changed`,
  );
  for (const { kind, id, change } of plan.objects ?? []) print(`  ${change} ${kind} ${id}`);
  for (const { rule, clusters } of plan.reasons)
    print(`  needs confirmation: ${rule} (${clusters} clusters)`);
  print(`plan_hash: ${plan.plan_hash}`);
}
