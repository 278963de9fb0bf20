import type { Database, Statement } from 'better-sqlite3';
import type { AuditWrites } from './audit-records.ts';
import type { CheckedFile } from './check-file.ts';
import { storeFault } from './faults.ts';
import { readPins } from './pin-pages.ts';
import type { SightingBatch, SightingKey, SightingStore, StoredSighting } from './sightings.ts';
import { withoutWaiting } from './without-waiting.ts';
import type { WriteQueue } from './write-queue.ts';

interface SightingRow {
  readonly kind: string;
  readonly name: string;
  readonly credential: string;
  readonly document: string;
}

type Read = <T>(doing: string, act: () => T) => Promise<T>;

/** The SQL of who was seen with what, and of the keys that belong to clusters. */
export function createSightingStore(
  { writer, reader }: { readonly writer: Database; readonly reader: Database },
  queue: WriteQueue,
  audit: AuditWrites,
  read: Read,
  file?: CheckedFile,
): SightingStore {
  const upsert = writer.prepare(
    `INSERT INTO sightings (kind, name, credential, document, leaf) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (kind, name, credential) DO UPDATE SET document = excluded.document, leaf = excluded.leaf`,
  );
  // Of what was presented with it before: where the row is gone, nothing is written.
  const update = writer.prepare(
    'UPDATE sightings SET document = ? WHERE kind = ? AND name = ? AND credential = ?',
  );
  const forget = writer.prepare('DELETE FROM sightings WHERE kind = ? AND name = ? AND credential = ?');
  const insertIssuer = writer.prepare(
    'INSERT INTO presented_issuers (sha256, der) VALUES (?, ?) ON CONFLICT (sha256) DO NOTHING',
  );
  const upsertPin = writer.prepare(
    `INSERT INTO key_pins (cluster_dns, document) VALUES (?, ?)
     ON CONFLICT (cluster_dns) DO UPDATE SET document = excluded.document`,
  );
  const deletePin = writer.prepare('DELETE FROM key_pins WHERE cluster_dns = ?');
  const sweepIssuers = writer.prepare(
    `DELETE FROM presented_issuers WHERE sha256 NOT IN
       (SELECT value FROM sightings, json_each(sightings.document, '$.issuers'))`,
  );
  const page = reader.prepare<[string, string, string, number], SightingRow>(
    `SELECT kind, name, credential, document FROM sightings WHERE (kind, name, credential) > (?, ?, ?)
     ORDER BY kind, name, credential LIMIT ?`,
  );
  const leaf = reader
    .prepare<[string, string, string], Buffer | null>(
      'SELECT leaf FROM sightings WHERE kind = ? AND name = ? AND credential = ?',
    )
    .pluck();
  const issuers = reader.prepare<[], { sha256: string; der: Buffer }>('SELECT * FROM presented_issuers');
  const count = reader.prepare<[], number>('SELECT count(*) FROM presented_issuers').pluck();
  const names = reader
    .prepare<[string, number], string>(
      'SELECT cluster_dns FROM objects WHERE cluster_dns IS NOT NULL AND cluster_dns > ? ORDER BY cluster_dns LIMIT ?',
    )
    .pluck();

  const write = ({ sightings, forgotten, pins: changed, audit: entries = [] }: SightingBatch): void => {
    entries.forEach(audit.append);
    for (const { kind, name, credential, document, leaf, issuers: above } of sightings) {
      for (const { sha256, der } of above) insertIssuer.run(sha256, der);
      if (leaf === undefined && credential !== 'token') update.run(document, kind, name, credential);
      else upsert.run(kind, name, credential, document, leaf ?? null);
    }
    for (const { kind, name, credential } of forgotten) forget.run(kind, name, credential);
    for (const { clusterDns, document } of changed) {
      if (document === undefined) deletePin.run(clusterDns);
      else upsertPin.run(clusterDns, document);
    }
  };
  const sweep = (): void => {
    try {
      sweepIssuers.run();
    } catch (error) {
      throw storeFault(error, 'sweep sightings');
    }
  };
  const ask = <T>(act: () => T): Promise<T> => read('load sightings', act);

  return Object.freeze<SightingStore>({
    async *load() {
      // Rarely: it reads every document. What nobody presents any more is few.
      if (((await ask(() => count.get())) ?? 0) > ISSUERS_UNSWEPT_MAX) await queue.run(async () => sweep());
      const der = await ask(() => new Map(issuers.all().map((row) => [row.sha256, new Uint8Array(row.der)])));
      for (let after: SightingKey = { kind: '', name: '', credential: '' }; ; ) {
        const { kind, name, credential } = after;
        const rows = await ask(() => page.all(kind, name, credential, SIGHTINGS_PER_PAGE));
        for (const row of rows) yield sightingOf(row, der);
        const last = rows.at(-1);
        if (last === undefined || rows.length < SIGHTINGS_PER_PAGE) return;
        after = last;
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    pins: async () => (await file?.takePins?.()) ?? ask(() => readPins(reader)),
    async leafOf({ kind, name, credential }) {
      const found = await ask(() => leaf.get(kind, name, credential));
      return found ? new Uint8Array(found) : undefined;
    },
    save: (batch, stillAdmitted) =>
      queue.run(async () => {
        await stillAdmitted?.();
        try {
          withoutWaiting(writer, () => writer.transaction(write).immediate(batch));
        } catch (error) {
          throw storeFault(error, 'save sightings');
        }
      }),
    async clusterNames() {
      const found: string[] = [];
      for (;;) {
        const page = await queue.run(async () => namesAfter(names, found.at(-1) ?? ''));
        found.push(...page);
        if (page.length < NAMES_PER_PAGE) return found;
      }
    },
  });
}

/** A page takes a millisecond. */
const SIGHTINGS_PER_PAGE = 128;
const ISSUERS_UNSWEPT_MAX = 256;

/** A page takes some milliseconds. */
const NAMES_PER_PAGE = 2_000;

function namesAfter(names: Statement<[string, number], string>, last: string): string[] {
  try {
    return names.all(last, NAMES_PER_PAGE);
  } catch (error) {
    throw storeFault(error, 'read');
  }
}

function sightingOf(row: SightingRow, der: ReadonlyMap<string, Uint8Array>): StoredSighting {
  const { issuers = [] } = JSON.parse(row.document) as { issuers?: readonly string[] };
  return { ...row, issuers: issuers.flatMap((sha256) => der.get(sha256) ?? []) };
}
