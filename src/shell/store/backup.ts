import { existsSync, statSync } from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { StartupError } from '../../core/errors.ts';
import { copyDatabase } from './copy.ts';
import { APPLICATION_ID, REVISIONS_SINCE, SCHEMA_VERSION } from './migrations/migrate.ts';

/** What a checked store or backup says of itself. */
export interface StoreFacts {
  readonly version: number;
  /** The newest revision in it; 0 where there is none. */
  readonly revision: number;
}

/**
 * Copies a store to a file that is not there yet, while gateways use it: one read transaction, so the copy is of one moment,
 * and no writer waits. The copy is checked. Throws StartupError, and then leaves no copy behind.
 */
export function backUpStore(path: string, to: string): StoreFacts & { readonly bytes: number } {
  if (existsSync(to)) throw new StartupError(`${to} is there already: a backup never overwrites anything`);
  const source = openStoreFile(path);
  try {
    const facts = readStoreFacts(source, path);
    copyDatabase(source, to);
    return { ...facts, bytes: statSync(to).size };
  } catch (error) {
    throw storeFileError(path, error);
  } finally {
    source.close();
  }
}

/** Reading only, and never makes a file. */
export function openStoreFile(path: string): Database {
  try {
    return new SqliteDatabase(path, { readonly: true, fileMustExist: true });
  } catch (error) {
    throw storeFileError(path, error);
  }
}

/** Throws StartupError unless the file is a store of ours that this version can use. */
export function readStoreFacts(database: Database, path: string): StoreFacts {
  try {
    if (database.pragma('application_id', { simple: true }) !== APPLICATION_ID) {
      throw new StartupError(`${path} is not a store of Fluxgate`);
    }
    const version = database.pragma('user_version', { simple: true }) as number;
    if (version > SCHEMA_VERSION) {
      throw new StartupError(
        `${path} was written by a newer Fluxgate (schema ${version}, this one knows ${SCHEMA_VERSION})`,
      );
    }
    const newest = 'SELECT coalesce(max(number), 0) FROM revisions';
    const revision =
      version < REVISIONS_SINCE ? 0 : (database.prepare<unknown[], number>(newest).pluck().get() ?? 0);
    return { version, revision };
  } catch (error) {
    throw storeFileError(path, error);
  }
}

export function storeFileError(path: string, error: unknown): StartupError {
  if (error instanceof StartupError) return error;
  return new StartupError(`${path}: ${error instanceof Error ? error.message : String(error)}`, error);
}
