import type { Database } from 'better-sqlite3';
import type { ChangeOrigin, HistoryReader, RecordedTransactor } from '../../core/fleet/history.ts';
import type { FleetKind } from '../../core/fleet/objects.ts';
import { createPause } from '../pause.ts';
import type { AuditWrites } from './audit-records.ts';
import { isBusy, storeFault, unavailable } from './faults.ts';
import { fleetEntry } from './fleet-audit.ts';
import type { FleetQueries } from './fleet-queries.ts';
import type { FleetWrites } from './fleet-writes.ts';
import type { HistoryQueries } from './history-queries.ts';
import type { HistoryWrites, Ledger } from './history-writes.ts';
import type { PlanQueries, PlanWrites } from './plan-records.ts';

/** What one connection that may write can do. */
export interface Writer {
  readonly database: Database;
  readonly queries: FleetQueries;
  readonly writes: FleetWrites;
  readonly history: HistoryQueries;
  readonly revisions: HistoryWrites;
  readonly audit: AuditWrites;
  readonly plans: { readonly queries: PlanQueries; readonly writes: PlanWrites };
}

export interface TransactionBounds {
  /** How long the lock of another process is waited for. */
  readonly lockWaitMs: number;
  /** How long the work may take before it is rolled back, so that a handler that hangs does not stop all writes. */
  readonly workMs: number;
}

const LOCK_RETRY_MS = 10;

/**
 * BEGIN IMMEDIATE, work, COMMIT; ROLLBACK if the work rejects or is too slow. To be called from the write queue only: the
 * connection is the transaction's own until this settles. A rejection of `work` is passed on as it is. What the work changed
 * is appended as a revision and to the audit trail before the commit: a change without them does not happen.
 */
export async function runTransaction<T>(
  writer: Writer,
  bounds: TransactionBounds,
  origin: ChangeOrigin,
  work: (transactor: RecordedTransactor) => Promise<T>,
): Promise<T> {
  const { database } = writer;
  await begin(database, bounds.lockWaitMs);
  const life: Life = { over: false, ledger: writer.revisions.openLedger(), plan: undefined };
  try {
    const result = await bounded(work(createTransactor(writer, life)), bounds.workMs);
    life.over = true;
    const revision = await appendRevision(writer, life, origin);
    commit(database);
    if (revision !== undefined) origin.committed?.(revision);
    return result;
  } finally {
    life.over = true;
    rollbackIfOpen(database);
  }
}

interface Life {
  over: boolean;
  readonly ledger: Ledger;
  plan: object | undefined;
}

async function appendRevision(
  { database, revisions, audit }: Writer,
  life: Life,
  origin: ChangeOrigin,
): Promise<number | undefined> {
  if (!database.inTransaction) return undefined; // SQLite rolled it back: commit says so
  try {
    const pause = createPause();
    const revision = await revisions.append(life.ledger, origin, life.plan, pause);
    if (revision === undefined) return undefined;
    audit.append(await fleetEntry(revision.number, revision.changed, origin, life.plan, pause));
    return revision.number;
  } catch (error) {
    throw storeFault(error, 'revision');
  }
}

/** Waits without blocking the process, which has clusters to answer meanwhile. */
async function begin(database: Database, lockWaitMs: number): Promise<void> {
  const deadline = performance.now() + lockWaitMs;
  for (;;) {
    try {
      database.exec('BEGIN IMMEDIATE');
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= deadline) throw storeFault(error, 'begin');
      await new Promise((resolve) => setTimeout(resolve, LOCK_RETRY_MS));
    }
  }
}

function commit(database: Database): void {
  // After some faults (a full disk, a read error) SQLite has rolled back by itself: there is nothing left to commit.
  if (!database.inTransaction)
    throw unavailable('the transaction was rolled back by SQLite before its commit');
  try {
    database.exec('COMMIT');
  } catch (error) {
    throw storeFault(error, 'commit');
  }
}

function rollbackIfOpen(database: Database): void {
  if (!database.open || !database.inTransaction) return;
  try {
    database.exec('ROLLBACK');
  } catch (error) {
    throw storeFault(error, 'rollback');
  }
}

async function bounded<T>(work: Promise<T>, workMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(
      () => reject(unavailable(`a transaction's work took longer than ${workMs} ms`)),
      workMs,
    );
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Its calls run at once, on the writer's connection; none runs when the transaction is over. */
function createTransactor(
  { database, queries, writes, history, revisions, plans }: Writer,
  life: Life,
): RecordedTransactor {
  const during = async <T>(doing: string, act: () => T): Promise<T> => {
    if (life.over) throw unavailable(`${doing} after the end of its transaction`);
    // Without this, a statement after SQLite's own rollback would commit by itself.
    if (!database.inTransaction) throw unavailable(`${doing} after SQLite rolled the transaction back`);
    try {
      return act();
    } catch (error) {
      throw storeFault(error, doing);
    }
  };
  const writing = <T>(doing: string, kind: FleetKind, id: string, act: () => T): Promise<T> =>
    during(doing, () => {
      life.ledger.note(kind, id);
      const result = act();
      writes.markInitialised();
      return result;
    });
  return Object.freeze<RecordedTransactor>({
    clusterInputs: (clusterDns, kind) => during('read', () => queries.clusterInputs(clusterDns, kind)),
    newestRevision: () => during('read', () => queries.newestRevision()),
    get: (kind, id) => during('read', () => queries.get(kind, id)),
    list: (kind, query) => during('read', () => queries.list(kind, query)),
    following: (kind, query) => during('read', () => queries.following(kind, query)),
    usersOf: (kind, id, limit) => during('read', () => queries.usersOf(kind, id, limit)),
    clustersUsing: (kind, id, after, limit) =>
      during('read', () => queries.clustersUsing(kind, id, after, limit)),
    pinnedAnswers: (clusterId) => during('read', () => queries.pinnedAnswers(clusterId)),
    formerAnswers: (clusterId, revision) => during('read', () => queries.formerAnswers(clusterId, revision)),
    pin: (clusterId, answers) => during('pin', () => writes.pin(clusterId, answers)),
    isRatcheted: (clusterDns) => during('read', () => queries.isRatcheted(clusterDns)),
    insert: (kind, object) => writing('insert', kind, object.id, () => writes.insert(kind, object)),
    replace: (kind, object) => writing('replace', kind, object.id, () => writes.replace(kind, object)),
    remove: (kind, id) => writing('remove', kind, id, () => writes.remove(kind, id)),
    history: createHistoryReader(history, during),
    nextRevision: () => during('read', () => revisions.nextRevision()),
    notePlan: (plan) =>
      during('note', () => {
        life.plan = plan;
      }),
    planApproval: (hash, nowMs) => during('read', () => plans.queries.get(hash, nowMs)?.approval),
    closePlan: (hash) => during('close a plan', () => plans.writes.close(hash)),
    recallAnswer: (name, nowMs) => during('read', () => revisions.recallAnswer(name, nowMs)),
    rememberAnswer: (name, answer, nowMs) =>
      during('remember', () => revisions.rememberAnswer(name, answer, nowMs)),
  });
}

type Read = <T>(doing: string, act: () => T) => Promise<T>;

/** The same words whether one reads committed revisions or, inside a transaction, those up to it. */
export function createHistoryReader(queries: HistoryQueries, read: Read): HistoryReader {
  return Object.freeze<HistoryReader>({
    range: () => read('read', () => queries.range()),
    revisions: (limit, offset) => read('read', () => queries.revisions(limit, offset)),
    revision: (number) => read('read', () => queries.revision(number)),
    changesOf: (number, limit, offset) => read('read', () => queries.changesOf(number, limit, offset)),
    objectAt: (kind, id, revision) => read('read', () => queries.objectAt(kind, id, revision)),
    clusterAt: (id, revision) => read('read', () => queries.clusterAt(id, revision)),
    clustersTouched: (after, upTo, limit, offset) =>
      read('read', () => queries.clustersTouched(after, upTo, limit, offset)),
    revisionsOfCluster: (id, before, limit) =>
      read('read', () => queries.revisionsOfCluster(id, before, limit)),
    changedSince: (revision) => read('read', () => queries.changedSince(revision)),
    laterChanges: (name, revision, limit) => read('read', () => queries.laterChanges(name, revision, limit)),
  });
}
