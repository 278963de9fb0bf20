import { ApprovalRequired, planFacts, responsibleFor } from '../../../core/fleet/approval.ts';
import type { HistoryTransactor } from '../../../core/fleet/history.ts';
import type { Plan } from '../../../core/fleet/plan.ts';
import { planPage } from '../../../core/fleet/plan-summary.ts';
import { describePrincipal } from '../../../core/identity/principal.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Call, HandlerParts } from './handlers.ts';

/**
 * Policies have their say on the plan itself, before it is carried out. Where they would permit it if somebody else had approved
 * it, that is what is asked for (ApprovalRequired); an approval is used up by the write that it lets through. Throws `forbidden`
 * for all else that they refuse.
 */
export async function reviewPlan(
  call: Pick<Call, 'authorise' | 'permits'>,
  plan: Plan,
  transactor: Pick<HistoryTransactor, 'planApproval' | 'closePlan'>,
  nowMs: number,
): Promise<void> {
  const facts = planFacts(plan);
  const approval = await transactor.planApproval(plan.hash, nowMs);
  const resource = { kind: 'plan', ...facts, approved: approval !== undefined } as const;
  if (approval === undefined && !call.permits(resource) && call.permits({ ...resource, approved: true })) {
    const whole = planPage(plan, LIMITS.planPageClusters, 0);
    // Kept and listed by the hundred: of one that is larger the figures are kept, and a dry run shows the rest.
    const isSmall = JSON.stringify(whole).length <= LIMITS.planKeptBytesMax;
    const page = isSmall ? whole : { ...whole, objects: [], clusters: [], warnings: [] };
    throw new ApprovalRequired({ hash: plan.hash, facts, page }, 'the policies ask for a second person');
  }
  call.authorise(resource);
  if (approval !== undefined) await transactor.closePlan(plan.hash);
}

/** Outside of the transaction that was rolled back for it. */
export async function keepForApproval(
  call: Call,
  { store, clock }: Pick<HandlerParts, 'store' | 'clock'>,
  { requested }: ApprovalRequired,
): Promise<void> {
  const { principal, audited } = call;
  const madeBy =
    principal.kind === 'operator_token' ? (await store.tokens.get(principal.tokenId))?.createdBy : undefined;
  const requestedMs = clock.now();
  await store.plans.request(
    {
      ...requested,
      requestedBy: describePrincipal(principal),
      responsible: responsibleFor(principal, madeBy),
      requestedMs,
      expiresMs: requestedMs + LIMITS.planKeptMs,
    },
    {
      at: new Date(requestedMs).toISOString(),
      event: 'plan_requested',
      ...audited,
      object: `plan/${requested.hash}`,
      details: { ...requested.facts },
    },
  );
}
