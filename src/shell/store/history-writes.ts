import type { Database } from 'better-sqlite3';
import type { AnswerName, ChangeOrigin, RememberedAnswer } from '../../core/fleet/history.ts';
import type { FleetKind } from '../../core/fleet/objects.ts';
import type { Pause } from '../../core/fleet/pause.ts';
import { LIMITS } from '../../core/limits.ts';
import type { ChangedDocument } from './fleet-audit.ts';

/** The documents of what a transaction touched, from before it; null: the object was not there. */
export interface Ledger {
  note(kind: FleetKind, id: string): void;
}

/** The writing SQL of revisions and remembered answers, inside a transaction. */
export interface HistoryWrites {
  openLedger(): Ledger;
  nextRevision(): number;
  /** Appends the revision of all that was noted and is different now; undefined: nothing is. */
  append(
    ledger: Ledger,
    origin: ChangeOrigin,
    plan: object | undefined,
    pause: Pause,
  ): Promise<AppendedRevision | undefined>;
  recallAnswer(name: AnswerName, nowMs: number): RememberedAnswer | undefined;
  rememberAnswer(name: AnswerName, answer: RememberedAnswer, nowMs: number): void;
}

export interface AppendedRevision {
  readonly number: number;
  readonly changed: readonly ChangedDocument[];
}

interface LedgerEntry {
  readonly kind: FleetKind;
  readonly id: string;
  readonly before: string | null;
}

export function createHistoryWrites(database: Database): HistoryWrites {
  const now = database
    .prepare<unknown[], string>('SELECT document FROM objects WHERE kind = ? AND id = ?')
    .pluck();
  const insertRevision = database.prepare(
    'INSERT INTO revisions (at_ms, author, action, request_id, reason, plan, changes) VALUES (?, ?, ?, ?, ?, ?, ?)',
  );
  const insertChange = database.prepare(
    'INSERT INTO revision_changes (revision, kind, id, before) VALUES (?, ?, ?, ?)',
  );
  const trim = database.prepare(
    'DELETE FROM revisions WHERE number < @newest AND (number <= @newest - @kept OR at_ms < @since)',
  );
  /** Those that no kept revision shows, and that no kept revision can bring back. What is frozen now is not among them. */
  const trimPins = database.prepare(
    'DELETE FROM past_pins WHERE until_revision < (SELECT min(number) FROM revisions)',
  );
  const sequence = database
    .prepare<unknown[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'revisions'")
    .pluck();
  const recall = database
    .prepare<unknown[], string>(
      'SELECT answer FROM answers WHERE principal = ? AND key = ? AND expires_ms > ?',
    )
    .pluck();
  const remember = database.prepare(
    `INSERT INTO answers (principal, key, fingerprint, answer, expires_ms) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (principal, key) DO UPDATE
     SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires_ms = excluded.expires_ms`,
  );
  const forgetExpired = database.prepare('DELETE FROM answers WHERE expires_ms <= ?');
  const forgetOldest = database.prepare(
    `DELETE FROM answers WHERE principal = @principal AND key IN (SELECT key FROM answers WHERE principal = @principal
     ORDER BY expires_ms DESC LIMIT -1 OFFSET @kept)`,
  );
  const entries = new WeakMap<Ledger, Map<string, LedgerEntry>>();

  return {
    openLedger() {
      const noted = new Map<string, LedgerEntry>();
      const ledger: Ledger = {
        note(kind, id) {
          const key = `${kind}/${id}`;
          if (!noted.has(key)) noted.set(key, { kind, id, before: now.get(kind, id) ?? null });
        },
      };
      entries.set(ledger, noted);
      return ledger;
    },
    nextRevision: () => (sequence.get() ?? 0) + 1,
    async append(ledger, origin, plan, pause) {
      const changed: ChangedDocument[] = [];
      for (const entry of entries.get(ledger)?.values() ?? []) {
        const after = now.get(entry.kind, entry.id) ?? null;
        if (after !== entry.before) changed.push({ ...entry, after });
        await pause();
      }
      if (changed.length === 0) return undefined;
      const { atMs, author, action, requestId = null, reason = null } = origin;
      const text = plan === undefined ? null : JSON.stringify(plan);
      const row = insertRevision.run(atMs, author, action, requestId, reason, text, changed.length);
      const number = Number(row.lastInsertRowid);
      for (const { kind, id, before } of changed) {
        insertChange.run(number, kind, id, before);
        await pause();
      }
      trim.run({
        newest: number,
        kept: LIMITS.revisionsKeptMax,
        since: atMs - LIMITS.revisionsKeptMs,
      });
      trimPins.run();
      return { number, changed };
    },
    recallAnswer({ principal, key }, nowMs) {
      const answer = recall.get(principal, key, nowMs);
      return answer === undefined ? undefined : (JSON.parse(answer) as RememberedAnswer);
    },
    rememberAnswer({ principal, key }, answer, nowMs) {
      forgetExpired.run(nowMs);
      const expires = nowMs + LIMITS.answersKeptMs;
      remember.run(principal, key, answer.fingerprint, JSON.stringify(answer), expires);
      forgetOldest.run({ principal, kept: LIMITS.answersKeptMax });
    },
  };
}
