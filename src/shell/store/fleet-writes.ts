import type { Database } from 'better-sqlite3';
import { FluxgateError } from '../../core/errors.ts';
import type { FleetReference } from '../../core/fleet/kind.ts';
import type { FleetKind, FleetObject, FleetObjects } from '../../core/fleet/objects.ts';
import { kindDefinition } from '../../core/fleet/registry.ts';
import type { PinnedAnswers } from '../../core/fleet/served.ts';
import { isConstraint, sqliteCode } from './faults.ts';
import type { FleetQueries } from './fleet-queries.ts';
import type { RatchetEntry } from './store.ts';

/**
 * The writing SQL, on the writer's connection, inside its transaction. Each call is a savepoint of its own: one that throws
 * leaves nothing behind, even if the caller catches what it throws and goes on.
 */
export interface FleetWrites {
  insert<K extends FleetKind>(kind: K, object: FleetObjects[K]): void;
  replace<K extends FleetKind>(kind: K, object: FleetObjects[K]): void;
  remove(kind: FleetKind, id: string): FleetObject;
  pin(clusterId: string, answers: PinnedAnswers | undefined): void;
  turnRatchet(entries: readonly RatchetEntry[]): void;
  /** From now on a seed is not loaded, however empty the store becomes. */
  markInitialised(): void;
}

/** The revision that ends a freeze is the one that its transaction becomes. */
const KEEP_PINS = `INSERT INTO past_pins (cluster_id, until_revision, answers)
  SELECT cluster_id, 1 + coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'revisions'), 0), answers
  FROM frozen_answers WHERE cluster_id = ?
  ON CONFLICT (cluster_id, until_revision) DO UPDATE SET answers = excluded.answers`;

export function createFleetWrites(database: Database, queries: FleetQueries): FleetWrites {
  const insertObject = database.prepare('INSERT INTO objects (kind, id, document) VALUES (?, ?, ?)');
  const updateObject = database.prepare('UPDATE objects SET document = ? WHERE kind = ? AND id = ?');
  const deleteObject = database.prepare('DELETE FROM objects WHERE kind = ? AND id = ?');
  const numberOf = database
    .prepare<unknown[], number>('SELECT number FROM objects WHERE kind = ? AND id = ?')
    .pluck();
  const insertField = database.prepare(
    'INSERT INTO ref_fields (name) VALUES (?) ON CONFLICT (name) DO NOTHING',
  );
  // Of what is not there the number is null, which the table refuses.
  const insertReference = database.prepare(`INSERT INTO refs (from_number, field, position, to_number) VALUES
    (?, (SELECT number FROM ref_fields WHERE name = ?), ?, (SELECT number FROM objects WHERE kind = ? AND id = ?))`);
  const deleteReferences = database.prepare(
    'DELETE FROM refs WHERE from_number = ? AND field = (SELECT number FROM ref_fields WHERE name = ?)',
  );
  const insertPins = database.prepare(
    'INSERT INTO frozen_answers (cluster_id, answers) VALUES (?, ?) ON CONFLICT (cluster_id) DO UPDATE SET answers = excluded.answers',
  );
  const deletePins = database.prepare('DELETE FROM frozen_answers WHERE cluster_id = ?');
  const keepPins = database.prepare(KEEP_PINS);
  const unpin = (clusterId: string): void => {
    keepPins.run(clusterId);
    deletePins.run(clusterId);
  };
  const insertRatchet = database.prepare(
    'INSERT INTO ratchet (cluster_dns, certificate_sha256, since_ms) VALUES (?, ?, ?) ON CONFLICT (cluster_dns) DO NOTHING',
  );
  const insertMeta = database.prepare(
    "INSERT INTO meta (name, value) VALUES ('initialised', 'yes') ON CONFLICT (name) DO NOTHING",
  );

  const writeReferences = (
    from: number | bigint,
    list: string,
    references: readonly FleetReference[],
  ): void => {
    insertField.run(list);
    for (const { position, kind: toKind, id, field } of references) {
      try {
        insertReference.run(from, list, position, toKind, id);
      } catch (error) {
        if (isConstraint(error)) throw danglingReference(field, toKind, error);
        throw error;
      }
    }
  };

  return {
    insert: savepoint(database, (kind, object) => {
      if (numberOf.get(kind, object.id) !== undefined) throw taken(kind, 'id');
      const { lastInsertRowid: number } = dnsFree(kind, () =>
        insertObject.run(kind, object.id, JSON.stringify(object)),
      );
      for (const [list, mentioned] of mentionsOf(kind, object)) writeReferences(number, list, mentioned);
    }),
    replace: savepoint(database, (kind, object) => {
      const before = queries.get(kind, object.id);
      if (before === undefined) throw notFound(kind);
      dnsFree(kind, () => updateObject.run(JSON.stringify(object), kind, object.id));
      // Most changes leave the mentions alone, and a list may have thousands of them in each of 10,000 clusters.
      const was = mentionsOf(kind, before);
      const is = mentionsOf(kind, object);
      for (const list of new Set([...was.keys(), ...is.keys()])) {
        const mentioned = is.get(list) ?? [];
        if (isSameMentions(was.get(list) ?? [], mentioned)) continue;
        const number = numberOf.get(kind, object.id) ?? 0;
        deleteReferences.run(number, list);
        writeReferences(number, list, mentioned);
      }
    }),
    remove: database.transaction((kind: FleetKind, id: string) => {
      const object = queries.get(kind, id);
      if (object === undefined) throw notFound(kind);
      try {
        deleteObject.run(kind, id);
        if (kind === 'cluster') unpin(id);
      } catch (error) {
        if (isConstraint(error)) throw inUse(kind, error);
        throw error;
      }
      return object;
    }),
    pin(clusterId, answers) {
      if (answers === undefined) unpin(clusterId);
      else insertPins.run(clusterId, JSON.stringify(answers));
    },
    turnRatchet: database.transaction((entries: readonly RatchetEntry[]) => {
      for (const entry of entries)
        insertRatchet.run(entry.clusterDns, entry.certificateSha256, entry.sinceMs);
    }),
    markInitialised: () => {
      insertMeta.run();
    },
  };
}

/** By the list that has them. */
function mentionsOf<K extends FleetKind>(
  kind: K,
  object: FleetObjects[K],
): ReadonlyMap<string, readonly FleetReference[]> {
  const lists = new Map<string, FleetReference[]>();
  for (const mention of kindDefinition(kind).references(object)) {
    const list = lists.get(mention.list);
    if (list === undefined) lists.set(mention.list, [mention]);
    else list.push(mention);
  }
  return lists;
}

const isSameMentions = (was: readonly FleetReference[], is: readonly FleetReference[]): boolean =>
  was.length === is.length &&
  was.every(({ position, kind, id }, n) => {
    const other = is[n];
    return position === other?.position && kind === other.kind && id === other.id;
  });

/** better-sqlite3 begins a savepoint where a transaction is open already; its types know nothing of generics. */
function savepoint(
  database: Database,
  write: <K extends FleetKind>(kind: K, object: FleetObjects[K]) => void,
): <K extends FleetKind>(kind: K, object: FleetObjects[K]) => void {
  return database.transaction(write) as typeof write;
}

function taken(kind: FleetKind, field: string, cause?: unknown): FluxgateError {
  const { title } = kindDefinition(kind);
  return new FluxgateError(
    'conflict',
    `The ${title}'s ${field} is taken. Choose another, or change the ${title} that has it.`,
    { details: [{ field: `/${field}`, problem: `must not be taken by another ${title}` }], cause },
  );
}

/** By SQLite's code alone: the id is nobody else's, and the only other unique index is that of `cluster_dns`. */
function dnsFree<T>(kind: FleetKind, act: () => T): T {
  try {
    return act();
  } catch (error) {
    if (sqliteCode(error) === 'SQLITE_CONSTRAINT_UNIQUE') throw taken(kind, 'cluster_dns', error);
    throw error;
  }
}

function danglingReference(field: string, toKind: FleetKind, cause: unknown): FluxgateError {
  const { title, collection } = kindDefinition(toKind);
  const problem = `must be the id of a ${title} that is there: create it first with POST /${collection}`;
  return new FluxgateError('validation_error', `A reference names a ${title} that is not there.`, {
    details: [{ field, problem }],
    cause,
  });
}

function inUse(kind: FleetKind, cause: unknown): FluxgateError {
  const { title } = kindDefinition(kind);
  return new FluxgateError(
    'in_use',
    `The ${title} is in use. Take it out of what refers to it first; then delete it.`,
    {
      cause,
    },
  );
}

function notFound(kind: FleetKind): FluxgateError {
  return new FluxgateError('not_found', `There is no ${kindDefinition(kind).title} of this id.`);
}
