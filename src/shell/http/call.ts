import { type AuditRequest, actorOf } from '../../core/audit/entry.ts';
import type { Config } from '../../core/config.ts';
import type { Decision } from '../../core/policy/decide.ts';
import type { PolicyResource } from '../../core/policy/entities.ts';
import type { Operation } from '../../core/policy/operations.ts';
import type { Clock } from '../clock.ts';
import type { LiveTrust } from '../live-trust.ts';
import { type Admission, refusal } from './admission.ts';
import { contextOf } from './authorise.ts';
import type { Call } from './handlers/handlers.ts';

/** What a handler is given of a request that was let in. */

export interface CallParts {
  readonly config: Config;
  readonly trust: Pick<LiveTrust, 'policy'>;
  readonly clock: Clock;
}

/** A request that was let in: one of the network's, or one that a page asks for whoever looks at it. */
export interface Admitted extends Admission {
  readonly requestId: string;
  readonly source: string;
  readonly allowsSecrets: boolean;
}

export function createCall(
  parts: CallParts,
  admitted: Admitted,
  operation: Operation,
  rest: Pick<Call, 'method' | 'parameters' | 'body' | 'header' | 'identifyAgain'>,
): Call {
  return {
    method: rest.method,
    parameters: rest.parameters,
    body: rest.body,
    header: rest.header,
    identifyAgain: rest.identifyAgain,
    principal: admitted.principal,
    operationId: operation.operationId,
    requestId: admitted.requestId,
    cluster: admitted.cluster,
    audited: auditedRequest(admitted, operation),
    noteRevision(revision) {
      admitted.revision = revision;
    },
    authorise(resource) {
      admitted.decision = decideFurther(parts, admitted, operation.operationId, resource);
      const { principal, decision, allowsSecrets } = admitted;
      if (!decision.allowed) throw refusal(principal, decision, allowsSecrets);
    },
    permits: (resource, operationId = operation.operationId) =>
      decideFurther(parts, admitted, operationId, resource).allowed,
  };
}

/** What the audit trail says of a request that was let in. */
function auditedRequest(admitted: Admitted, operation: Operation): AuditRequest {
  const { decision, source, requestId: request_id } = admitted;
  const actor = actorOf(admitted.principal);
  const { operationId } = operation;
  if (decision === undefined) return { actor, source, request_id, operation: operationId };
  const { allowed, policies } = decision;
  return {
    actor,
    source,
    request_id,
    operation: operationId,
    decision: allowed ? 'allow' : 'deny',
    policies,
  };
}

/** By the policies of this moment, for what only the body or the store says is asked for. */
function decideFurther(
  { config, trust, clock }: CallParts,
  admitted: Admitted,
  operationId: string,
  resource: PolicyResource,
): Decision {
  const { principal } = admitted;
  const context = contextOf(config, { ...admitted, nowMs: clock.now() });
  return trust.policy.decide({ principal, operationId, resource, context });
}
