import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { FileProblem } from './problem.ts';

/** Apart from the store, so that the thread that checks its file (check-thread.ts) loads little else. */

/** While starting, another process may be migrating; nothing is served yet, so waiting may block. */
export const STARTUP_BUSY_TIMEOUT_MS = 10_000;

/** Of every connection: what a file that somebody tampered with could do is turned off. */
export function guardSettings(database: Database): void {
  // It must not run functions from its schema, nor crash us with its pages.
  database.pragma('trusted_schema = OFF');
  database.pragma('cell_size_check = ON');
}

/** KiB of pages of whoever only checks: each is looked at once, and more of them than a core's own memory takes are slower. */
const CHECK_CACHE_KIB = 256;

/** Reads the whole file: what SQLite finds wrong with it, in its words; undefined: nothing. Throws what SQLite throws. */
export function damageOf(database: Database): string | undefined {
  const [first] = database.pragma('quick_check(1)') as { quick_check: string }[];
  if (first?.quick_check === 'ok') return undefined;
  return first?.quick_check ?? 'no answer';
}

/** Of a connection that only checks. */
export function checkSettings(database: Database): void {
  guardSettings(database);
  database.pragma(`cache_size = -${CHECK_CACHE_KIB}`);
}

/** The same; whatever keeps it from being read is a problem. It stays as it is. */
export function problemOf(database: Database): FileProblem | undefined {
  try {
    const damage = damageOf(database);
    return damage === undefined ? undefined : { message: damage, code: undefined };
  } catch (error) {
    return problemBy(error);
  }
}

export function problemOfFile(path: string): FileProblem | undefined {
  let database: Database | undefined;
  try {
    database = new SqliteDatabase(path, { fileMustExist: true, timeout: STARTUP_BUSY_TIMEOUT_MS });
    checkSettings(database);
    return problemOf(database);
  } catch (error) {
    return problemBy(error);
  } finally {
    database?.close();
  }
}

function problemBy(error: unknown): FileProblem {
  const code = error instanceof SqliteDatabase.SqliteError ? error.code : 'fault';
  return { message: error instanceof Error ? error.message : String(error), code };
}
