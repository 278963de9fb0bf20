import type { Database } from 'better-sqlite3';
import type { AuditEntry } from '../../core/audit/entry.ts';
import type { StillAdmitted } from '../../core/audit/still-admitted.ts';
import type { Page } from '../../core/fleet/access.ts';
import type { RevocationEntry } from '../../core/identity/revocation-list.ts';
import { keyOfTarget, targetOfKey } from '../../core/identity/revocation-target.ts';
import { unavailable } from './faults.ts';

/** One revocation with its history, as it is kept. */
export interface RevocationRecord extends RevocationEntry {
  readonly createdMs: number;
  readonly createdBy: string;
  readonly lifted: { readonly atMs: number; readonly by: string } | undefined;
  /** Requests that it refused, as far as they have been written down. */
  readonly attempts: number;
  readonly lastAttemptMs: number | undefined;
}

export type NewRevocation = Pick<
  RevocationRecord,
  'id' | 'target' | 'reason' | 'untilMs' | 'createdMs' | 'createdBy'
>;

export interface RevocationAttempts {
  readonly id: string;
  readonly attempts: number;
  readonly lastMs: number;
}

/** What has not been lifted, and the version of the store's state that this is. */
export interface RevocationState {
  readonly version: number;
  readonly entries: readonly RevocationEntry[];
}

/** The revocations' part of the store. A write that has resolved survives kill -9. */
export interface RevocationStore {
  /** Grows with each change by whatever process; cheap enough to ask several times a second. */
  version(): Promise<number>;
  state(): Promise<RevocationState>;
  get(id: string): Promise<RevocationRecord | undefined>;
  /** Newest first. */
  list(query: { readonly limit: number; readonly offset: number }): Promise<Page<RevocationRecord>>;
  /** With its entry in the audit trail, in one commit. */
  add(revocation: NewRevocation, entry: AuditEntry): Promise<void>;
  /** False: it is not there, or lifted already; nothing was changed. */
  lift(
    id: string,
    atMs: number,
    by: string,
    entry: AuditEntry,
    stillAdmitted?: StillAdmitted,
  ): Promise<boolean>;
  countAttempts(attempts: readonly RevocationAttempts[]): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly target: string;
  readonly reason: string;
  readonly created_ms: number;
  readonly created_by: string;
  readonly until_ms: number | null;
  readonly lifted_ms: number | null;
  readonly lifted_by: string | null;
  readonly attempts: number | null;
  readonly last_ms: number | null;
}

const SELECT = `SELECT revocations.id, target, reason, created_ms, created_by, until_ms, lifted_ms, lifted_by, attempts, last_ms
  FROM revocations LEFT JOIN revocation_attempts ON revocation_attempts.id = revocations.id`;

export interface RevocationQueries {
  version(): number;
  state(): RevocationState;
  get(id: string): RevocationRecord | undefined;
  list(limit: number, offset: number): Page<RevocationRecord>;
}

/** The reading SQL, on one connection. */
export function createRevocationQueries(database: Database): RevocationQueries {
  const version = database.prepare<[], number>('SELECT version FROM revocation_version').pluck();
  const byId = database.prepare<[string], Row>(`${SELECT} WHERE revocations.id = ?`);
  const page = database.prepare<[number, number], Row>(`${SELECT} ORDER BY sequence DESC LIMIT ? OFFSET ?`);
  const total = database.prepare<[], number>('SELECT count(*) FROM revocations').pluck();
  const notLifted = database.prepare<[], Row>(`${SELECT} WHERE lifted_ms IS NULL ORDER BY sequence`);
  const readVersion = (): number => version.get() ?? 0;
  return {
    version: readVersion,
    // One transaction, so that the version is that of the entries.
    state: database.transaction(() => ({ version: readVersion(), entries: notLifted.all().map(recordOf) })),
    get(id) {
      const row = byId.get(id);
      return row === undefined ? undefined : recordOf(row);
    },
    list: database.transaction((limit: number, offset: number) => ({
      items: page.all(limit, offset).map(recordOf),
      total: total.get() ?? 0,
    })),
  };
}

export interface RevocationWrites {
  add(revocation: NewRevocation): void;
  lift(id: string, atMs: number, by: string): boolean;
  countAttempts(attempts: readonly RevocationAttempts[]): void;
}

/** The writing SQL, on the writer's connection, inside its transaction. */
export function createRevocationWrites(database: Database): RevocationWrites {
  const insert = database.prepare(
    'INSERT INTO revocations (id, target, reason, created_ms, created_by, until_ms) VALUES (?, ?, ?, ?, ?, ?)',
  );
  const lift = database.prepare(
    'UPDATE revocations SET lifted_ms = ?, lifted_by = ? WHERE id = ? AND lifted_ms IS NULL',
  );
  const count = database.prepare(`INSERT INTO revocation_attempts (id, attempts, last_ms) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET attempts = attempts + excluded.attempts, last_ms = max(last_ms, excluded.last_ms)`);
  return {
    add({ id, target, reason, createdMs, createdBy, untilMs }) {
      insert.run(id, keyOfTarget(target), reason, createdMs, createdBy, untilMs ?? null);
    },
    lift: (id, atMs, by) => lift.run(atMs, by, id).changes > 0,
    countAttempts(attempts) {
      for (const { id, attempts: more, lastMs } of attempts) count.run(id, more, lastMs);
    },
  };
}

function recordOf(row: Row): RevocationRecord {
  const target = targetOfKey(row.target);
  // A revocation that cannot be read must not become one that is not there.
  if (target === undefined) throw unavailable(`revocation ${row.id}: unknown target "${row.target}"`);
  return Object.freeze({
    id: row.id,
    target: Object.freeze(target),
    reason: row.reason,
    createdMs: row.created_ms,
    createdBy: row.created_by,
    untilMs: row.until_ms ?? undefined,
    lifted:
      row.lifted_ms === null || row.lifted_by === null
        ? undefined
        : Object.freeze({ atMs: row.lifted_ms, by: row.lifted_by }),
    attempts: row.attempts ?? 0,
    lastAttemptMs: row.last_ms ?? undefined,
  });
}
