import { boundedMemory } from '../bounded-memory.ts';
import type { Principal } from '../identity/principal.ts';
import { LIMITS } from '../limits.ts';
import type { Decision, DecisionRequest } from './decide.ts';
import type { PolicyContext, PolicyResource } from './entities.ts';

/**
 * What was decided last about each operator, for who asks for the same again. To compare it with what is asked costs a twentieth of making
 * a digest of all that a policy can see, by which decisions are remembered otherwise. Of one set of policies.
 */
export interface LastDecisions {
  get(request: DecisionRequest): Decision | undefined;
  set(request: DecisionRequest, decision: Decision): void;
}

export function lastDecisions(): LastDecisions {
  /** By the principal of a verdict that is remembered: one object for as long as it is, and it does not change. */
  const last = boundedMemory<Principal, { readonly request: DecisionRequest; readonly decision: Decision }>(
    LIMITS.operatorsAtHandMax,
  );
  return {
    get(request) {
      if (request.principal.kind !== 'operator') return undefined;
      const known = last.peek(request.principal);
      return known !== undefined && isSame(known.request, request) ? known.decision : undefined;
    },
    set(request, decision) {
      if (request.principal.kind === 'operator') last.set(request.principal, { request, decision });
    },
  };
}

/** Says no where it would have to look twice: then it is decided as ever. */
function isSame(a: DecisionRequest, b: DecisionRequest): boolean {
  return (
    a.operationId === b.operationId &&
    isSameContext(a.context, b.context) &&
    isSameResource(a.resource, b.resource)
  );
}

/** Each attribute, whether or not a policy reads it. */
function isSameContext(a: PolicyContext, b: PolicyContext): boolean {
  return (
    a.source === b.source &&
    a.operatorNetwork === b.operatorNetwork &&
    a.network === b.network &&
    a.moment.hour === b.moment.hour &&
    a.moment.weekday === b.moment.weekday &&
    a.credential === b.credential &&
    a.allowsSecrets === b.allowsSecrets
  );
}

/** Of what is asked for often. A place is one object for as long as its cluster is not changed. */
function isSameResource(a: PolicyResource, b: PolicyResource): boolean {
  if (a.kind === 'gateway') return b.kind === 'gateway';
  if (a.kind !== 'object' || b.kind !== 'object') return false;
  return a.id === b.id && a.objectKind === b.objectKind && a.place === b.place;
}
