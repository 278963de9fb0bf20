import {
  type CedarValueJson,
  type EntityJson,
  getValidRequestEnvsPolicy,
  policySetTextToParts,
  policyToJson,
  preparsePolicySet,
  preparseSchema,
  schemaToJson,
  statefulIsAuthorized,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import { LRUCache } from 'lru-cache';
import { StartupError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import { LIMITS } from '../limits.ts';
import {
  POLICY_NAMESPACE,
  type PolicyContext,
  type PolicyEntity,
  type PolicyResource,
  principalEntity,
  requestContext,
  resourceEntity,
} from './entities.ts';
import { describeProblems, lineOf, refusePolicy } from './policy-problem.ts';

/** The only file that knows Cedar: it reads policies, holds them against schema and document, and decides. */

export interface PolicySources {
  readonly schemaText: string;
  /** File name → text. */
  readonly policies: Readonly<Record<string, string>>;
  /** The operations of openapi.yaml. */
  readonly operationIds: readonly string[];
  /** Of the snapshot that the policies belong to. */
  readonly generation: number;
}

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
  /** Never throws: whatever cannot be decided is denied. */
  decide(request: DecisionRequest): Decision;
}

interface Policy {
  readonly id: string;
  readonly file: string;
  readonly text: string;
  /** Where `text` begins in the file, in lines from 0. */
  readonly line: number;
  readonly permits: boolean;
  readonly reason: string;
}

interface PolicySet {
  readonly schemaText: string;
  readonly policies: ReadonlyMap<string, Policy>;
}

const SCHEMA_FILE = 'fluxgate.cedarschema';
/** What an @id may be: it stands in logs and metrics. */
const POLICY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;
const NOTHING_PERMITS: Decision = denial('no policy permits it');

/** Throws StartupError naming the file and the reason where anything at all is wrong with the policies. */
export function createPolicyEngine(sources: PolicySources): PolicyEngine {
  const set: PolicySet = { schemaText: sources.schemaText, policies: readPolicies(sources.policies) };
  checkActions(set, sources.operationIds);
  checkPolicies(set);
  checkEveryOperationPermitted(set, sources.operationIds);
  residence(set);
  const remembered = new LRUCache<string, Decision>({ max: LIMITS.decisionsMax });

  return Object.freeze({
    generation: sources.generation,
    policyIds: Object.freeze([...set.policies.keys()].sort()),
    decide(request: DecisionRequest): Decision {
      try {
        const principal = principalEntity(request.principal);
        const resource = resourceEntity(request.resource);
        // JSON of an array: no choice of names makes two different requests equal.
        const key = JSON.stringify([
          request.operationId,
          ...parts(principal),
          ...parts(resource),
          Object.values(requestContext(request.context)),
        ]);
        const known = remembered.get(key);
        if (known !== undefined) return known;
        const decision = evaluate(set, request, principal, resource);
        remembered.set(key, decision);
        return decision;
      } catch (error) {
        return denial(`policy error: ${messageOf(error)}`);
      }
    },
  });
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
    preparseSchema(name, set.schemaText),
    preparsePolicySet(name, { staticPolicies: policyTexts(set) }),
  ]) {
    if (parsed.type !== 'success')
      throw new StartupError(`the policies cannot be used: ${describeProblems(parsed.errors)}`);
  }
  RESIDENTS[free] = set;
  return name;
}

function readPolicies(files: Readonly<Record<string, string>>): ReadonlyMap<string, Policy> {
  const policies = new Map<string, Policy>();
  for (const [file, text] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    const split = policySetTextToParts(text);
    if (split.type !== 'success') throw refusePolicy(file, text, 0, split.errors);
    if (split.policy_templates.length > 0) {
      throw new StartupError(
        `${file}: has a policy template (?principal or ?resource): nothing would ever fill it in`,
      );
    }
    for (const policyText of split.policies) {
      const policy = readPolicy(file, policyText, lineOf(text, text.indexOf(policyText)) - 1);
      const namesake = policies.get(policy.id);
      if (namesake !== undefined) {
        throw new StartupError(
          `${file}:${policy.line + 1}:1: @id("${policy.id}") is taken in ${namesake.file}`,
        );
      }
      policies.set(policy.id, policy);
    }
  }
  if (policies.size === 0) throw new StartupError('there are no policies: nothing could ever be permitted');
  return policies;
}

function readPolicy(file: string, text: string, line: number): Policy {
  const parsed = policyToJson(text);
  if (parsed.type !== 'success') throw refusePolicy(file, text, line, parsed.errors);
  const { id, reason } = parsed.json.annotations ?? {};
  if (id === undefined || !POLICY_ID.test(id)) {
    throw new StartupError(
      `${file}:${line + 1}:1: the policy has no @id("…") of letters, digits, ".", "_" and "-": the log names it by that`,
    );
  }
  return { id, file, text, line, permits: parsed.json.effect === 'permit', reason: reason || id };
}

/** Schema and document must name the same actions, or a route would have no rules, or a rule no route. */
function checkActions(set: PolicySet, operationIds: readonly string[]): void {
  const schema = schemaToJson(set.schemaText);
  if (schema.type !== 'success') throw refusePolicy(SCHEMA_FILE, set.schemaText, 0, schema.errors);
  if (schema.warnings.length > 0) throw refusePolicy(SCHEMA_FILE, set.schemaText, 0, schema.warnings);
  const namespace = schema.json[POLICY_NAMESPACE];
  if (namespace === undefined) throw new StartupError(`${SCHEMA_FILE}: has no namespace ${POLICY_NAMESPACE}`);
  // An action that applies to nothing is a group of others.
  const actions = Object.entries(namespace.actions)
    .filter(([, { appliesTo }]) => (appliesTo?.principalTypes.length ?? 0) > 0)
    .map(([name]) => name);
  const missing = operationIds.filter((id) => !actions.includes(id));
  if (missing.length > 0) {
    throw new StartupError(
      `${SCHEMA_FILE}: lacks an action for these operations of openapi.yaml: ${missing.join(', ')}`,
    );
  }
  const extra = actions.filter((action) => !operationIds.includes(action));
  if (extra.length > 0) {
    throw new StartupError(
      `${SCHEMA_FILE}: has actions that are no operations of openapi.yaml: ${extra.join(', ')}`,
    );
  }
}

/** A warning counts as an error: it tells of a policy that can never apply, so of somebody's mistake. */
function checkPolicies(set: PolicySet): void {
  const answer = validate({
    validationSettings: { mode: 'strict' },
    schema: set.schemaText,
    policies: { staticPolicies: policyTexts(set) },
  });
  if (answer.type !== 'success') throw refusePolicy(SCHEMA_FILE, set.schemaText, 0, answer.errors);
  const [first] = [...answer.validationErrors, ...answer.validationWarnings];
  const policy = first && set.policies.get(first.policyId);
  if (first && policy) throw refusePolicy(policy.file, policy.text, policy.line, [first.error]);
  const others = [...(first ? [first.error] : []), ...answer.otherWarnings];
  if (others.length > 0) throw refusePolicy(SCHEMA_FILE, set.schemaText, 0, others);
}

function policyTexts(set: PolicySet): Record<string, string> {
  return Object.fromEntries([...set.policies.values()].map(({ id, text }) => [id, text]));
}

function checkEveryOperationPermitted(set: PolicySet, operationIds: readonly string[]): void {
  const permitted = new Set<string>();
  for (const { file, text, line, permits } of set.policies.values()) {
    if (!permits) continue;
    const applicable = getValidRequestEnvsPolicy(text, set.schemaText);
    if (applicable.type !== 'success') throw new StartupError(`${file}:${line + 1}:1: ${applicable.error}`);
    for (const action of applicable.actions) permitted.add(action);
  }
  const never = operationIds.filter((id) => !permitted.has(`${POLICY_NAMESPACE}::Action::"${id}"`));
  if (never.length > 0) {
    throw new StartupError(
      `no policy permits these operations of openapi.yaml to anybody: ${never.join(', ')}`,
    );
  }
}

/** Bounded: a message may quote what was asked for. */
function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).slice(0, 500);
}
