import type { Database } from 'better-sqlite3';
import type { FleetReader } from '../../core/fleet/access.ts';
import type { ChangeOrigin } from '../../core/fleet/history.ts';
import { systemClock } from '../clock.ts';
import { type OpenDatabase, openDatabase } from './database.ts';
import { storeFault, unavailable } from './faults.ts';
import { createFleetQueries, type FleetQueries } from './fleet-queries.ts';
import { createFleetWrites } from './fleet-writes.ts';
import { createHistoryQueries } from './history-queries.ts';
import { createHistoryWrites } from './history-writes.ts';
import {
  createRevocationQueries,
  createRevocationWrites,
  type RevocationQueries,
  type RevocationStore,
} from './revocation-records.ts';
import { createSightingStore } from './sightings-store.ts';
import type { Store } from './store.ts';
import { createHistoryReader, runTransaction, type TransactionBounds, type Writer } from './transaction.ts';
import { createWriteQueue, type WriteQueue } from './write-queue.ts';

/**
 * A handler needs milliseconds, but to take a component out of 10,000 clusters takes 7 s of a core, which polls have a share
 * of; a connection that is silent for a minute is closed, and other writers wait behind it.
 */
const BOUNDS: TransactionBounds = Object.freeze({ lockWaitMs: 5_000, workMs: 50_000 });

/** A seed of 100,000 clusters takes seconds; nothing is served before it is in. */
const SEED_BOUNDS: TransactionBounds = Object.freeze({ lockWaitMs: 60_000, workMs: 900_000 });

/**
 * Opens the store of DATABASE_URL, or makes it. Throws StartupError when the file cannot be used: unreadable, damaged,
 * another program's, or of a newer version.
 */
export async function openSqliteStore(
  databaseUrl: string,
  bounds: Partial<TransactionBounds> = {},
): Promise<Store> {
  return createSqliteStore(openDatabase(databaseUrl), bounds);
}

/** For tests, which tamper with the connections; everybody else opens. */
export function createSqliteStore(connections: OpenDatabase, bounds: Partial<TransactionBounds> = {}): Store {
  const { writer: database, reader: readerDatabase } = connections;
  const queries = createFleetQueries(database);
  const history = createHistoryQueries(database);
  const writer: Writer = {
    database,
    queries,
    writes: createFleetWrites(database, queries),
    history,
    revisions: createHistoryWrites(database),
  };
  const inMemory = readerDatabase === database;
  const readerQueries = inMemory ? queries : createFleetQueries(readerDatabase);
  const queue = createWriteQueue();
  const read = createRead(queue, inMemory);
  const inTransaction: Store['transact'] = (work, origin = ourselves('write')) =>
    queue.run(() => runTransaction(writer, { ...BOUNDS, ...bounds }, origin, work));
  const write: Write = (doing, act) =>
    inTransaction(async () => {
      try {
        return act();
      } catch (error) {
        throw storeFault(error, doing);
      }
    });

  return Object.freeze<Store>({
    reader: createReader(readerQueries, read),
    history: createHistoryReader(inMemory ? history : createHistoryQueries(readerDatabase), read),
    transact: inTransaction,
    initialise: (load) =>
      queue.run(() =>
        runTransaction(writer, { ...SEED_BOUNDS, ...bounds }, ourselves('seed'), async (transactor) => {
          if (writer.queries.isInitialised()) return false;
          await load(transactor);
          writer.writes.markInitialised();
          return true;
        }),
      ),
    isInitialised: () => read('read', () => readerQueries.isInitialised()),
    ratchet: (entries) => write('ratchet', () => writer.writes.turnRatchet(entries)),
    revocations: createRevocations(database, createRevocationQueries(readerDatabase), read, write),
    sightings: createSightingStore(connections, queue),
    check: () =>
      read('check', () => {
        readerQueries.isInitialised();
        readerQueries.isRatcheted('');
      }),
    close: () =>
      queue.run(async () => {
        if (!inMemory) readerDatabase.close();
        database.close();
      }),
  });
}

function ourselves(action: ChangeOrigin['action']): ChangeOrigin {
  return { author: 'fluxgate', action, atMs: systemClock.now() };
}

type Read = <T>(doing: string, act: () => T) => Promise<T>;

/** One transaction of its own, for what is not the fleet. */
type Write = <T>(doing: string, act: () => T) => Promise<T>;

function createRevocations(
  database: Database,
  queries: RevocationQueries,
  read: Read,
  write: Write,
): RevocationStore {
  const writes = createRevocationWrites(database);
  return Object.freeze<RevocationStore>({
    version: () => read('read', () => queries.version()),
    state: () => read('read', () => queries.state()),
    get: (id) => read('read', () => queries.get(id)),
    list: ({ limit, offset }) => read('read', () => queries.list(limit, offset)),
    add: (revocation) => write('revoke', () => writes.add(revocation)),
    lift: (id, atMs, by) => write('lift', () => writes.lift(id, atMs, by)),
    countAttempts: (attempts) => write('count', () => writes.countAttempts(attempts)),
  });
}

/**
 * A file's reader has a connection of its own, which sees committed state only. Memory has one connection, so a read waits
 * until the transaction before it is over.
 */
function createRead(queue: WriteQueue, inMemory: boolean): Read {
  const now: Read = async (doing, act) => {
    try {
      return act();
    } catch (error) {
      throw storeFault(error, doing);
    }
  };
  return async (doing, act) => {
    // In memory it would wait for itself; the same with a file, so that tests in memory find what is wrong with both.
    if (queue.isInside()) throw unavailable(`${doing} of the store inside a transaction: use the transactor`);
    return inMemory ? queue.run(() => now(doing, act)) : now(doing, act);
  };
}

function createReader(queries: FleetQueries, read: Read): FleetReader {
  return Object.freeze<FleetReader>({
    clusterInputs: (clusterDns, kind) => read('read', () => queries.clusterInputs(clusterDns, kind)),
    get: (kind, id) => read('read', () => queries.get(kind, id)),
    list: (kind, query) => read('read', () => queries.list(kind, query)),
    usersOf: (kind, id, limit) => read('read', () => queries.usersOf(kind, id, limit)),
    clustersUsing: (kind, id, after, limit) =>
      read('read', () => queries.clustersUsing(kind, id, after, limit)),
    pinnedAnswers: (clusterId) => read('read', () => queries.pinnedAnswers(clusterId)),
    formerAnswers: (clusterId) => read('read', () => queries.formerAnswers(clusterId)),
    isRatcheted: (clusterDns) => read('read', () => queries.isRatcheted(clusterDns)),
  });
}
