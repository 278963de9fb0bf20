import { FluxgateError } from '../../../core/errors.ts';
import type { WriteTerms } from '../../../core/fleet/commit.ts';
import type { FleetKind } from '../../../core/fleet/objects.ts';
import type { Plan } from '../../../core/fleet/plan.ts';
import { planPage } from '../../../core/fleet/plan-summary.ts';
import { entityTag } from '../../../core/fleet/preconditions.ts';
import type { Written } from '../../../core/fleet/write.ts';
import { LIMITS } from '../../../core/limits.ts';
import { createPause } from '../../pause.ts';
import { numberOf } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import { authoriseChanges } from './authorise-changes.ts';
import type { Call, HandlerParts } from './handlers.ts';
import { reviewPlan } from './review.ts';

/** What a request says of how its write is to be treated, and how what came of it is answered. */

/** Whether the request asks for the override; whether its sender may is the policy's to say. */
export const allowsSecrets = (header: string | undefined): boolean => header === 'true';

const PLAN_HASH = /^[0-9a-f]{64}$/;

export function writeTerms(
  call: Call,
  parts: Pick<HandlerParts, 'pruneGuard' | 'clock' | 'planMemory'>,
): WriteTerms {
  const confirmPlan = call.header('confirm-plan');
  if (confirmPlan !== undefined && !PLAN_HASH.test(confirmPlan)) {
    throw new FluxgateError(
      'malformed_request',
      'The header Confirm-Plan must be the plan_hash of a plan: 64 hexadecimal digits, lower case.',
    );
  }
  const pause = createPause();
  return {
    dryRun: call.parameters.query['dry_run'] === true,
    confirmPlan,
    allowSecrets: allowsSecrets(call.header('allow-suspected-secrets')),
    pruneGuard: parts.pruneGuard,
    authorise: (changes) => authoriseChanges(call, changes, pause),
    review: (plan, transactor) => reviewPlan(call, plan, transactor, parts.clock.now()),
    pause,
    memory: parts.planMemory,
  };
}

/** The object with its ETag, or the page of the plan that a dry run asked for. */
export function writtenAnswer<K extends FleetKind>(call: Call, status: number, written: Written<K>): Answer {
  if (!written.carriedOut) return planAnswer(call, written.plan);
  const headers: Record<string, string> = { ...warningHeaders(written.plan) };
  // Of what was deleted there is no version that a tag could name.
  if (call.method !== 'DELETE') headers['ETag'] = entityTag(written.object);
  return { status, body: written.object, headers };
}

export function planAnswer(call: Call, plan: Plan): Answer {
  const { query } = call.parameters;
  const limit = numberOf(query['limit'], LIMITS.planPageClusters);
  const offset = numberOf(query['offset'], 0);
  return { status: 200, body: planPage(plan, limit, offset), headers: warningHeaders(plan) };
}

/** For whoever writes by a script and never looks at plans: `us-east-prod-01 namespaces inputs 85/100`. */
function warningHeaders({ warnings }: Plan): Readonly<Record<string, string>> {
  if (warnings.length === 0) return {};
  const named = warnings
    .slice(0, WARNINGS_NAMED_MAX)
    .map(({ cluster, route, measure, value, limit }) => `${cluster} ${route} ${measure} ${value}/${limit}`);
  const rest = warnings.length - named.length;
  return { 'X-Limit-Warning': [...named, ...(rest > 0 ? [`and ${rest} more`] : [])].join(', ') };
}

const WARNINGS_NAMED_MAX = 5;
