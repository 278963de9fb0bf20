import type { Database } from 'better-sqlite3';
import { type AuditRow, type ChainEnd, GENESIS, hashRow } from '../../core/audit/chain.ts';
import type { AuditEntry } from '../../core/audit/entry.ts';
import type { AuditQuery, AuditRecord } from '../../core/audit/trail.ts';

/** Inside a transaction: an entry is committed with what it tells of, or neither is. */
export interface AuditWrites {
  append(entry: AuditEntry): void;
}

export interface AuditQueries {
  search(query: Omit<AuditQuery, 'limit' | 'offset'>): AuditSearch;
  /** In the order of the sequences; without those that are no more. */
  records(sequences: readonly number[]): readonly AuditRecord[];
  end(): ChainEnd;
}

/** What matches, in the trail as it was when it was begun. */
export interface AuditSearch {
  /** Sequences of the next rows that match, the newest first; undefined: there are no more rows. */
  next(): readonly number[] | undefined;
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

/** Rows that are looked at in one go, each of which is parsed: a millisecond. */
const LOOKED_AT_ONCE = 250;

export function createAuditQueries(database: Database): AuditQueries {
  const last = database.prepare<[], ChainEnd>(LAST);
  const first = database.prepare<[], number | null>('SELECT min(sequence) FROM audit').pluck();
  const matching = database.prepare<unknown[], number>(`${MATCHING} ORDER BY sequence DESC`).pluck();
  const ofObject = database.prepare<unknown[], Candidate>(`${OF_OBJECT} ORDER BY sequence DESC`);
  const changed = database.prepare<[string, string], string>(CHANGED_IN).pluck();
  const one = database.prepare<[number], AuditRow>(
    'SELECT sequence, document, hash FROM audit WHERE sequence = ?',
  );
  return {
    search({ object, ...query }) {
      const asked = { ...ANYTHING, ...present(query) };
      const names = object === undefined ? undefined : namesOf(object);
      const revisions = new Set(names === undefined ? [] : changed.all(names.kind, names.id));
      const look = (from: number, below: number): readonly number[] => {
        if (names === undefined) return matching.all({ ...asked, from, below });
        const candidates = ofObject.all({ ...asked, ...names, from, below });
        return candidates
          .filter(({ named, revision, at }) => named === 1 || revisions.has(`${revision} ${at}`))
          .map(({ sequence }) => sequence);
      };
      const lowest = first.get() ?? 1;
      let below = (last.get() ?? NO_ROW).sequence + 1;
      return {
        next() {
          if (below <= lowest) return undefined;
          const from = below - LOOKED_AT_ONCE;
          const found = look(from, below);
          below = from;
          return found;
        },
      };
    },
    records: (sequences) =>
      sequences
        .flatMap((sequence) => one.get(sequence) ?? [])
        .map(({ sequence, document, hash }) => ({ sequence, hash, ...(JSON.parse(document) as AuditEntry) })),
    end: () => last.get() ?? NO_ROW,
  };
}

const WHERE = `FROM audit WHERE sequence >= @from AND sequence < @below
  AND (@event IS NULL OR event = @event) AND (@principal IS NULL OR principal = @principal)
  AND (@operation IS NULL OR operation = @operation) AND (@request_id IS NULL OR request_id = @request_id)
  AND (@since IS NULL OR at >= @since) AND (@until IS NULL OR at <= @until)`;
const MATCHING = `SELECT sequence ${WHERE}`;

interface Candidate {
  readonly sequence: number;
  /** 1: the row itself names the object. */
  readonly named: number;
  readonly revision: number | null;
  readonly at: string;
}

/** What is about it alone, and changes of many, that it may be among. `instr` first, for it parses nothing. */
const OF_OBJECT = `SELECT sequence, at, document ->> '$.details.revision' AS revision,
  object IS @object OR (instr(document, @quoted) > 0 AND EXISTS (
    SELECT 1 FROM json_each(document, '$.details.changes') AS change
    WHERE change.value ->> '$.kind' = @kind AND change.value ->> '$.id' = @id)) AS named
  ${WHERE} AND (object = @object OR (event = 'fleet_changed' AND object IS NULL))`;

/**
 * Those that a row has no room for are in the revision's own record, for as long as that is kept; by time as well, for a restored store
 * gives a number out again.
 */
const CHANGED_IN = `SELECT number || ' ' || strftime('%Y-%m-%dT%H:%M:%fZ', at_ms / 1000.0, 'unixepoch')
  FROM revision_changes JOIN revisions ON number = revision WHERE kind = ? AND id = ?`;

function namesOf(object: string) {
  const [kind = ''] = object.split('/', 1);
  const id = object.slice(kind.length + 1);
  return { object, kind, id, quoted: JSON.stringify(id) };
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

const present = (query: object): object =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined));

function prepareHighest(database: Database): () => number {
  const sequence = database
    .prepare<[], number>("SELECT seq FROM sqlite_sequence WHERE name = 'audit'")
    .pluck();
  return () => sequence.get() ?? 0;
}
