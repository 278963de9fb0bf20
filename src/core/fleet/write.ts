import { type ErrorDetail, FluxgateError } from '../errors.ts';
import type { FleetTransactor, ObjectName } from './access.ts';
import { applyMergePatch, applyPut } from './change.ts';
import { checkObject, invalidObject } from './check-object.ts';
import { findCycle } from './dependencies.ts';
import type { RawObject } from './kind.ts';
import type { FleetKind, FleetObjects } from './objects.ts';
import { kindDefinition } from './registry.ts';
import { boundDetails, type FleetSchemas } from './schemas.ts';

/**
 * The writes of the operator routes, the same for every kind. Each runs inside one transaction, whose rollback is the
 * caller's answer to any error thrown here.
 */

/** One write: `before` undefined is a creation, `after` undefined a removal. */
export interface FleetChange<K extends FleetKind = FleetKind> {
  readonly kind: K;
  readonly id: string;
  readonly before: FleetObjects[K] | undefined;
  readonly after: FleetObjects[K] | undefined;
}

/**
 * Called when the change is known to be valid and before it is written: the place to authorise it by the row's attributes,
 * to compare an ETag, to ask for confirmation. What it throws stops the write.
 */
export type ReviewChange<K extends FleetKind = FleetKind> = (change: FleetChange<K>) => void | Promise<void>;

/** `in_use` names this many users; the message has the total. */
const USERS_NAMED_MAX = 20;

export async function createObject<K extends FleetKind>(
  kind: K,
  body: unknown,
  schemas: FleetSchemas,
  transactor: FleetTransactor,
  review?: ReviewChange<K>,
): Promise<FleetObjects[K]> {
  const after = checkObject(kind, schemas, body);
  if ((await transactor.get(kind, after.id)) !== undefined) throw idTaken(kind, after.id);
  await checkReferences(kind, undefined, after, transactor);
  await review?.({ kind, id: after.id, before: undefined, after });
  await transactor.insert(kind, after);
  return after;
}

/** Never creates: an unknown id is `not_found`. */
export async function putObject<K extends FleetKind>(
  kind: K,
  id: string,
  body: unknown,
  schemas: FleetSchemas,
  transactor: FleetTransactor,
  review?: ReviewChange<K>,
): Promise<FleetObjects[K]> {
  const before = await existing(kind, id, transactor);
  return changeObject(kind, before, applyPut(kind, before, body), schemas, transactor, review);
}

export async function patchObject<K extends FleetKind>(
  kind: K,
  id: string,
  patch: unknown,
  schemas: FleetSchemas,
  transactor: FleetTransactor,
  review?: ReviewChange<K>,
): Promise<FleetObjects[K]> {
  const before = await existing(kind, id, transactor);
  return changeObject(kind, before, applyMergePatch(kind, before, patch), schemas, transactor, review);
}

/** The object as it was. `in_use` names who refers to it. */
export async function deleteObject<K extends FleetKind>(
  kind: K,
  id: string,
  transactor: FleetTransactor,
  review?: ReviewChange<K>,
): Promise<FleetObjects[K]> {
  const before = await existing(kind, id, transactor);
  const { items, total } = await transactor.usersOf(kind, id, USERS_NAMED_MAX);
  if (total > 0) throw inUse(kind, id, items, total);
  await review?.({ kind, id, before, after: undefined });
  await transactor.remove(kind, id);
  return before;
}

async function changeObject<K extends FleetKind>(
  kind: K,
  before: FleetObjects[K],
  raw: RawObject,
  schemas: FleetSchemas,
  transactor: FleetTransactor,
  review: ReviewChange<K> | undefined,
): Promise<FleetObjects[K]> {
  const after = checkObject(kind, schemas, raw);
  if (after.id !== before.id) throw new Error(`${kind} ${before.id} would become ${after.id}`);
  await checkReferences(kind, before, after, transactor);
  await review?.({ kind, id: before.id, before, after });
  await transactor.replace(kind, after);
  return after;
}

async function existing<K extends FleetKind>(
  kind: K,
  id: string,
  transactor: FleetTransactor,
): Promise<FleetObjects[K]> {
  const object = await transactor.get(kind, id);
  if (object !== undefined) return object;
  const { title, collection } = kindDefinition(kind);
  throw new FluxgateError(
    'not_found',
    `There is no ${title} of this id. GET /${collection} lists those there are.`,
  );
}

/** What `before` mentions is there already: the store holds on to it. */
async function checkReferences<K extends FleetKind>(
  kind: K,
  before: FleetObjects[K] | undefined,
  after: FleetObjects[K],
  transactor: FleetTransactor,
): Promise<void> {
  const definition = kindDefinition(kind);
  const name = (reference: { kind: FleetKind; id: string }): string => `${reference.kind}/${reference.id}`;
  const known = new Set(before === undefined ? [] : definition.references(before).map(name));
  const added = definition.references(after).filter((reference) => !known.has(name(reference)));
  const missing: ErrorDetail[] = [];
  for (const reference of added) {
    if ((await transactor.get(reference.kind, reference.id)) !== undefined) continue;
    const { title, collection } = kindDefinition(reference.kind);
    const problem = `must be the id of a ${title} that is there: create it first with POST /${collection}`;
    missing.push({ field: reference.field, problem });
  }
  if (missing.length > 0) throw invalidObject(kind, missing);
  if (added.length === 0) return;
  const cycle = await findCycle(kind, after, transactor);
  if (cycle !== undefined) throw cycleError(kind, after, cycle);
}

function cycleError<K extends FleetKind>(
  kind: K,
  object: FleetObjects[K],
  cycle: readonly string[],
): FluxgateError {
  const closing = kindDefinition(kind)
    .references(object)
    .find((reference) => reference.kind === kind && reference.id === cycle[1]);
  const problem = `must not close a dependency cycle ${cycle.join(' → ')}: remove one of its dependencies`;
  return invalidObject(kind, [{ field: closing?.field ?? '/', problem }]);
}

export function idTaken(kind: FleetKind, id: string): FluxgateError {
  const { title, collection } = kindDefinition(kind);
  return new FluxgateError(
    'conflict',
    `A ${title} "${id}" is already there. Choose another id, or change it with PATCH /${collection}/${id}.`,
    { details: [{ field: '/id', problem: `must not be taken by another ${title}` }] },
  );
}

function inUse(kind: FleetKind, id: string, users: readonly ObjectName[], total: number): FluxgateError {
  const { title } = kindDefinition(kind);
  const named = users.map((user) => `${kindDefinition(user.kind).title} "${user.id}"`).join(', ');
  const rest = total > users.length ? ` and ${total - users.length} more` : '';
  const objects = total === 1 ? '1 object' : `${total} objects`;
  return new FluxgateError(
    'in_use',
    `The ${title} "${id}" is in use by ${objects}: ${named}${rest}. Take it out of them first; then delete it.`,
    { details: boundDetails(users.map((user) => ({ field: pathOf(user), problem: 'refers to it' }))) },
  );
}

function pathOf(user: ObjectName): string {
  return `/${kindDefinition(user.kind).collection}/${user.id}`;
}
