import { isDeepStrictEqual } from 'node:util';
import { type ErrorDetail, FluxgateError } from '../errors.ts';
import type { ObjectName } from './access.ts';
import { keyOf, pathOf } from './change-set.ts';
import type { FleetDirectory } from './directory.ts';
import type { RecordedTransactor } from './history.ts';
import type { FleetObject } from './objects.ts';
import { listAll, type Pause } from './pause.ts';
import type { ObjectChange } from './plan.ts';
import { TELL_NOBODY, type TellProgress } from './progress.ts';
import { FLEET_KINDS } from './registry.ts';
import { boundDetails } from './schemas.ts';

/**
 * `merge`: what was edited in the directory since its export is brought in; what is not there is left alone.
 * `authoritative`: afterwards the fleet is what the directory says, so what is not there goes.
 */
export type ImportMode = 'merge' | 'authoritative';

/**
 * Three ways: the directory, the fleet as it is, and the fleet as it was at the directory's revision, which tells an edit
 * here from an edit there. Throws `conflict` naming what was edited on both sides, and `validation_error` for a directory
 * without any object: an empty checkout is an accident, whatever the mode.
 */
export async function changesToImport(
  directory: FleetDirectory,
  mode: ImportMode,
  transactor: Pick<RecordedTransactor, 'following' | 'history'>,
  pause: Pause,
  tell: TellProgress = TELL_NOBODY,
): Promise<ObjectChange[]> {
  if (directory.objects.length === 0) {
    throw refused(
      '/files',
      'hold no object: an empty directory changes nothing. Is it the right one, and checked out?',
    );
  }
  if (mode === 'authoritative' && directory.revision === undefined) {
    throw refused(
      '/files/.fluxgate.yaml',
      'is required for authoritative: it says what the edits began from',
    );
  }
  const theirs = await wholeFleet(transactor, pause);
  const base = await fleetAt(directory.revision, theirs, transactor, pause);
  const ours = new Map(
    directory.objects.map(({ kind, object }) => [keyOf({ kind, id: object.id }), { kind, object }]),
  );
  const changes: ObjectChange[] = [];
  const conflicts: ErrorDetail[] = [];
  const names = [...namesOf([theirs, ours])];
  for (const [index, [key, name]] of names.entries()) {
    tell('comparing', index, names.length);
    await pause();
    const now = theirs.get(key)?.object;
    const wanted = ours.get(key)?.object;
    const was = base === undefined ? now : base(key);
    if (isDeepStrictEqual(now, wanted) || (wanted === undefined && mode === 'merge')) continue;
    if (isDeepStrictEqual(wanted, was)) {
      // Not edited here; there it was. An authority that has not seen that must not undo it unawares.
      if (mode === 'authoritative')
        conflicts.push(conflict(name, 'was changed in the fleet since the export'));
      continue;
    }
    if (!isDeepStrictEqual(now, was)) {
      conflicts.push(conflict(name, 'was changed in the directory and in the fleet since the export'));
      continue;
    }
    changes.push({ ...name, before: now, after: wanted });
  }
  if (conflicts.length === 0) return changes;
  throw new FluxgateError(
    'conflict',
    `The directory and the fleet went apart in ${conflicts.length} objects, and nothing was changed. Export again, ` +
      'and bring your edits in.',
    { details: boundDetails(conflicts) },
  );
}

type Objects = ReadonlyMap<string, { readonly kind: ObjectName['kind']; readonly object: FleetObject }>;

async function wholeFleet(reader: Pick<RecordedTransactor, 'following'>, pause: Pause): Promise<Objects> {
  const all = new Map<string, { kind: ObjectName['kind']; object: FleetObject }>();
  for (const kind of FLEET_KINDS) {
    for (const object of await listAll(kind, reader, pause))
      all.set(keyOf({ kind, id: object.id }), { kind, object });
  }
  return all;
}

/** What was not changed since is as it is now. */
async function fleetAt(
  revision: number | undefined,
  now: Objects,
  { history }: Pick<RecordedTransactor, 'history'>,
  pause: Pause,
): Promise<((key: string) => FleetObject | undefined) | undefined> {
  if (revision === undefined) return undefined;
  const { oldest, newest } = await history.range();
  if (revision < oldest || revision > newest) {
    throw refused(
      '/files/.fluxgate.yaml',
      `names revision ${revision}, which this fleet does not know. Export from this gateway again; or, to bring another gateway's fleet here, delete .fluxgate.yaml first: then the files are compared with what is here, and nothing is merged`,
    );
  }
  const changed = new Map<string, FleetObject | undefined>();
  for (const name of await history.changedSince(revision)) {
    changed.set(keyOf(name), await history.objectAt(name.kind, name.id, revision));
    await pause();
  }
  return (key) => (changed.has(key) ? changed.get(key) : now.get(key)?.object);
}

function* namesOf(sides: readonly Objects[]): Generator<readonly [string, ObjectName]> {
  const seen = new Set<string>();
  for (const side of sides) {
    for (const [key, { kind, object }] of side) {
      if (seen.has(key)) continue;
      seen.add(key);
      yield [key, { kind, id: object.id }];
    }
  }
}

const conflict = (name: ObjectName, problem: string): ErrorDetail => ({ field: pathOf(name), problem });

function refused(field: string, problem: string): FluxgateError {
  return new FluxgateError('validation_error', 'Nothing was imported: see details.', {
    details: [{ field, problem }],
  });
}
