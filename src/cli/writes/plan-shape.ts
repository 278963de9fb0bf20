import type { PlanPage, PlanSummary } from '../../core/fleet/plan-summary.ts';
import { CommandFailed } from '../context.ts';
import { EXIT } from '../exit-codes.ts';

/** Of a dry run all of it, of a refusal the summary. */
export type AnyPlan = PlanSummary & Partial<PlanPage>;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * A plan as far as commands and texts are made of it. Its hash ends up in a command that somebody copies into a shell, so it is
 * a hash, or this throws CommandFailed.
 */
export function asPlan(value: unknown): AnyPlan {
  const { plan_hash, reasons, environments, inputs } = isRecord(value) ? value : {};
  const fits =
    typeof plan_hash === 'string' &&
    /^[0-9a-f]{64}$/.test(plan_hash) &&
    Array.isArray(reasons) &&
    isRecord(environments) &&
    isRecord(inputs);
  if (fits) return value as AnyPlan;
  throw new CommandFailed(
    'the plan is of another form than a gateway sends: nothing was confirmed',
    undefined,
    EXIT.unavailable,
  );
}
