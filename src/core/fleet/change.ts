import { FluxgateError } from '../errors.ts';
import { isRecord, withoutNulls } from './canonical.ts';
import { invalidObject } from './check-object.ts';
import type { RawObject } from './kind.ts';
import { mergePatch } from './merge-patch.ts';
import type { FleetKind, FleetObjects } from './objects.ts';
import { kindDefinition } from './registry.ts';

/** What a write asks for, worked out on the object as it is. The result is raw: it has still to pass checkObject. */

/** Replaces each top-level field that the body names, and keeps the others; null: the field goes. */
export function applyPut<K extends FleetKind>(kind: K, current: FleetObjects[K], body: unknown): RawObject {
  const named = namedFields(kind, current, body);
  return settled(kind, current, withoutNulls({ ...current, ...named }), named);
}

/** JSON Merge Patch, RFC 7396; null: the field or key goes. */
export function applyMergePatch<K extends FleetKind>(
  kind: K,
  current: FleetObjects[K],
  patch: unknown,
): RawObject {
  const named = namedFields(kind, current, patch);
  return settled(kind, current, mergePatch(current, named) as RawObject, named);
}

function settled<K extends FleetKind>(
  kind: K,
  before: FleetObjects[K],
  after: RawObject,
  named: RawObject,
): RawObject {
  return kindDefinition(kind).settle?.(before, after, new Set(Object.keys(named))) ?? after;
}

function namedFields<K extends FleetKind>(kind: K, current: FleetObjects[K], body: unknown): RawObject {
  if (!isRecord(body)) {
    throw new FluxgateError(
      'validation_error',
      'The body must be one JSON object: send the fields to change.',
      {
        details: [{ field: '/', problem: 'must be an object' }],
      },
    );
  }
  if (Object.hasOwn(body, 'id') && body.id !== current.id) {
    const problem =
      'must be the id of the path, or absent: an object keeps its id; create another one instead';
    throw invalidObject(kind, [{ field: '/id', problem }]);
  }
  return body;
}
