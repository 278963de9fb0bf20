import { type ErrorDetail, FluxgateError } from '../errors.ts';
import type { FleetTransactor, ObjectName } from './access.ts';

import { applyMergePatch, applyPut } from './change.ts';
import { inOrder } from './change-set.ts';
import { checkObject, invalidObject } from './check-object.ts';
import { type Committed, commitChanges, UNGUARDED, type WriteTerms } from './commit.ts';
import { findCycle } from './dependencies.ts';
import { detachedUsers } from './detach.ts';
import type { RecordedTransactor } from './history.ts';
import type { RawObject } from './kind.ts';
import type { Cluster, ClusterState, FleetKind, FleetObjects } from './objects.ts';
import type { ObjectChange } from './plan.ts';
import type { Precondition } from './preconditions.ts';
import { kindDefinition } from './registry.ts';
import { boundDetails, type FleetSchemas } from './schemas.ts';
import { checkStateKept, inState } from './states.ts';

/**
 * The writes of the operator routes, the same for every kind. Each runs inside one transaction, whose rollback is the
 * caller's answer to any error thrown here.
 */

/** One write: `before` undefined is a creation, `after` undefined a removal. */
export interface FleetChange<K extends FleetKind = FleetKind> extends ObjectChange {
  readonly kind: K;
  readonly before: FleetObjects[K] | undefined;
  readonly after: FleetObjects[K] | undefined;
}

export interface ObjectTerms extends WriteTerms {
  /** Holds what the request says of the version that it was made for against the version that is there. */
  readonly precondition?: Precondition;
}

/** `object` as it is stored, or as it was when it was deleted; of a dry run, as it would be. */
export interface Written<K extends FleetKind> extends Committed {
  readonly object: FleetObjects[K];
}

/** `in_use` names this many users; the message has the total. */
const USERS_NAMED_MAX = 20;

export async function createObject<K extends FleetKind>(
  kind: K,
  body: unknown,
  schemas: FleetSchemas,
  transactor: RecordedTransactor,
  terms: ObjectTerms = UNGUARDED,
): Promise<Written<K>> {
  const after = checkObject(kind, schemas, body);
  const current = await transactor.get(kind, after.id);
  terms.precondition?.(current);
  if (current !== undefined) throw idTaken(kind, after.id);
  if (kind === 'cluster') checkStateKept(undefined, after as Cluster);
  return writeOne({ kind, id: after.id, before: undefined, after }, transactor, terms);
}

/** Never creates: an unknown id is `not_found`. */
export async function putObject<K extends FleetKind>(
  kind: K,
  id: string,
  body: unknown,
  schemas: FleetSchemas,
  transactor: RecordedTransactor,
  terms: ObjectTerms = UNGUARDED,
): Promise<Written<K>> {
  const before = await existing(kind, id, transactor);
  terms.precondition?.(before);
  const after = changed(kind, before, applyPut(kind, before, body), schemas);
  return writeOne({ kind, id, before, after }, transactor, terms);
}

export async function patchObject<K extends FleetKind>(
  kind: K,
  id: string,
  patch: unknown,
  schemas: FleetSchemas,
  transactor: RecordedTransactor,
  terms: ObjectTerms = UNGUARDED,
): Promise<Written<K>> {
  const before = await existing(kind, id, transactor);
  terms.precondition?.(before);
  const after = changed(kind, before, applyMergePatch(kind, before, patch), schemas);
  return writeOne({ kind, id, before, after }, transactor, terms);
}

/** The object as it was. `in_use` names who refers to it, unless it is to be taken out of them (`detach`). */
export async function deleteObject<K extends FleetKind>(
  kind: K,
  id: string,
  transactor: RecordedTransactor,
  terms: ObjectTerms = UNGUARDED,
  detach = false,
): Promise<Written<K>> {
  const before = await existing(kind, id, transactor);
  terms.precondition?.(before);
  const { items, total } = await transactor.usersOf(kind, id, USERS_NAMED_MAX);
  if (total > 0 && !detach) throw inUse(kind, id, inOrder(items), total);
  const detached = total > 0 ? await detachedUsers(kind, id, total, transactor, terms.pause) : [];
  const removal = { kind, id, before, after: undefined };
  return { object: before, ...(await commitChanges([...detached, removal], transactor, terms)) };
}

/** To another state, by the steps that states.ts knows; what that does to the cluster's answers is planned and guarded. */
export async function setClusterState(
  id: string,
  state: ClusterState,
  transactor: RecordedTransactor,
  terms: ObjectTerms = UNGUARDED,
): Promise<Written<'cluster'>> {
  const before = await existing('cluster', id, transactor);
  terms.precondition?.(before);
  return writeOne({ kind: 'cluster', id, before, after: inState(before, state) }, transactor, terms);
}

async function writeOne<K extends FleetKind>(
  change: FleetChange<K> & { readonly after: FleetObjects[K] },
  transactor: RecordedTransactor,
  terms: WriteTerms,
): Promise<Written<K>> {
  await checkReferences(change.kind, change.before, change.after, transactor);
  return { object: change.after, ...(await commitChanges([change], transactor, terms)) };
}

function changed<K extends FleetKind>(
  kind: K,
  before: FleetObjects[K],
  raw: RawObject,
  schemas: FleetSchemas,
): FleetObjects[K] {
  const after = checkObject(kind, schemas, raw);
  if (after.id !== before.id) throw new Error(`${kind} ${before.id} would become ${after.id}`);
  if (kind === 'cluster') checkStateKept(before as Cluster, after as Cluster);
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
    `The ${title} "${id}" is in use by ${objects}: ${named}${rest}. Take it out of them first, or delete it with ?detach=true.`,
    { details: boundDetails(users.map((user) => ({ field: pathOf(user), problem: 'refers to it' }))) },
  );
}

function pathOf(user: ObjectName): string {
  return `/${kindDefinition(user.kind).collection}/${user.id}`;
}
