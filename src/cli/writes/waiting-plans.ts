import { StartupError } from '../../core/errors.ts';
import type { PlanPage, PlanSummary } from '../../core/fleet/plan-summary.ts';
import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered, listed, recordOf } from '../api/pages.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { printPaged } from '../output/pager.ts';
import { createPaint } from '../output/paint.ts';
import { planLines } from '../output/plan-text.ts';
import { printDocument, printRows } from '../output/rows.ts';
import { shown } from '../output/text.ts';

interface PlanRequest {
  readonly plan_hash: string;
  readonly environments: readonly string[];
  readonly takes_away: boolean;
  readonly summary: PlanSummary;
  readonly requested_by: string;
  readonly requested_at: string;
  readonly expires_at: string;
  readonly approved_by?: string;
}

type Options = ApiOptions & OutputOptions;

export async function listPlans(context: TerminalContext, options: Options): Promise<void> {
  const { send } = await openSession(context, options);
  const plans = await listed<PlanRequest>(send, { path: '/plans' });
  await printRows(context, options, plans, {
    columns: [
      { heading: 'ENVIRONMENTS', of: ({ environments }) => environments.join(',') },
      { heading: 'CLUSTERS', of: ({ summary }) => summary.clusters_affected },
      { heading: 'TAKES AWAY', of: ({ takes_away }) => (takes_away ? 'yes' : 'no') },
      { heading: 'REQUESTED BY', of: ({ requested_by }) => requested_by },
      { heading: 'UNTIL', of: ({ expires_at }) => expires_at },
      { heading: 'APPROVED BY', of: ({ approved_by }) => approved_by },
      { heading: 'PLAN', of: ({ plan_hash }) => plan_hash },
    ],
    name: ({ plan_hash }) => `plan/${plan_hash}`,
    none: 'no plan waits',
  });
}

export async function showPlan(context: TerminalContext, hash: string, options: Options): Promise<void> {
  const { send } = await openSession(context, options);
  const found = recordOf(await answered(send, { path: pathOf(hash) }));
  if (options.output !== 'table') return printDocument(context, options, found);
  const { plan, requested_by, requested_at } = found as unknown as PlanRequest & { plan: PlanPage };
  return printPaged(
    context,
    [
      shown(`asked for by ${requested_by} at ${requested_at}`),
      ...planLines(plan, createPaint(context.terminal.output)),
    ],
    options.pager ?? true,
  );
}

export async function approvePlan(context: TerminalContext, hash: string, options: Options): Promise<void> {
  const { send } = await openSession(context, options);
  const approved = recordOf(await answered(send, { method: 'POST', path: `${pathOf(hash)}/approve` }));
  if (options.output !== 'table') return printDocument(context, options, approved);
  context.print(
    shown(
      `approved, until ${String(approved['expires_at'])}: ${String(approved['requested_by'])} can now send the same again`,
    ),
  );
}

function pathOf(hash: string): string {
  if (!/^[0-9a-f]{64}$/.test(hash)) {
    throw new StartupError(
      `${shown(JSON.stringify(hash))} is no plan_hash: 64 hexadecimal digits (fluxgate plan list)`,
    );
  }
  return `/plans/${hash}`;
}
