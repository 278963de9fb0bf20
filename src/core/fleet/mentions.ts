import type { ErrorDetail } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { isRecord } from './canonical.ts';
import type { FleetReference } from './kind.ts';
import type { FleetKind } from './objects.ts';
import { kindDefinition, referencesOf } from './registry.ts';

/**
 * What an object mentions that is not valid, so that whoever corrects it is told in one go of what it refers to in vain. A mention that
 * is itself among the problems is left out, and so is one that is longer than any name: of a large object not all that is wrong is among them.
 */
export function mentionsIn(
  kind: FleetKind,
  raw: unknown,
  problems: readonly ErrorDetail[],
): readonly FleetReference[] {
  if (!isRecord(raw)) return [];
  const lists = kindDefinition(kind).fields.map((field) => [field, listIn(raw[field])] as const);
  const wrong = new Set(problems.map(({ field }) => field));
  return referencesOf(kind, Object.fromEntries(lists) as never).filter(
    ({ id, field }) => typeof id === 'string' && id.length <= LIMITS.dnsNameOctetsMax && !wrong.has(field),
  );
}

/** References stand in lists; a null in one would be asked for its id. What is behind the first of them is told once those are right. */
const listIn = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value.slice(0, LIMITS.mentionsLookedAtMax).map((entry: unknown) => entry ?? {}) : [];
