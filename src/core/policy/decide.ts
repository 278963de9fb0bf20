import { hash } from 'node:crypto';
import {
  type CedarValueJson,
  type EntityJson,
  preparsePolicySet,
  preparseSchema,
  statefulIsAuthorized,
} from '@cedar-policy/cedar-wasm/nodejs';
import { boundedMemory } from '../bounded-memory.ts';
import { digestMemory } from '../digest-memory.ts';
import { StartupError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { LIMITS } from '../limits.ts';
import { canonicalAddress } from '../networks.ts';
import { finish } from '../steps.ts';
import {
  NOWHERE,
  POLICY_NAMESPACE,
  type PolicyContext,
  type PolicyEntity,
  type PolicyResource,
  principalEntity,
  requestContext,
  resourceEntity,
} from './entities.ts';
import { lastDecisions } from './last-decisions.ts';
import { describeProblems } from './policy-problem.ts';
import {
  type PolicySet,
  type PolicySources,
  policiesAsJson,
  policyTexts,
  readPolicySet,
} from './policy-set.ts';

/** Decides by a set of policies that was read. This file and policy-set.ts are the only ones that know Cedar. */

export interface DecisionRequest {
  readonly principal: Principal;
  readonly operationId: string;
  readonly resource: PolicyResource;
  readonly context: PolicyContext;
}

export interface Decision {
  readonly allowed: boolean;
  /** The @ids of the policies that decided, sorted; empty: nothing permitted it, or it could not be decided. */
  readonly policies: readonly string[];
  /** For the log: the @reason of the policies that decided, or why none did. */
  readonly reason: string;
}

export interface PolicyEngine {
  readonly generation: number;
  /** The @ids of all policies, sorted. */
  readonly policyIds: readonly string[];
  /** Decisions that were remembered, and those that were taken. Grows. */
  readonly lookups: { readonly hits: number; readonly misses: number };
  /** Never throws: whatever cannot be decided is denied. */
  decide(request: DecisionRequest): Decision;
}

const DIFFERENT_DECISIONS_MAX = 256;
const NOTHING_PERMITS: Decision = denial('no policy permits it');

/** Throws StartupError naming the file and the reason where anything at all is wrong with the policies. */
export function createPolicyEngine(sources: PolicySources): PolicyEngine {
  return finish(createPolicyEngineInSteps(sources));
}

/** The same, yielding between what takes Cedar some ten milliseconds each: a reload lets requests in between. */
export function* createPolicyEngineInSteps(sources: PolicySources): Generator<void, PolicyEngine> {
  const set = yield* readPolicySet(sources);
  residence(set);
  const lookups = { hits: 0, misses: 0 };
  const remembered = digestMemory<Decision>(LIMITS.decisionsMax);
  /** Few are different: one object for all that are the same. */
  const different = boundedMemory<string, Decision>(DIFFERENT_DECISIONS_MAX);
  const looksAt = lookedAt(set);
  const last = lastDecisions();

  return Object.freeze({
    generation: sources.generation,
    policyIds: Object.freeze([...set.policies.keys()].sort()),
    lookups,
    decide(request: DecisionRequest): Decision {
      try {
        const again = last.get(request);
        if (again !== undefined) {
          lookups.hits++;
          return again;
        }
        const key = hash('sha256', keyOfPoll(request, looksAt) ?? keyOf(request, looksAt), 'binary');
        const known = remembered.get(key);
        if (known !== undefined) {
          lookups.hits++;
          last.set(request, known);
          return known;
        }
        lookups.misses++;
        const principal = principalEntity(request.principal);
        const resource = resourceEntity(request.resource);
        const taken = evaluate(set, request, principal, resource);
        const text = JSON.stringify(taken);
        const decision = different.get(text) ?? taken;
        different.set(text, decision);
        remembered.set(key, decision);
        last.set(request, decision);
        return decision;
      } catch (error) {
        return denial(`policy error: ${messageOf(error)}`);
      }
    },
  });
}

/**
 * All that a policy can see. Each text stands behind its length, or at the end as JSON, so that no choice of names makes two
 * different requests equal.
 */
function keyOf({ principal, operationId, resource, context }: DecisionRequest, looksAt: LooksAt): string {
  const who = textOf(principal);
  return `${circumstances(operationId, context, looksAt)} ${who.length} ${who} ${JSON.stringify(resource)}`;
}

/** Of principals that are remembered, for as long as they are. */
const principalTexts = new WeakMap<Principal, string>();

function textOf(principal: Principal): string {
  let text = principalTexts.get(principal);
  if (text === undefined) {
    text = JSON.stringify(parts(principalEntity(principal)));
    principalTexts.set(principal, text);
  }
  return text;
}

type LooksAt = Readonly<Record<'source' | 'network' | 'hour' | 'weekday', boolean>>;

/** Whether any policy reads these attributes of the context. */
function lookedAt({ policies }: PolicySet): LooksAt {
  const any = (attribute: string): boolean =>
    [...policies.values()].some(({ looksAt }) => looksAt === undefined || looksAt.has(attribute));
  return { source: any('source'), network: any('network'), hour: any('hour'), weekday: any('weekday') };
}

/**
 * What no policy reads makes no difference: else everybody would be decided about anew with each hour, and from each address. An
 * address that is none is a denial whoever reads it.
 */
function circumstances(operationId: string, context: PolicyContext, looksAt: LooksAt): string {
  const { source, operatorNetwork, network, moment, credential, allowsSecrets = false } = context;
  const hour = looksAt.hour ? moment.hour : '';
  const weekday = looksAt.weekday ? moment.weekday : '';
  const named = looksAt.network ? network : '';
  const address = looksAt.source || canonicalAddress(source) !== source ? source : '';
  return (
    `${operatorNetwork} ${hour} ${weekday} ${credential} ${allowsSecrets} ` +
    `${operationId.length} ${operationId} ${named.length} ${named} ${address.length} ${address}`
  );
}

/** The same for a cluster that asks for inputs, which is nearly every request, without JSON: no such key begins as the others do. */
function keyOfPoll(
  { principal, operationId, resource, context }: DecisionRequest,
  looksAt: LooksAt,
): string | undefined {
  if (principal.kind !== 'cluster' || resource.kind !== 'cluster_inputs') return undefined;
  // What is nowhere has no environment and no labels.
  if (resource.place !== NOWHERE) return undefined;
  return (
    `poll ${resource.ratcheted} ${resource.revoked} ${circumstances(operationId, context, looksAt)} ` +
    `${principal.dns.length} ${principal.dns} ${resource.dns}`
  );
}

/** Throws where Cedar reports any error, be it of a policy that would have had no part in the decision. */
function evaluate(
  set: PolicySet,
  request: DecisionRequest,
  principal: PolicyEntity,
  resource: PolicyEntity,
): Decision {
  const name = residence(set);
  const answer = statefulIsAuthorized({
    principal: { type: principal.type, id: principal.id },
    action: { type: `${POLICY_NAMESPACE}::Action`, id: request.operationId },
    resource: { type: resource.type, id: resource.id },
    context: requestContext(request.context),
    entities: [cedarEntity(principal), cedarEntity(resource)],
    preparsedSchemaName: name,
    preparsedPolicySetId: name,
    validateRequest: true,
  });
  if (answer.type !== 'success') throw new Error(describeProblems(answer.errors));
  const { decision, diagnostics } = answer.response;
  if (diagnostics.errors.length > 0) {
    throw new Error(
      diagnostics.errors.map(({ policyId, error }) => `${policyId}: ${error.message}`).join('; '),
    );
  }
  if (diagnostics.reason.length === 0) return NOTHING_PERMITS;
  const policies = diagnostics.reason.toSorted();
  const reason = policies.map((id) => set.policies.get(id)?.reason ?? id).join('; ');
  return Object.freeze({ allowed: decision === 'allow', policies: Object.freeze(policies), reason });
}

function denial(reason: string): Decision {
  return Object.freeze({ allowed: false, policies: Object.freeze([]), reason });
}

/** In the order of entities.ts, which is the same for all entities of a type. */
function parts(entity: PolicyEntity): readonly unknown[] {
  return [entity.type, entity.id, Object.values(entity.attributes)];
}

function cedarEntity({ type, id, attributes }: PolicyEntity): EntityJson {
  return { uid: { type, id }, attrs: attributes as Record<string, CedarValueJson>, parents: [] };
}

/**
 * Cedar keeps what it has parsed by name, for ever. So the names are few and used again: a set that has lost its place to
 * newer ones is parsed again when it is asked again, which happens to requests in flight across many reloads only.
 */
const RESIDENTS: (PolicySet | undefined)[] = Array.from({ length: 8 });
let nextPlace = 0;

/** The name under which Cedar holds this very set now. */
function residence(set: PolicySet): string {
  const place = RESIDENTS.indexOf(set);
  if (place >= 0) return `fluxgate-${place}`;
  const free = nextPlace;
  nextPlace = (nextPlace + 1) % RESIDENTS.length;
  const name = `fluxgate-${free}`;
  RESIDENTS[free] = undefined; // should the parser fail half-way, nobody lives here
  for (const parsed of [
    preparseSchema(name, set.schema ?? set.schemaText),
    preparsePolicySet(name, {
      staticPolicies: set.schema === undefined ? policyTexts(set) : policiesAsJson(set),
    }),
  ]) {
    if (parsed.type !== 'success')
      throw new StartupError(`the policies cannot be used: ${describeProblems(parsed.errors)}`);
  }
  RESIDENTS[free] = set;
  return name;
}

/** Bounded: a message may quote what was asked for. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
