import { type ErrorDetail, FluxgateError } from '../errors.ts';
import { deepFreeze, isRecord, withoutNulls } from './canonical.ts';
import type { FleetKind, FleetObjects } from './objects.ts';
import { kindDefinition } from './registry.ts';
import { unsafeText } from './rules.ts';
import { boundDetails, type FleetSchemas } from './schemas.ts';

/** Schema → normalise → rules: the one way by which outside data becomes an object of the fleet, or a list of problems. */
export type CheckedObject<K extends FleetKind> =
  | { readonly ok: true; readonly object: FleetObjects[K] }
  | { readonly ok: false; readonly problems: readonly ErrorDetail[] };

export function inspectObject<K extends FleetKind>(
  kind: K,
  schemas: FleetSchemas,
  raw: unknown,
): CheckedObject<K> {
  const definition = kindDefinition(kind);
  const present = isRecord(raw) ? withoutNulls(raw) : raw;
  const misshapen = schemas.check(definition.schema, present);
  if (misshapen.length > 0 || !isRecord(present)) return { ok: false, problems: misshapen };
  const object = definition.normalise(present);
  const broken = [...unsafeText(object), ...definition.rules(object)];
  return broken.length > 0
    ? { ok: false, problems: boundDetails(broken) }
    : { ok: true, object: deepFreeze(object) };
}

/** Throws `validation_error`, its details naming each field and what it should be. The object is frozen and canonical. */
export function checkObject<K extends FleetKind>(
  kind: K,
  schemas: FleetSchemas,
  raw: unknown,
): FleetObjects[K] {
  const checked = inspectObject(kind, schemas, raw);
  if (checked.ok) return checked.object;
  throw invalidObject(kind, checked.problems);
}

export function invalidObject(kind: FleetKind, details: readonly ErrorDetail[]): FluxgateError {
  const message = `The ${kindDefinition(kind).title} is not valid: correct the fields named in details.`;
  return new FluxgateError('validation_error', message, { details: boundDetails(details) });
}
