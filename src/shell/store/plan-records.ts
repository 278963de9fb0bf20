import type { Database } from 'better-sqlite3';
import type { AuditEntry } from '../../core/audit/entry.ts';
import type { StillAdmitted } from '../../core/audit/still-admitted.ts';
import type { Page } from '../../core/fleet/access.ts';
import type { KeptPlan, PlanApproval, PlanFacts, RequestedPlan } from '../../core/fleet/approval.ts';
import type { PlanPage } from '../../core/fleet/plan-summary.ts';
import { LIMITS } from '../../core/limits.ts';

/** Plans that wait for a second person, or have been approved and wait to be carried out. */
export interface PlanStore {
  /** One that is kept already stays as it is, with whoever asked first. With its entry in the audit trail, in one commit. */
  request(plan: RequestedPlan, entry: AuditEntry): Promise<void>;
  /** Newest first; expired ones are not there. */
  list(nowMs: number, limit: number, offset: number): Promise<Page<KeptPlan>>;
  get(hash: string, nowMs: number): Promise<KeptPlan | undefined>;
  /** False: it is not there, or approved already; nothing was changed. */
  approve(
    hash: string,
    approval: PlanApproval,
    entry: AuditEntry,
    stillAdmitted?: StillAdmitted,
  ): Promise<boolean>;
}

export interface PlanQueries {
  list(nowMs: number, limit: number, offset: number): Page<KeptPlan>;
  get(hash: string, nowMs: number): KeptPlan | undefined;
}

export interface PlanWrites {
  /** False: it is kept already. */
  request(plan: RequestedPlan): boolean;
  approve(hash: string, approval: PlanApproval): boolean;
  /** It has been carried out: an approval is good for once. */
  close(hash: string): void;
}

interface Row {
  readonly hash: string;
  readonly page: string;
  readonly requested_by: string;
  readonly responsible: string;
  readonly requested_ms: number;
  readonly expires_ms: number;
  readonly approved_by: string | null;
  readonly approved_ms: number | null;
}

/** What `page` holds beside the page itself. */
interface Kept {
  readonly facts: PlanFacts;
  readonly page: PlanPage;
}

export function createPlanQueries(database: Database): PlanQueries {
  const one = database.prepare<[string, number], Row>(
    'SELECT * FROM plans WHERE hash = ? AND expires_ms > ?',
  );
  const page = database.prepare<[number, number, number], Row>(
    'SELECT * FROM plans WHERE expires_ms > ? ORDER BY requested_ms DESC, hash LIMIT ? OFFSET ?',
  );
  const count = database.prepare<[number], number>('SELECT count(*) FROM plans WHERE expires_ms > ?').pluck();
  return {
    get(hash, nowMs) {
      const row = one.get(hash, nowMs);
      return row === undefined ? undefined : planOf(row);
    },
    list: (nowMs, limit, offset) => ({
      items: page.all(nowMs, limit, offset).map(planOf),
      total: count.get(nowMs) ?? 0,
    }),
  };
}

export function createPlanWrites(database: Database): PlanWrites {
  const sweep = database.prepare('DELETE FROM plans WHERE expires_ms <= ?');
  const insert = database.prepare(
    `INSERT INTO plans (hash, page, requested_by, responsible, requested_ms, expires_ms) VALUES (?, ?, ?, ?, ?, ?)
     ON CONFLICT (hash) DO NOTHING`,
  );
  const trim = database.prepare(
    `DELETE FROM plans WHERE hash IN (SELECT hash FROM plans ORDER BY approved_ms IS NULL, requested_ms DESC
     LIMIT -1 OFFSET ?)`,
  );
  const approve = database.prepare(
    `UPDATE plans SET approved_by = ?, approved_ms = ? WHERE hash = ? AND approved_ms IS NULL AND expires_ms > ?`,
  );
  const remove = database.prepare('DELETE FROM plans WHERE hash = ?');
  return {
    request({ hash, facts, page, requestedBy, responsible, requestedMs, expiresMs }) {
      sweep.run(requestedMs);
      const kept: Kept = { facts, page };
      const document = JSON.stringify(kept);
      const named = JSON.stringify(responsible);
      const inserted = insert.run(hash, document, requestedBy, named, requestedMs, expiresMs).changes > 0;
      trim.run(LIMITS.plansKeptMax);
      return inserted;
    },
    approve: (hash, { by, atMs }) => approve.run(by, atMs, hash, atMs).changes > 0,
    close: (hash) => void remove.run(hash),
  };
}

function planOf(row: Row): KeptPlan {
  const { approved_by: by, approved_ms: atMs } = row;
  return {
    hash: row.hash,
    ...(JSON.parse(row.page) as Kept),
    requestedBy: row.requested_by,
    responsible: JSON.parse(row.responsible) as string[],
    requestedMs: row.requested_ms,
    expiresMs: row.expires_ms,
    approval: by === null || atMs === null ? undefined : { by, atMs },
  };
}
