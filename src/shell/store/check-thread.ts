import { parentPort, workerData } from 'node:worker_threads';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import type { ToldByThread } from './check-file.ts';
import { guardSettings, problemOfFile } from './damage.ts';
import { readPins } from './pin-pages.ts';
import { isSealed } from './seal.ts';

/**
 * What `check-file.ts` starts, and nothing else: tells what is wrong with the store's file. Of one that is whole it tells the pins, too; and, when it is
 * asked, whether they still are what the store has.
 */
const path = String(workerData);
const problem = isSealed(path) ? undefined : problemOfFile(path);
const open = problem === undefined ? opened() : undefined;
if (open === undefined) tell({ problem });
else {
  const { database, version, pages, octets } = open;
  parentPort?.once('message', () => {
    tell(versionOf(database) === version);
    database.close();
  });
  tell({ problem, pins: { pages, octets } }, [octets]);
}

function tell(told: ToldByThread | boolean, transferred: readonly ArrayBuffer[] = []): void {
  parentPort?.postMessage(told, [...transferred]);
}

/** undefined: they cannot be read here, and whoever opens the store says why. */
function opened() {
  let database: Database | undefined;
  try {
    database = new SqliteDatabase(path, { fileMustExist: true, timeout: 0 });
    guardSettings(database);
    database.pragma('query_only = ON');
    const version = versionOf(database);
    const read = readPins(database);
    // Not from Node's pool, which cannot be given away.
    const all = Buffer.alloc(read.reduce((length, { octets }) => length + octets.length, 0));
    read.reduce((at, { octets }) => at + octets.copy(all, at), 0);
    return {
      database,
      version,
      pages: read.map(({ first, count, octets }) => ({ first, count, length: octets.length })),
      octets: all.buffer,
    };
  } catch {
    database?.close();
    return undefined;
  }
}

function versionOf(database: Database): unknown {
  return database.pragma('data_version', { simple: true });
}
