import type { Database, Statement } from 'better-sqlite3';
import type { AuditWrites } from './audit-records.ts';
import { storeFault } from './faults.ts';
import type { Sighting, SightingBatch, SightingStore, StoredPin, StoredSightings } from './sightings.ts';
import { withoutWaiting } from './without-waiting.ts';
import type { WriteQueue } from './write-queue.ts';

interface SightingRow {
  readonly kind: string;
  readonly name: string;
  readonly credential: string;
  readonly document: string;
  readonly leaf: Buffer | null;
}

/** The SQL of who was seen with what, and of the keys that belong to clusters. */
export function createSightingStore(
  { writer, reader }: { readonly writer: Database; readonly reader: Database },
  queue: WriteQueue,
  audit: AuditWrites,
): SightingStore {
  const upsert = writer.prepare(
    `INSERT INTO sightings (kind, name, credential, document, leaf) VALUES (?, ?, ?, ?, ?)
     ON CONFLICT (kind, name, credential) DO UPDATE SET document = excluded.document, leaf = excluded.leaf`,
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
  const all = reader.prepare<[], SightingRow>('SELECT kind, name, credential, document, leaf FROM sightings');
  const issuers = reader.prepare<[], { sha256: string; der: Buffer }>('SELECT * FROM presented_issuers');
  const pins = reader.prepare<[], { cluster_dns: string; document: string }>('SELECT * FROM key_pins');
  const names = reader
    .prepare<[string, number], string>(
      'SELECT cluster_dns FROM objects WHERE cluster_dns IS NOT NULL AND cluster_dns > ? ORDER BY cluster_dns LIMIT ?',
    )
    .pluck();

  const write = ({ sightings, forgotten, pins: changed, audit: entries = [] }: SightingBatch): void => {
    entries.forEach(audit.append);
    for (const { kind, name, credential, document, leaf, issuers: above } of sightings) {
      for (const { sha256, der } of above) insertIssuer.run(sha256, der);
      upsert.run(kind, name, credential, document, leaf ?? null);
    }
    for (const { kind, name, credential } of forgotten) forget.run(kind, name, credential);
    for (const { clusterDns, document } of changed) {
      if (document === undefined) deletePin.run(clusterDns);
      else upsertPin.run(clusterDns, document);
    }
  };
  const read = (): StoredSightings => {
    const der = new Map(issuers.all().map((row) => [row.sha256, new Uint8Array(row.der)]));
    return {
      sightings: all.all().map((row) => sightingOf(row, der)),
      pins: pins.all().map(({ cluster_dns, document }): StoredPin => ({ clusterDns: cluster_dns, document })),
    };
  };

  return Object.freeze<SightingStore>({
    load: () =>
      queue.run(async () => {
        try {
          sweepIssuers.run();
          return read();
        } catch (error) {
          throw storeFault(error, 'load sightings');
        }
      }),
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

/** A page takes some milliseconds. */
const NAMES_PER_PAGE = 2_000;

function namesAfter(names: Statement<[string, number], string>, last: string): string[] {
  try {
    return names.all(last, NAMES_PER_PAGE);
  } catch (error) {
    throw storeFault(error, 'read');
  }
}

function sightingOf(row: SightingRow, der: ReadonlyMap<string, Uint8Array>): Sighting {
  const { issuers = [] } = JSON.parse(row.document) as { issuers?: readonly string[] };
  return {
    kind: row.kind,
    name: row.name,
    credential: row.credential,
    document: row.document,
    leaf: row.leaf === null ? undefined : new Uint8Array(row.leaf),
    issuers: issuers.flatMap((sha256) => {
      const found = der.get(sha256);
      return found === undefined ? [] : [{ sha256, der: found }];
    }),
  };
}
