import type { AuditEntry } from '../../../core/audit/entry.ts';
import { FluxgateError } from '../../../core/errors.ts';
import { type KeptPlan, refuseApprover } from '../../../core/fleet/approval.ts';
import { describePrincipal } from '../../../core/identity/principal.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { numberOf, pageHeaders } from '../parameters.ts';
import type { Call, Handler, HandlerParts } from './handlers.ts';

/** Plans that wait for a second person. */
export function plansHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  const { store, clock } = parts;
  switch (operation.operationId) {
    case 'listPlans':
      return async ({ parameters: { query } }) => {
        const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
        const offset = numberOf(query['offset'], 0);
        const { items, total } = await store.plans.list(clock.now(), limit, offset);
        const headers = pageHeaders(operation.path, {}, { limit, offset, items: items.length, total });
        return { status: 200, body: items.map(shownPlan), headers };
      };
    case 'getPlan':
      return async (call) => {
        const plan = await found(call, parts);
        return { status: 200, body: { ...shownPlan(plan), plan: plan.page } };
      };
    case 'approvePlan':
      return async (call) => {
        const plan = await found(call, parts);
        refuseApprover(call.principal, plan);
        const atMs = clock.now();
        const approval = { by: describePrincipal(call.principal), atMs };
        const entry: AuditEntry = {
          at: new Date(atMs).toISOString(),
          event: 'plan_approved',
          ...call.audited,
          object: `plan/${plan.hash}`,
          details: { requested_by: plan.requestedBy },
        };
        const approved = await store.plans.approve(plan.hash, approval, entry, call.identifyAgain);
        if (!approved) {
          throw new FluxgateError('conflict', 'This plan is approved already, or gone. Nothing was changed.');
        }
        parts.log.warn(
          { plan: plan.hash, by: approval.by, requested_by: plan.requestedBy, request_id: call.requestId },
          'a plan was approved: its request is carried out when it is sent again',
        );
        return { status: 200, body: shownPlan({ ...plan, approval }) };
      };
    default:
      return undefined;
  }
}

/** Whether there is one is told to those only who may see what it is about. */
async function found(call: Call, { store, clock }: HandlerParts): Promise<KeptPlan> {
  const plan = await store.plans.get(call.parameters.path['plan_hash'] ?? '', clock.now());
  const facts = plan?.facts ?? { environments: [], takesAway: false };
  call.authorise({ kind: 'plan', ...facts, approved: plan?.approval !== undefined });
  if (plan === undefined) {
    throw new FluxgateError(
      'not_found',
      'There is no such plan: plans are kept for a day, until they are carried out.',
    );
  }
  return plan;
}

function shownPlan({ hash, facts, page, approval, ...plan }: KeptPlan): object {
  const { objects: _, clusters: __, warnings: ___, ...summary } = page;
  return {
    plan_hash: hash,
    environments: facts.environments,
    takes_away: facts.takesAway,
    summary,
    requested_by: plan.requestedBy,
    requested_at: new Date(plan.requestedMs).toISOString(),
    expires_at: new Date(plan.expiresMs).toISOString(),
    ...(approval === undefined
      ? {}
      : { approved_by: approval.by, approved_at: new Date(approval.atMs).toISOString() }),
  };
}
