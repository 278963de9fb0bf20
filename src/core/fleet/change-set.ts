import { isDeepStrictEqual } from 'node:util';
import { type ErrorDetail, FluxgateError } from '../errors.ts';
import type { FleetReader, ObjectName } from './access.ts';
import { findCycle } from './dependencies.ts';
import type { Cluster, FleetKind, FleetObject, FleetObjects } from './objects.ts';
import type { Pause } from './pause.ts';
import type { ObjectChange } from './plan.ts';
import { TELL_NOBODY, type TellProgress } from './progress.ts';
import { kindDefinition, referencesOf } from './registry.ts';
import { boundDetails } from './schemas.ts';
import { checkStateKept } from './states.ts';

/** Many changes as one: what a bulk change, an import and a revert have in common, before it goes to commitChanges. */

const USERS_READ_MAX = 100_000;

export const keyOf = ({ kind, id }: ObjectName): string => `${kind}/${id}`;

/** By kind and id: as people look for them. */
export const inOrder = (names: readonly ObjectName[]): readonly ObjectName[] =>
  [...names].sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));

/** Those that change something. The pairs of `before` and `after` are canonical, so equal means the same. */
export async function realChanges(changes: readonly ObjectChange[], pause: Pause): Promise<ObjectChange[]> {
  const real: ObjectChange[] = [];
  for (const change of changes) {
    if (!isDeepStrictEqual(change.before, change.after)) real.push(change);
    await pause();
  }
  return real;
}

/**
 * Throws `validation_error` unless every reference of the result leads somewhere and none runs in a circle, `in_use` where
 * what is removed is still referred to from outside the set. `keepStates`: no cluster's state may change this way.
 */
export async function checkChangeSet(
  changes: readonly ObjectChange[],
  reader: Pick<FleetReader, 'get' | 'usersOf'>,
  {
    pause,
    keepStates,
    tell = TELL_NOBODY,
  }: { readonly pause: Pause; readonly keepStates: boolean; readonly tell?: TellProgress | undefined },
): Promise<void> {
  const after = new Map(changes.map((change) => [keyOf(change), change.after]));
  const removed = changes.filter((change) => change.after === undefined);
  for (const change of removed) {
    await pause();
    await refuseUsed(change, after, reader);
  }
  // Thousands of clusters refer to the same few objects: each is read once.
  const get = async <K extends FleetKind>(kind: K, id: string): Promise<FleetObjects[K] | undefined> => {
    const key = keyOf({ kind, id });
    if (!after.has(key)) after.set(key, await reader.get(kind, id));
    return after.get(key) as FleetObjects[K] | undefined;
  };
  const problems: ErrorDetail[] = [];
  for (const [index, change] of changes.entries()) {
    tell('checking', index, changes.length);
    await pause();
    if (keepStates && change.kind === 'cluster' && change.after !== undefined) {
      checkStateKept(change.before as Cluster | undefined, change.after as Cluster);
    }
    if (change.after !== undefined) problems.push(...(await danglingReferences(change, change.after, get)));
  }
  if (problems.length === 0) {
    for (const { kind, after: object } of changes) {
      await pause();
      if (object === undefined) continue;
      const cycle = await findCycle(kind, object as FleetObjects[typeof kind], { get });
      if (cycle === undefined) continue;
      const field = pathOf({ kind, id: object.id });
      problems.push({ field, problem: `must not close a dependency cycle ${cycle.join(' → ')}` });
    }
  }
  if (problems.length === 0) return;
  throw new FluxgateError('validation_error', 'The result would not be a valid fleet: see details.', {
    details: boundDetails(problems),
  });
}

async function danglingReferences(
  { kind, id }: ObjectName,
  object: FleetObject,
  get: (kind: FleetKind, id: string) => Promise<FleetObject | undefined>,
): Promise<ErrorDetail[]> {
  const problems: ErrorDetail[] = [];
  for (const reference of referencesOf(kind, object)) {
    if ((await get(reference.kind, reference.id)) !== undefined) continue;
    const { title } = kindDefinition(reference.kind);
    const problem = `must be the id of a ${title} that is there; "${reference.id}" would not be`;
    problems.push({ field: `${pathOf({ kind, id })}${reference.field}`, problem });
  }
  return problems;
}

async function refuseUsed(
  removed: ObjectName,
  after: ReadonlyMap<string, FleetObject | undefined>,
  reader: Pick<FleetReader, 'usersOf'>,
): Promise<void> {
  const { items } = await reader.usersOf(removed.kind, removed.id, USERS_READ_MAX);
  const others = inOrder(items.filter((user) => !after.has(keyOf(user))));
  if (others.length === 0) return;
  const { title } = kindDefinition(removed.kind);
  const named = others
    .slice(0, 20)
    .map((user) => `${kindDefinition(user.kind).title} "${user.id}"`)
    .join(', ');
  throw new FluxgateError(
    'in_use',
    `The ${title} "${removed.id}" would go while it is in use by ${others.length}: ${named}. Take it out of them too.`,
    { details: boundDetails(others.map((user) => ({ field: pathOf(user), problem: 'refers to it' }))) },
  );
}

export function pathOf({ kind, id }: ObjectName): string {
  return `/${kindDefinition(kind).collection}/${id}`;
}
