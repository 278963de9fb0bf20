import { lintSource } from '@secretlint/core';
import { secretLintProfiler } from '@secretlint/profiler';
import { creator } from '@secretlint/secretlint-rule-preset-recommend';
import { type ErrorDetail, FluxgateError } from '../errors.ts';
import { pointer } from './canonical.ts';
import type { Cluster } from './objects.ts';
import type { Pause } from './pause.ts';
import type { ObjectChange } from './plan.ts';
import { boundDetails } from './schemas.ts';

/**
 * Patches are read by everybody who reads the fleet, and stand in a ConfigMap-like place in the cluster. A secret that gets
 * into one is found here before it is stored: by its form (secretlint) or by its name. Values are never quoted, not even to
 * the log.
 */

// It would mark every call in Node's performance timeline, which nobody empties.
secretLintProfiler.setEnabled(false);

const RULES = { rules: [{ id: '@secretlint/secretlint-rule-preset-recommend', rule: creator }] };

interface PatchValue {
  readonly field: string;
  readonly key: string;
  readonly value: string;
}

/** Throws `secret_suspected` naming every patch value that these changes bring in and that looks like a secret. */
export async function refuseSecrets(changes: readonly ObjectChange[], pause: Pause): Promise<void> {
  const several = changes.length > 1;
  const details: ErrorDetail[] = [];
  for (const { kind, id, before, after } of changes) {
    await pause();
    if (kind !== 'cluster' || after === undefined) continue;
    const found = await suspectedSecrets(newValues(before as Cluster | undefined, after as Cluster));
    details.push(
      ...found.map((detail) => (several ? { ...detail, field: `/clusters/${id}${detail.field}` } : detail)),
    );
  }
  if (details.length === 0) return;
  throw new FluxgateError(
    'secret_suspected',
    'A patch looks like a secret, and everybody who reads the fleet reads patches. Put it into a Secret in the cluster, name ' +
      'that in secret_refs, and let the template use valuesFrom. Whoever may can send Allow-Suspected-Secrets: true.',
    { details: boundDetails(details) },
  );
}

/** Values that are looked at together: a call of the linter costs as much for one. */
const VALUES_AT_ONCE = 500;

/** Where a whole fleet has patches that look like secrets, to warn of; never what they are. */
export async function secretsIn(clusters: readonly Cluster[]): Promise<readonly string[]> {
  const values = clusters.flatMap((cluster) =>
    newValues(undefined, cluster).map((value) => ({
      ...value,
      field: `/clusters/${cluster.id}${value.field}`,
    })),
  );
  const found: string[] = [];
  for (let at = 0; at < values.length; at += VALUES_AT_ONCE) {
    const details = await suspectedSecrets(values.slice(at, at + VALUES_AT_ONCE));
    found.push(...details.map(({ field }) => field));
  }
  return found;
}

function newValues(before: Cluster | undefined, after: Cluster): PatchValue[] {
  return Object.entries(after.patches).flatMap(([id, patch]) => {
    const earlier =
      before !== undefined && Object.hasOwn(before.patches, id) ? before.patches[id] : undefined;
    return Object.entries(patch)
      .filter(([key, value]) => earlier?.[key] !== value)
      .map(([key, value]) => ({ field: pointer('patches', id, key), key, value }));
  });
}

async function suspectedSecrets(values: readonly PatchValue[]): Promise<ErrorDetail[]> {
  if (values.length === 0) return [];
  const problems = new Map<string, string>();
  for (const { field, key, value } of values) {
    if (isSecretName(key) && !isHarmless(value)) problems.set(field, 'has a name that means a secret');
  }
  // One text, a value a line: values have no line breaks, and a call for each would cost 0.3 ms each.
  const text = values.map(({ key, value }) => `${key}=${value}`).join('\n');
  const ends: number[] = [];
  for (const { key, value } of values) ends.push((ends.at(-1) ?? -1) + key.length + value.length + 2);
  const { messages } = await lintSource({
    source: { filePath: 'patches.txt', content: text, ext: '.txt', contentType: 'text' },
    options: { config: RULES, maskSecrets: true, locale: 'en', noPhysicFilePath: true },
  });
  for (const { messageId, range } of messages) {
    const line = ends.findIndex((end) => range[0] < end);
    const { field } = values[line] ?? {};
    if (field !== undefined) problems.set(field, `has the form of a secret (${messageId})`);
  }
  return [...problems].map(([field, problem]) => ({
    field,
    problem: `${problem}: move it to a Secret and refer to it in ${field.replace('/patches/', '/secret_refs/')}`,
  }));
}

const SECRET_WORDS: ReadonlySet<string> = new Set([
  ...['password', 'passwd', 'passphrase', 'pwd', 'secret', 'token', 'apikey', 'credential', 'credentials'],
  ...['privatekey', 'accesskey', 'secretkey', 'htpasswd'],
]);
const KEYS_OF_SECRETS: ReadonlySet<string> = new Set([
  ...['api', 'private', 'access', 'secret', 'encryption', 'signing', 'master', 'account'],
]);
/** `existingSecret` names a Secret and `imagePullSecret` does; neither is one. */
const NAMING_WORDS: ReadonlySet<string> = new Set([
  'existing',
  'pull',
  'tls',
  'use',
  'create',
  'external',
  'mount',
]);

/** By its last word or two: `tokenReview`, `secretName` and `passwordSecretRef` say what they are by their last word. */
export function isSecretName(key: string): boolean {
  const words = key
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .map((word) => word.replace(/\d+$/, ''))
    .filter((word) => word !== '');
  const last = words.at(-1) ?? '';
  const previous = words.at(-2) ?? '';
  if (last === 'key') return KEYS_OF_SECRETS.has(previous);
  return SECRET_WORDS.has(last) && !NAMING_WORDS.has(previous);
}

/** Switches, numbers and nothing: `automountServiceAccountToken: "false"`. */
function isHarmless(value: string): boolean {
  return /^(?:|true|false|yes|no|on|off|null|\d{1,6}[smhd]?)$/i.test(value);
}
