import SqliteDatabase, { type Database } from 'better-sqlite3';
import { StartupError } from '../../core/errors.ts';
import { damageOf, guardSettings, STARTUP_BUSY_TIMEOUT_MS } from './damage.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { isDamage, sqliteCode } from './faults.ts';
import { migrate } from './migrations/migrate.ts';
import { type FileProblem, REPLACED } from './problem.ts';
import { breakSeal, type SealHolder } from './seal.ts';
import { identityOf, makeStoreFile } from './store-file.ts';

/** `reader` sees committed state only; in memory there is one connection, and it is both. */
export interface OpenDatabase {
  readonly writer: Database;
  readonly reader: Database;
  /** undefined: there is nothing that could be sealed when it is closed. */
  readonly sealHolder?: SealHolder | undefined;
}

/** Blocks the whole process: only for the moments in which WAL readers can be in the way. Writers wait in write-queue.ts. */
const BUSY_TIMEOUT_MS = 100;

/**
 * Opens, checks and migrates the store's file, or makes it. `checked`: the file (`identityOf`) that was
 * checked as a whole a moment ago, and has to be the one that is opened. Throws StartupError, in one
 * line that says what to do.
 */
export function openDatabase(url: string, { checked }: { readonly checked?: string } = {}): OpenDatabase {
  const location = parseDatabaseUrl(url);
  if (location.memory) {
    const database = new SqliteDatabase(':memory:');
    settings(database);
    migrate(database, ':memory:');
    return { writer: database, reader: database };
  }
  const { path } = location;
  makeStoreFile(path);
  let writer: Database | undefined;
  try {
    writer = new SqliteDatabase(path, { fileMustExist: true, timeout: STARTUP_BUSY_TIMEOUT_MS });
    settings(writer);
    durability(writer);
    if (checked === undefined) refuseDamage(writer, path);
    else if (identityOf(path) !== checked) throw refusalOf(REPLACED, path);
    const sealHolder = breakSeal(path);
    migrate(writer, path);
    const reader = openReader(path);
    writer.pragma(`busy_timeout = ${BUSY_TIMEOUT_MS}`);
    return { writer, reader, sealHolder };
  } catch (error) {
    writer?.close();
    throw startupErrorOf(error, path);
  }
}

function openReader(path: string): Database {
  const reader = new SqliteDatabase(path, { readonly: true, fileMustExist: true, timeout: BUSY_TIMEOUT_MS });
  try {
    settings(reader);
    reader.pragma('query_only = ON');
    return reader;
  } catch (error) {
    reader.close();
    throw error;
  }
}

function settings(database: Database): void {
  database.pragma('foreign_keys = ON');
  guardSettings(database);
  // Large sorts would spill into files below /tmp, which a container may have read-only or not at all.
  database.pragma('temp_store = MEMORY');
  // KiB of pages, of each connection, for ever: better-sqlite3 has 16 MiB, which a look through the store fills at each start. What is not there
  // is in the kernel's cache, a microsecond away.
  database.pragma('cache_size = -4096');
}

/** WAL: readers and the writer do not wait for each other. FULL: an acknowledged write survives a power cut. */
function durability(writer: Database): void {
  const mode = writer.pragma('journal_mode = WAL', { simple: true });
  if (mode !== 'wal') {
    throw new StartupError(
      `DATABASE_URL: the file system does not take SQLite's WAL (got "${mode}"): use a local disk`,
    );
  }
  writer.pragma('synchronous = FULL');
}

function refuseDamage(database: Database, path: string): void {
  const damage = damageOf(database);
  if (damage !== undefined) throw damaged(path, damage);
}

function damaged(path: string, reason: string, cause?: unknown): StartupError {
  return new StartupError(
    `DATABASE_URL: ${path} is damaged (${reason.split('\n').join(' ')}): put a backup in its place (the damaged file is kept ` +
      `beside it), then start again: npm run -s fluxgate -- restore --database sqlite://${path} --from FILE`,
    cause,
  );
}

function startupErrorOf(error: unknown, path: string): StartupError {
  if (error instanceof StartupError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return refusalOf({ message, code: sqliteCode(error) ?? 'fault' }, path, error);
}

/** What a start says of a file that cannot be used. */
export function refusalOfFile(url: string, problem: FileProblem): StartupError {
  const location = parseDatabaseUrl(url);
  return refusalOf(problem, location.memory ? url : location.path);
}

/** Whether the file itself is at fault, and not what keeps it from being read now. */
export function isDamaged({ code }: FileProblem): boolean {
  return code === undefined || isDamage(code);
}

function refusalOf(problem: FileProblem, path: string, cause?: unknown): StartupError {
  const { message } = problem;
  if (isDamaged(problem)) return damaged(path, message, cause);
  return new StartupError(`DATABASE_URL: ${path} cannot be opened: ${message}`, cause);
}
