import SqliteDatabase from 'better-sqlite3';
import { FluxgateError } from '../../core/errors.ts';

/** SQLite's faults in the gateway's words. SQL and SQLite's messages are for the log, never for an answer. */

/** The store cannot do what it is asked for: nobody who asks has done anything wrong. */
export class StoreFault extends FluxgateError {}

export function sqliteCode(error: unknown): string | undefined {
  return error instanceof SqliteDatabase.SqliteError ? error.code : undefined;
}

export function isConstraint(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_CONSTRAINT') ?? false;
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error)?.startsWith('SQLITE_BUSY') ?? false;
}

/** `code`: SQLite's. */
export function isDamage(code: string | undefined): boolean {
  return code !== undefined && (code.startsWith('SQLITE_CORRUPT') || code === 'SQLITE_NOTADB');
}

/**
 * What a store's operation throws: a FluxgateError as it is, everything else `unavailable`. A closed connection throws a
 * TypeError; a document that does not parse, a SyntaxError: those too mean that nothing can be answered truthfully.
 */
export function storeFault(error: unknown, doing: string): FluxgateError {
  if (error instanceof FluxgateError) return error;
  return unavailable(
    `${doing}: ${sqliteCode(error) ?? (error instanceof Error ? error.name : 'fault')}`,
    error,
  );
}

export function unavailable(logged: string, cause?: unknown): StoreFault {
  const message = 'The store cannot serve this now. Nothing was changed. Try again later.';
  return new StoreFault('unavailable', message, { logged: `store: ${logged}`, cause });
}
