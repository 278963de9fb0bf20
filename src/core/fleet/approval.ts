import { FluxgateError } from '../errors.ts';
import { describePrincipal, type Principal } from '../identity/principal.ts';
import { ENVIRONMENTS, type Environment } from './objects.ts';
import type { ClusterPlan, Plan } from './plan.ts';
import { environmentsOf, type PlanPage, summarisePlan } from './plan-summary.ts';

/** A second person for what policies say needs one: the plan is kept, somebody else approves it, and it is carried out once. */

/** What policies know of a plan. */
export interface PlanFacts {
  /** Those that it touches, as they are and as they would be, sorted. */
  readonly environments: readonly Environment[];
  /** Some cluster would lose something: one input is enough, and be it in a cluster that is being decommissioned. */
  readonly takesAway: boolean;
}

export function planFacts(plan: Plan): PlanFacts {
  const { reasons } = summarisePlan(plan);
  // Whose Flux holds what a name was served last is not known any more: it may be any environment's.
  const revived = reasons.some(({ rule }) => rule === 'revived');
  return {
    environments: revived ? [...ENVIRONMENTS].sort() : environmentsOf(plan),
    takesAway: reasons.length > 0 || plan.clusters.some(loses),
  };
}

/** More than the prune guard asks about: that is about accidents, this is about what one person does alone. */
function loses({ answers, routes }: ClusterPlan): boolean {
  if (answers === 'ends' || answers === 'moves') return true;
  return routes.some(({ inputs }) =>
    inputs.some(({ change }) => change === 'removed' || change === 'disabled'),
  );
}

export interface RequestedPlan {
  /** Its plan_hash. */
  readonly hash: string;
  readonly facts: PlanFacts;
  readonly page: PlanPage;
  /** As in the log. */
  readonly requestedBy: string;
  /** Everybody who stands behind the request: none of them may approve it. */
  readonly responsible: readonly string[];
  readonly requestedMs: number;
  readonly expiresMs: number;
}

export interface PlanApproval {
  readonly by: string;
  readonly atMs: number;
}

export interface KeptPlan extends RequestedPlan {
  readonly approval: PlanApproval | undefined;
}

/** Thrown inside the transaction, which is rolled back; whoever runs it keeps `requested` and answers with the rest. */
export class ApprovalRequired extends FluxgateError {
  readonly requested: Pick<RequestedPlan, 'hash' | 'facts' | 'page'>;

  constructor(requested: Pick<RequestedPlan, 'hash' | 'facts' | 'page'>, logged: string) {
    const { objects: _, clusters: __, warnings: ___, ...summary } = requested.page;
    super(
      'approval_required',
      'This needs a second person, and nothing was written. The plan is kept for a day: have an approver look at ' +
        `GET /plans/${requested.hash} and send POST /plans/${requested.hash}/approve; then send the same request again.`,
      { plan: summary, logged },
    );
    this.requested = requested;
  }
}

/**
 * Who stands behind a request, `madeBy` being who made the token that it came with. Throws `forbidden` where that is nobody in
 * particular: whoever holds a shared token could approve what they asked for with it.
 */
export function responsibleFor(principal: Principal, madeBy: string | undefined): readonly string[] {
  const self = describePrincipal(principal);
  if (principal.kind === 'operator' || principal.kind === 'workload') return [self];
  if (principal.kind === 'operator_token' && madeBy !== undefined && isPerson(madeBy)) return [self, madeBy];
  throw new FluxgateError(
    'forbidden',
    'This needs a second person, and the credential does not say who the first one is. Ask with an operator certificate, with a ' +
      'token that somebody made with one, or from a pipeline.',
    { logged: `${self} is nobody in particular: approval needs two persons` },
  );
}

/** A name that only a certificate gives: tokens' names begin with "token:". */
const isPerson = (name: string): boolean =>
  name.startsWith('operator:') && !name.startsWith('operator:token:');

/** Throws `forbidden` unless `approver` is a person by their own certificate and stands not behind the request. */
export function refuseApprover(approver: Principal, plan: KeptPlan): void {
  const self = describePrincipal(approver);
  if (approver.kind !== 'operator') {
    throw new FluxgateError('forbidden', 'Plans are approved with an operator certificate: a person’s own.', {
      logged: `${self} is no person with a certificate`,
    });
  }
  if (!plan.responsible.includes(self)) return;
  throw new FluxgateError(
    'forbidden',
    'Who asked for a plan does not approve it: that takes somebody else.',
    {
      logged: `${self} stands behind this plan`,
    },
  );
}
