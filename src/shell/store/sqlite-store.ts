import type { Database } from 'better-sqlite3';
import type { StillAdmitted } from '../../core/audit/still-admitted.ts';
import type { AuditStore } from '../../core/audit/trail.ts';
import type { FleetReader } from '../../core/fleet/access.ts';
import type { ChangeOrigin } from '../../core/fleet/history.ts';
import { systemClock } from '../clock.ts';
import { listAudit } from './audit-list.ts';
import { createAuditQueries, createAuditWrites } from './audit-records.ts';
import type { CheckedFile, FileCheck } from './check-file.ts';
import { createCrlIssuerStore } from './crl-issuers.ts';
import { type OpenDatabase, openDatabase, refusalOfFile } from './database.ts';
import { parseDatabaseUrl } from './database-url.ts';
import { createEndedSessionStore } from './ended-sessions.ts';
import { storeFault, unavailable } from './faults.ts';
import { createFleetQueries, type FleetQueries } from './fleet-queries.ts';
import { createFleetWrites } from './fleet-writes.ts';
import { createHistoryQueries } from './history-queries.ts';
import { createHistoryWrites } from './history-writes.ts';
import { createLivenessStore } from './liveness-store.ts';
import { createOutlineStore } from './outlines.ts';
import { createPlanQueries, createPlanWrites, type PlanQueries, type PlanStore } from './plan-records.ts';
import { REPLACED } from './problem.ts';
import {
  createRevocationQueries,
  createRevocationWrites,
  type RevocationQueries,
  type RevocationStore,
} from './revocation-records.ts';
import { createSightingStore } from './sightings-store.ts';
import type { Store } from './store.ts';
import { identityOf } from './store-file.ts';
import {
  createTokenQueries,
  createTokenWrites,
  type TokenQueries,
  type TokenStore,
} from './token-records.ts';
import { createHistoryReader, runTransaction, type TransactionBounds, type Writer } from './transaction.ts';
import { createWriteQueue, type Turn, type WriteQueue } from './write-queue.ts';

/**
 * A handler needs milliseconds, but to take a component out of 10,000 clusters takes 7 s of a core, which polls have a share
 * of; a connection that is silent for a minute is closed, and other writers wait behind it.
 */
const BOUNDS: TransactionBounds = Object.freeze({ lockWaitMs: 5_000, workMs: 50_000 });

/** A seed of 100,000 clusters takes seconds; nothing is served before it is in. */
const SEED_BOUNDS: TransactionBounds = Object.freeze({ lockWaitMs: 60_000, workMs: 900_000 });

/**
 * Opens the store of DATABASE_URL, or makes it. Throws StartupError when the file cannot be used: unreadable, damaged,
 * another program's, or of a newer version. `turn`: see `createWriteQueue`; without it no other process is to write, and the store is sealed
 * when it is closed (`seal.ts`). `check`: of this very file, begun before; until that is done nothing of it is written, and nothing that was
 * read of it is anybody's.
 */
export async function openSqliteStore(
  databaseUrl: string,
  bounds: Partial<TransactionBounds> = {},
  turn?: Turn,
  check?: FileCheck,
): Promise<Store> {
  const file = await check;
  try {
    if (file?.problem !== undefined) throw refusalOfFile(databaseUrl, file.problem);
    const checked = file === undefined ? {} : { checked: identityOfStore(databaseUrl) };
    return createSqliteStore(openDatabase(databaseUrl, checked), bounds, turn, file);
  } catch (error) {
    await file?.takePins?.();
    throw error;
  }
}

/** Throws StartupError where it is gone since it was checked. */
function identityOfStore(databaseUrl: string): string {
  const location = parseDatabaseUrl(databaseUrl);
  const identity = location.memory ? '' : identityOf(location.path);
  if (identity === undefined) throw refusalOfFile(databaseUrl, REPLACED);
  return identity;
}

/** For tests, which tamper with the connections; everybody else opens. */
export function createSqliteStore(
  connections: OpenDatabase,
  bounds: Partial<TransactionBounds> = {},
  turn?: Turn,
  file?: CheckedFile,
): Store {
  const { writer: database, reader: readerDatabase, sealHolder } = connections;
  const queries = createFleetQueries(database);
  const history = createHistoryQueries(database);
  const writer: Writer = {
    database,
    queries,
    writes: createFleetWrites(database, queries),
    history,
    revisions: createHistoryWrites(database),
    audit: createAuditWrites(database),
    plans: { queries: createPlanQueries(database), writes: createPlanWrites(database) },
  };
  const inMemory = readerDatabase === database;
  const readerQueries = inMemory ? queries : createFleetQueries(readerDatabase, { remembers: true });
  const queue = createWriteQueue(turn);
  const read = createRead(queue, inMemory);
  const inTransaction: Store['transact'] = (work, origin = ourselves('write')) =>
    queue.run(() => runTransaction(writer, { ...BOUNDS, ...bounds }, origin, work));
  const write: Write = (doing, act, stillAdmitted) =>
    inTransaction(async () => {
      await stillAdmitted?.();
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
    revocations: createRevocations(writer, createRevocationQueries(readerDatabase), read, write),
    tokens: createTokens(writer, createTokenQueries(readerDatabase), read, write),
    plans: createPlans(writer, createPlanQueries(readerDatabase), read, write),
    audit: createAudit(writer, readerDatabase, read, write),
    sightings: createSightingStore(connections, queue, writer.audit, read, file),
    liveness: createLivenessStore(connections, queue, read),
    outlines: createOutlineStore(readerDatabase, read),
    crlIssuers: createCrlIssuerStore(connections, read, write),
    endedSessions: createEndedSessionStore(connections, read, write),
    check: () =>
      read('check', () => {
        readerQueries.isInitialised();
        readerQueries.isRatcheted('');
      }),
    close: () =>
      queue.run(async () => {
        await file?.takePins?.();
        if (!inMemory) readerDatabase.close();
        if (turn === undefined && file?.isWhole() !== false) sealHolder?.seal(database);
        database.close();
      }),
  });
}

function ourselves(action: ChangeOrigin['action']): ChangeOrigin {
  return { author: 'fluxgate', action, atMs: systemClock.now() };
}

type Read = <T>(doing: string, act: () => T) => Promise<T>;

/** One transaction of its own, for what is not the fleet. `stillAdmitted`: asked when its turn has come, and `act` is done at once after. */
type Write = <T>(doing: string, act: () => T, stillAdmitted?: StillAdmitted) => Promise<T>;

function createPlans({ audit, plans }: Writer, queries: PlanQueries, read: Read, write: Write): PlanStore {
  return Object.freeze<PlanStore>({
    list: (nowMs, limit, offset) => read('read', () => queries.list(nowMs, limit, offset)),
    get: (hash, nowMs) => read('read', () => queries.get(hash, nowMs)),
    request: (plan, entry) =>
      write('keep a plan', () => {
        if (plans.writes.request(plan)) audit.append(entry);
      }),
    approve: (hash, approval, entry, stillAdmitted) =>
      write(
        'approve a plan',
        () => {
          const approved = plans.writes.approve(hash, approval);
          if (approved) audit.append(entry);
          return approved;
        },
        stillAdmitted,
      ),
  });
}

function createAudit({ audit }: Writer, readerDatabase: Database, read: Read, write: Write): AuditStore {
  const queries = createAuditQueries(readerDatabase);
  return Object.freeze<AuditStore>({
    append: (entries) => write('audit', () => entries.forEach(audit.append)),
    list: (query) => listAudit(queries, read, query),
    end: () => read('read', () => queries.end()),
  });
}

function createRevocations(
  { database, audit }: Writer,
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
    // In force already when its turn comes: whoever revokes what they came with is not held up by that.
    add: (revocation, entry) =>
      write('revoke', () => {
        writes.add(revocation);
        audit.append(entry);
      }),
    lift: (id, atMs, by, entry, stillAdmitted) =>
      write(
        'lift',
        () => {
          const lifted = writes.lift(id, atMs, by);
          if (lifted) audit.append(entry);
          return lifted;
        },
        stillAdmitted,
      ),
    countAttempts: (attempts) => write('count', () => writes.countAttempts(attempts)),
  });
}

function createTokens(
  { database, audit }: Writer,
  queries: TokenQueries,
  read: Read,
  write: Write,
): TokenStore {
  const writes = createTokenWrites(database);
  return Object.freeze<TokenStore>({
    version: () => read('read', () => queries.version()),
    state: (nowMs) => read('read', () => queries.state(nowMs)),
    get: (id) => read('read', () => queries.get(id)),
    list: ({ limit, offset }) => read('read', () => queries.list(limit, offset)),
    add: (token, entry, stillAdmitted) =>
      write(
        'make a token',
        () => {
          writes.add(token);
          audit.append(entry);
        },
        stillAdmitted,
      ),
    revoke: (id, atMs, by, entry, stillAdmitted) =>
      write(
        'revoke a token',
        () => {
          const revoked = writes.revoke(id, atMs, by);
          if (revoked) audit.append(entry);
          return revoked;
        },
        stillAdmitted,
      ),
    noteUses: (uses) => write('note uses', () => writes.noteUses(uses)),
  });
}

/**
 * A file's reader has a connection of its own, which sees committed state only. Memory has one connection, so a read waits
 * until the transaction before it is over.
 */
function createRead(queue: WriteQueue, inMemory: boolean): Read {
  // No async functions: each would be one more promise for every look at the newest revision.
  const now = <T>(doing: string, act: () => T): Promise<T> => {
    try {
      return Promise.resolve(act());
    } catch (error) {
      return Promise.reject(storeFault(error, doing));
    }
  };
  return (doing, act) => {
    // In memory it would wait for itself; the same with a file, so that tests in memory find what is wrong with both.
    if (queue.isInside()) {
      return Promise.reject(unavailable(`${doing} of the store inside a transaction: use the transactor`));
    }
    return inMemory ? queue.run(() => now(doing, act)) : now(doing, act);
  };
}

function createReader(queries: FleetQueries, read: Read): FleetReader {
  return Object.freeze<FleetReader>({
    clusterInputs: (clusterDns, kind) => read('read', () => queries.clusterInputs(clusterDns, kind)),
    newestRevision: () => read('read', () => queries.newestRevision()),
    get: (kind, id) => read('read', () => queries.get(kind, id)),
    list: (kind, query) => read('read', () => queries.list(kind, query)),
    following: (kind, query) => read('read', () => queries.following(kind, query)),
    usersOf: (kind, id, limit) => read('read', () => queries.usersOf(kind, id, limit)),
    clustersUsing: (kind, id, after, limit) =>
      read('read', () => queries.clustersUsing(kind, id, after, limit)),
    pinnedAnswers: (clusterId) => read('read', () => queries.pinnedAnswers(clusterId)),
    formerAnswers: (clusterId, revision) => read('read', () => queries.formerAnswers(clusterId, revision)),
    isRatcheted: (clusterDns) => read('read', () => queries.isRatcheted(clusterDns)),
  });
}
