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
  const anything = preparePage(database, MATCHING);
  const ofObject = preparePage(database, `${MATCHING} AND ${OF_OBJECT}`);
  return {
    list({ object, ...query }) {
      const asked = { ...ANYTHING, ...present(query) };
      return object === undefined ? anything(asked) : ofObject({ ...asked, ...namesOf(object) });
    },
    end: () => last.get() ?? NO_ROW,
  };
}

const MATCHING = `FROM audit WHERE (@event IS NULL OR event = @event) AND (@principal IS NULL OR principal = @principal)
  AND (@operation IS NULL OR operation = @operation) AND (@request_id IS NULL OR request_id = @request_id)
  AND (@since IS NULL OR at >= @since) AND (@until IS NULL OR at <= @until)`;

/**
 * What is about it alone, and each change of many that it was among. Those that a row has no room for are in the revision's own record,
 * for as long as that is kept; by time as well, for a restored store gives a number out again. `instr` first, for it parses nothing.
 */
const OF_OBJECT = `sequence IN (
  SELECT sequence FROM audit WHERE object = @object
  UNION ALL
  SELECT sequence FROM audit WHERE event = 'fleet_changed' AND object IS NULL AND (
    (instr(document, @quoted) > 0 AND EXISTS (
      SELECT 1 FROM json_each(document, '$.details.changes') AS change
      WHERE change.value ->> '$.kind' = @kind AND change.value ->> '$.id' = @id))
    OR (document ->> '$.details.revision', at) IN (
      SELECT number, strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch') FROM revision_changes
      JOIN revisions ON number = revision WHERE kind = @kind AND id = @id)))`;

function namesOf(object: string): object {
  const [kind = ''] = object.split('/', 1);
  const id = object.slice(kind.length + 1);
  return { object, kind, id, quoted: JSON.stringify(id) };
}

function preparePage(database: Database, matching: string): (asked: object) => Page<AuditRecord> {
  const list = database.prepare<unknown[], AuditRow>(
    `SELECT sequence, document, hash ${matching} ORDER BY sequence DESC LIMIT @limit OFFSET @offset`,
  );
  const count = database.prepare<unknown[], number>(`SELECT count(*) ${matching}`).pluck();
  return (asked) => ({
    items: list
      .all(asked)
      .map(({ sequence, document, hash }) => ({ sequence, hash, ...(JSON.parse(document) as AuditEntry) })),
    total: count.get(asked) ?? 0,
  });
}

export function createAuditTrail(database: Database): AuditTrail {
  const all = database.prepare<[], AuditRow>('SELECT sequence, document, hash FROM audit ORDER BY sequence');
  return { rows: () => all.iterate(), lastSequence: prepareHighest(database) };
}

const ANYTHING = Object.freeze({
  event: null,
  principal: null,
  operation: null,
  request_id: null,
  since: null,
  until: null,
});

const present = (query: Omit<AuditQuery, 'object'>): object =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));

function prepareHighest(database: Database): () => number {
  const sequence = database
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
    .pluck();
  return () => sequence.get() ?? 0;
}
