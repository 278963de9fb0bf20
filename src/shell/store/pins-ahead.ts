import SqliteDatabase, { type Database } from 'better-sqlite3';
import { guardSettings } from './damage.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { type PinPage, pinPages, type StoredPins } from './pin-pages.ts';

/**
 * The pins of all clusters are by far the most that a start reads, so they are read while the file is still being checked. Until the check has
 * passed nobody looks at them, and where it fails they are gone: a file that is not whole is refused as before, with what
 * the check says of it.
 */
export interface PinsAhead {
  /** Once it is decided whether the file is whole; reads what is left to read. */
  finished(): Promise<void>;
  /** What was read, once; undefined: nothing, or somebody has written since. Reads no more from then on. */
  take(): StoredPins | undefined;
}

/** A millisecond. */
const PAGES_PER_TURN = 4;
/** A pin takes some hundred. */
const OCTETS_MAX = 16_384;

/** Never rejects: what cannot be read now is read later, by whoever opens the store. */
export function readPinsAhead(databaseUrl: string): PinsAhead {
  const location = parseDatabaseUrl(databaseUrl);
  const database = location.memory ? undefined : opened(location.path);
  if (database === undefined) return { finished: () => Promise.resolve(), take: () => undefined };
  const version = (): unknown => database.pragma('data_version', { simple: true });
  let read: { readonly pins: StoredPins; readonly version: unknown } | undefined;
  const reading = (async () => {
    const before = version();
    read = { pins: await allOf(database), version: before };
  })().catch(() => undefined);
  return {
    finished: () => reading,
    take() {
      if (!database.open) return undefined;
      try {
        return read?.version === version() ? read?.pins : undefined;
      } catch {
        return undefined;
      } finally {
        read = undefined;
        database.close();
      }
    },
  };
}

/** As the thread that checks the file opens it, but for looking only. */
function opened(path: string): Database | undefined {
  let database: Database | undefined;
  try {
    database = new SqliteDatabase(path, { fileMustExist: true, timeout: 0 });
    guardSettings(database);
    database.pragma('query_only = ON');
    if (isPlainTable(database, 'key_pins')) return database;
    database.close();
    return undefined;
  } catch {
    database?.close();
    return undefined;
  }
}

/** A view, a virtual table or a column that is computed runs what somebody wrote into the file, for as long as they please. */
function isPlainTable(database: Database, name: string): boolean {
  const sql = "SELECT count(*) FROM sqlite_schema WHERE name = ? AND type = 'table' AND rootpage > 0";
  const columns = database.pragma(`table_xinfo(${name})`) as { hidden: number }[];
  return database.prepare(sql).pluck().get(name) === 1 && columns.every(({ hidden }) => hidden === 0);
}

/** Page by page, so that whatever else a start does has its turn, and the end of the check. */
async function allOf(database: Database): Promise<StoredPins> {
  const pages: PinPage[] = [];
  for (const page of pinPages(database, OCTETS_MAX)) {
    pages.push(page);
    if (pages.length % PAGES_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return pages;
}
