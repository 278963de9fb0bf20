import { createHash } from 'node:crypto';
import {
  getCedarVersion,
  getValidRequestEnvsPolicy,
  type PolicyJson,
  policySetTextToParts,
  policyToJson,
  type SchemaJson,
  schemaToJson,
  validate,
} from '@cedar-policy/cedar-wasm/nodejs';
import { StartupError } from '../errors.ts';
import { finish } from '../steps.ts';
import { POLICY_NAMESPACE } from './entities.ts';
import { contextLookedAt } from './looked-at.ts';
import { lineOf, refusePolicy } from './policy-problem.ts';
import { SCHEMA_FILE } from './schema-file.ts';

/** Reads policies, and holds them against the schema and the operations of the document. */

export interface PolicySources {
  readonly schemaText: string;
  /** What it is called in complaints; absent: by its file's name. */
  readonly schemaFile?: string;
  /** What the file is called in complaints → text. */
  readonly policies: Readonly<Record<string, string>>;
  /** The operations of openapi.yaml. */
  readonly operationIds: readonly string[];
  /** Of the snapshot that the policies belong to. */
  readonly generation: number;
  /** Sources that passed all checks before, and what Cedar made of them: nobody needs to find either out again. */
  readonly checked?: CheckedPolicies | undefined;
}

/** As JSON, for whoever is not to parse and check the same texts at each start. */
export interface CheckedPolicies {
  /** Of `policiesDigest`. */
  readonly sha256: string;
  readonly schema: SchemaJson<string>;
  /** Without their files' names, which are another machine's. */
  readonly policies: readonly (Omit<Policy, 'file' | 'looksAt'> & {
    readonly looksAt: readonly string[] | null;
  })[];
}

interface Policy {
  readonly id: string;
  readonly file: string;
  readonly text: string;
  /** What Cedar made of `text`. */
  readonly json: PolicyJson;
  /** Where `text` begins in the file, in lines from 0. */
  readonly line: number;
  readonly permits: boolean;
  readonly reason: string;
  /** Attributes of the context; undefined: any. */
  readonly looksAt: ReadonlySet<string> | undefined;
}

/** Policies that were held against the schema and the operations. */
export interface PolicySet {
  /** For complaints. */
  readonly schemaFile: string;
  readonly schemaText: string;
  readonly policies: ReadonlyMap<string, Policy>;
  /** What Cedar made of `schemaText`; undefined: this set was read from texts. */
  readonly schema?: SchemaJson<string>;
}

/** What an @id may be: it stands in logs and metrics. */
const POLICY_ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/;

/** SHA-256, hex, over all that the verdict of the checks comes from: the texts, the operations, and Cedar's version. */
export function policiesDigest({
  schemaText,
  policies,
  operationIds,
}: Omit<PolicySources, 'generation'>): string {
  const texts = Object.values(policies).sort();
  const all = ['fluxgate policies 1', getCedarVersion(), schemaText, texts, [...operationIds].sort()];
  return createHash('sha256').update(JSON.stringify(all)).digest('hex');
}

/** Throws StartupError naming the file and the reason where anything at all is wrong with them. */
export function* readPolicySet(sources: PolicySources): Generator<void, PolicySet> {
  const { schemaText, schemaFile = SCHEMA_FILE, operationIds } = sources;
  const { checked } = sources;
  if (checked !== undefined && checked.sha256 === policiesDigest(sources)) return knownSet(sources, checked);
  const set: PolicySet = { schemaFile, schemaText, policies: yield* readPolicies(sources.policies) };
  yield;
  checkActions(set, operationIds);
  yield;
  checkPolicies(set);
  yield* checkEveryOperationPermitted(set, operationIds);
  yield;
  return set;
}

function knownSet(
  { schemaText, schemaFile = SCHEMA_FILE, policies: files }: PolicySources,
  checked: CheckedPolicies,
): PolicySet {
  const policies = checked.policies.map((policy) => {
    const looksAt = policy.looksAt === null ? undefined : new Set(policy.looksAt);
    const [file = ''] = Object.entries(files).find(([, text]) => text.includes(policy.text)) ?? [];
    return [policy.id, { ...policy, file, looksAt }] as const;
  });
  return { schemaFile, schemaText, policies: new Map(policies), schema: checked.schema };
}

/** Checks them, and throws StartupError where anything at all is wrong. */
export function checkPolicySources(sources: Omit<PolicySources, 'checked'>): CheckedPolicies {
  const set = finish(readPolicySet(sources));
  const schema = schemaToJson(sources.schemaText);
  if (schema.type !== 'success') throw refusePolicy(set.schemaFile, set.schemaText, 0, schema.errors);
  // Cedar counts up to 2^63, which JSON in JavaScript does not: such a number would be another one.
  if (/[0-9]{16}/.test(JSON.stringify([...set.policies.values()].map(({ json }) => json)))) {
    throw new StartupError(
      'the policies have a number that JSON may not keep: they cannot be taken as checked',
    );
  }
  return {
    sha256: policiesDigest(sources),
    schema: schema.json,
    policies: [...set.policies.values()].map(({ file: _file, looksAt, ...policy }) => ({
      ...policy,
      looksAt: looksAt === undefined ? null : [...looksAt],
    })),
  };
}

function* readPolicies(
  files: Readonly<Record<string, string>>,
): Generator<void, ReadonlyMap<string, Policy>> {
  const policies = new Map<string, Policy>();
  for (const [file, text] of Object.entries(files).sort(([a], [b]) => (a < b ? -1 : 1))) {
    yield;
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
  const permits = parsed.json.effect === 'permit';
  const looksAt = contextLookedAt(parsed.json);
  return { id, file, text, json: parsed.json, line, permits, reason: reason || id, looksAt };
}

/** Schema and document must name the same actions, or a route would have no rules, or a rule no route. */
function checkActions(set: PolicySet, operationIds: readonly string[]): void {
  const schema = schemaToJson(set.schemaText);
  if (schema.type !== 'success') throw refusePolicy(set.schemaFile, set.schemaText, 0, schema.errors);
  if (schema.warnings.length > 0) throw refusePolicy(set.schemaFile, set.schemaText, 0, schema.warnings);
  const namespace = schema.json[POLICY_NAMESPACE];
  if (namespace === undefined)
    throw new StartupError(`${set.schemaFile}: has no namespace ${POLICY_NAMESPACE}`);
  // An action that applies to nothing is a group of others.
  const actions = Object.entries(namespace.actions)
    .filter(([, { appliesTo }]) => (appliesTo?.principalTypes.length ?? 0) > 0)
    .map(([name]) => name);
  const missing = operationIds.filter((id) => !actions.includes(id));
  if (missing.length > 0) {
    throw new StartupError(
      `${set.schemaFile}: lacks an action for these operations of openapi.yaml: ${missing.join(', ')}`,
    );
  }
  const extra = actions.filter((action) => !operationIds.includes(action));
  if (extra.length > 0) {
    throw new StartupError(
      `${set.schemaFile}: has actions that are no operations of openapi.yaml: ${extra.join(', ')}`,
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
  if (answer.type !== 'success') throw refusePolicy(set.schemaFile, set.schemaText, 0, answer.errors);
  const [first] = [...answer.validationErrors, ...answer.validationWarnings];
  const policy = first && set.policies.get(first.policyId);
  if (first && policy) throw refusePolicy(policy.file, policy.text, policy.line, [first.error]);
  const others = [...(first ? [first.error] : []), ...answer.otherWarnings];
  if (others.length > 0) throw refusePolicy(set.schemaFile, set.schemaText, 0, others);
}

/** Of a set that was known: of any other, JSON may not have what the text has (see `checkPolicySources`). */
export function policiesAsJson(set: PolicySet): Record<string, PolicyJson> {
  return Object.fromEntries([...set.policies.values()].map(({ id, json }) => [id, json]));
}

export function policyTexts(set: PolicySet): Record<string, string> {
  return Object.fromEntries([...set.policies.values()].map(({ id, text }) => [id, text]));
}

function* checkEveryOperationPermitted(
  set: PolicySet,
  operationIds: readonly string[],
): Generator<void, void> {
  const permitted = new Set<string>();
  for (const { file, text, line, permits } of set.policies.values()) {
    if (!permits) continue;
    yield;
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
