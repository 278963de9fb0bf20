import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { StartupError } from '../../core/errors.ts';

/**
 * A consistent copy of an open database, on the disk and checked when this returns; `to` must be free. One read
 * transaction: writers go on meanwhile, and what they commit is not in the copy.
 */
export function copyDatabase(database: Database, to: string): void {
  // Made first, so that nobody else can read it in between.
  closeSync(openSync(to, 'wx', 0o600));
  try {
    database.prepare('VACUUM INTO ?').run(to);
    flush(to);
    refuseDamagedCopy(to);
  } catch (error) {
    rmSync(to, { force: true });
    throw error;
  }
}

/**
 * Has SQLite bring the file and its name to the disk, by a commit that changes nothing: Node's own fsync is not to be had in the
 * sandbox, and one fsync of a file brings all of it down, whoever wrote it.
 */
function flush(path: string): void {
  const copy = new SqliteDatabase(path, { fileMustExist: true });
  try {
    copy.pragma('synchronous = EXTRA');
    copy.pragma(`user_version = ${copy.pragma('user_version', { simple: true })}`);
  } finally {
    copy.close();
  }
}

/** `path`, or the first of `path-2`, `path-3`, … that is not there: an older copy is never overwritten. */
export function freePath(path: string): string {
  let candidate = path;
  for (let n = 2; existsSync(candidate); n++) candidate = `${path}-${n}`;
  return candidate;
}

export function fsyncFile(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Throws StartupError unless SQLite finds the whole file in order. */
export function refuseDamagedCopy(path: string): void {
  const copy = new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  try {
    const [first] = copy.pragma('quick_check(1)') as { quick_check: string }[];
    if (first?.quick_check !== 'ok') {
      throw new StartupError(`${path} is damaged: ${first?.quick_check ?? 'no answer'}`);
    }
  } finally {
    copy.close();
  }
}
