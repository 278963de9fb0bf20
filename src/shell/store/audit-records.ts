import type { Database } from 'better-sqlite3';
import { type AuditRow, type ChainEnd, GENESIS, hashRow } from '../../core/audit/chain.ts';
import type { AuditEntry } from '../../core/audit/entry.ts';
import type { AuditQuery, AuditRecord } from '../../core/audit/trail.ts';
import type { Page } from '../../core/fleet/access.ts';

/** Inside a transaction: an entry is committed with what it tells of, or neither is. */
export interface AuditWrites {
  append(entry: AuditEntry): void;
}

export interface AuditQueries {
  list(query: AuditQuery): Page<AuditRecord>;
  end(): ChainEnd;
}

/** The trail as it is stored, whatever was done to the table's other columns and indexes. */
export interface AuditTrail {
  /** In their order. */
  rows(): IterableIterator<AuditRow>;
  /** The highest sequence that was ever given out: higher than the last row's where rows were cut off the end. */
  lastSequence(): number;
}

const LAST = 'SELECT sequence, hash FROM audit ORDER BY sequence DESC LIMIT 1';
const NO_ROW: ChainEnd = Object.freeze({ sequence: 0, hash: GENESIS });

export function createAuditWrites(database: Database): AuditWrites {
  const last = database.prepare<[], ChainEnd>(LAST);
  const highest = prepareHighest(database);
  const insert = database.prepare('INSERT INTO audit (sequence, document, hash) VALUES (?, ?, ?)');
  return {
    append(entry) {
      const end = last.get() ?? NO_ROW;
      // After rows that somebody cut off comes a gap: to go on from the last one left would hide them.
      const sequence = Math.max(end.sequence, highest()) + 1;
      const document = JSON.stringify(entry);
      insert.run(sequence, document, hashRow(end.hash, sequence, document));
    },
  };
}

export function createAuditQueries(database: Database): AuditQueries {
  const last = database.prepare<[], ChainEnd>(LAST);
  const matching = `FROM audit WHERE (@event IS NULL OR event = @event) AND (@principal IS NULL OR principal = @principal)
       AND (@object IS NULL OR object = @object) AND (@operation IS NULL OR operation = @operation)
       AND (@request_id IS NULL OR request_id = @request_id)
       AND (@since IS NULL OR at >= @since) AND (@until IS NULL OR at <= @until)`;
  const list = database.prepare<unknown[], AuditRow>(
    `SELECT sequence, document, hash ${matching} ORDER BY sequence DESC LIMIT @limit OFFSET @offset`,
  );
  const count = database.prepare<unknown[], number>(`SELECT count(*) ${matching}`).pluck();
  return {
    list(query) {
      const asked = { ...ANYTHING, ...present(query) };
      const items = list
        .all(asked)
        .map(({ sequence, document, hash }) => ({ sequence, hash, ...(JSON.parse(document) as AuditEntry) }));
      return { items, total: count.get(asked) ?? 0 };
    },
    end: () => last.get() ?? NO_ROW,
  };
}

export function createAuditTrail(database: Database): AuditTrail {
  const all = database.prepare<[], AuditRow>('SELECT sequence, document, hash FROM audit ORDER BY sequence');
  return { rows: () => all.iterate(), lastSequence: prepareHighest(database) };
}

const ANYTHING = Object.freeze({
  event: null,
  principal: null,
  object: null,
  operation: null,
  request_id: null,
  since: null,
  until: null,
});

const present = (query: AuditQuery): object =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));

function prepareHighest(database: Database): () => number {
  const sequence = database
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
    .pluck();
  return () => sequence.get() ?? 0;
}
