import { closeSync, existsSync, fsyncSync, openSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
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
    fsyncFile(to);
    fsyncFile(dirname(to));
    refuseDamagedCopy(to);
  } catch (error) {
    rmSync(to, { force: true });
    throw error;
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
