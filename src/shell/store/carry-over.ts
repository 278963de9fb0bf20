import SqliteDatabase, { type Database } from 'better-sqlite3';
import { OURSELVES } from '../../core/audit/entry.ts';
import { createAuditWrites } from './audit-records.ts';
import { migrate } from './migrations/migrate.ts';

/**
 * A backup knows nothing of what was decided after it. For the fleet that is what a restore is for; for who is believed it would
 * open doors that were closed since: a revoked certificate would be accepted again. So these decisions are taken from the store
 * that is replaced, whichever of the two has them.
 */
export interface CarriedOver {
  readonly revocations: number;
  readonly ratchets: number;
}

interface Decisions {
  readonly table: string;
  /** In order; `main` is the restored store, `replaced` the one before it. The first one's count is told. */
  readonly statements: readonly string[];
}

const REVOCATION = 'id, target, reason, created_ms, created_by, until_ms, lifted_ms, lifted_by';

const REVOCATIONS: Decisions = {
  table: 'revocations',
  statements: [
    `INSERT INTO main.revocations (${REVOCATION}) SELECT ${REVOCATION} FROM replaced.revocations
     WHERE id NOT IN (SELECT id FROM main.revocations) ORDER BY sequence`,
    `UPDATE main.revocations SET lifted_ms = later.lifted_ms, lifted_by = later.lifted_by FROM replaced.revocations AS later
     WHERE later.id = main.revocations.id AND main.revocations.lifted_ms IS NULL AND later.lifted_ms IS NOT NULL`,
    'INSERT OR REPLACE INTO main.revocation_attempts SELECT * FROM replaced.revocation_attempts',
  ],
};
const TOKEN =
  'id, name, kind, cluster_dns, grants, sha256, created_ms, created_by, expires_ms, revoked_ms, revoked_by';
/** Those that were made since are in somebody's hands; those that were revoked since are in the wrong ones. */
const TOKENS: Decisions = {
  table: 'tokens',
  statements: [
    `INSERT INTO main.tokens (${TOKEN}) SELECT ${TOKEN} FROM replaced.tokens
     WHERE id NOT IN (SELECT id FROM main.tokens) ORDER BY sequence`,
    `UPDATE main.tokens SET revoked_ms = later.revoked_ms, revoked_by = later.revoked_by FROM replaced.tokens AS later
     WHERE later.id = main.tokens.id AND main.tokens.revoked_ms IS NULL AND later.revoked_ms IS NOT NULL`,
    'INSERT OR REPLACE INTO main.token_uses SELECT * FROM replaced.token_uses',
  ],
};
const RATCHET: Decisions = {
  table: 'ratchet',
  statements: ['INSERT OR IGNORE INTO main.ratchet SELECT * FROM replaced.ratchet'],
};
/** A promoted key is the cluster's; the one before it may be in the wrong hands. */
const KEY_PINS: Decisions = {
  table: 'key_pins',
  statements: ['INSERT OR REPLACE INTO main.key_pins SELECT * FROM replaced.key_pins'],
};

/** A CRL that was there is required from then on; who signed out of the page stays signed out. */
const NOTES: Decisions = {
  table: 'meta',
  statements: [
    "INSERT OR IGNORE INTO main.meta SELECT * FROM replaced.meta WHERE substr(name, 1, 11) = 'crl-issuer:'",
    "INSERT OR IGNORE INTO main.meta SELECT * FROM replaced.meta WHERE substr(name, 1, 13) = 'page-session:'",
  ],
};

/**
 * What was done since the backup stays told: rows that go on from the backup's last one follow it. A trail that the backup is no
 * beginning of stays with the store that is replaced. The restore itself is the next row.
 */
function carryAudit(database: Database, isThere: boolean): void {
  const audit = createAuditWrites(database);
  const goesOn = `EXISTS (SELECT 1 FROM replaced.audit AS other JOIN main.audit AS mine USING (sequence, hash)
    WHERE mine.sequence = (SELECT max(sequence) FROM main.audit)) OR NOT EXISTS (SELECT 1 FROM main.audit)`;
  const rows = isThere
    ? database
        .prepare(
          `INSERT INTO main.audit (sequence, document, hash) SELECT sequence, document, hash FROM replaced.audit
           WHERE sequence > (SELECT coalesce(max(sequence), 0) FROM main.audit) AND (${goesOn}) ORDER BY sequence`,
        )
        .run().changes
    : 0;
  audit.append({
    at: new Date().toISOString(),
    event: 'restored',
    actor: OURSELVES,
    details: { rows_kept: rows },
  });
}

/**
 * Into the store at `restored`, which is brought to this version first; `replaced` is read only. All or nothing. Throws where
 * either cannot be read.
 */
export function carryOver(restored: string, replaced: string): CarriedOver {
  const database = new SqliteDatabase(restored, { fileMustExist: true });
  try {
    migrate(database, undefined);
    database.prepare('ATTACH ? AS replaced').run(replaced);
    const has = database
      .prepare<unknown[], number>(
        "SELECT count(*) FROM replaced.sqlite_schema WHERE type = 'table' AND name = ?",
      )
      .pluck();
    return database
      .transaction(() => {
        const carry = ({ table, statements }: Decisions): number => {
          if (has.get(table) === 0) return 0;
          const [told = 0] = statements.map((statement) => database.prepare(statement).run().changes);
          return told;
        };
        // A plan was made for the fleet that is replaced, and an approval is good for once.
        database.exec('DELETE FROM main.plans');
        carryAudit(database, has.get('audit') === 1);
        carry(KEY_PINS);
        carry(NOTES);
        carry(TOKENS);
        return { revocations: carry(REVOCATIONS), ratchets: carry(RATCHET) };
      })
      .immediate();
  } finally {
    database.close();
  }
}
