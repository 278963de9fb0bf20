import type { Database } from 'better-sqlite3';
import { storeFault } from './faults.ts';
import type { LivenessBatch, LivenessMerge, LivenessRow, LivenessStore } from './liveness.ts';
import { withoutWaiting } from './without-waiting.ts';
import type { WriteQueue } from './write-queue.ts';

type Read = <T>(doing: string, act: () => T) => Promise<T>;

interface VersionedRow extends LivenessRow {
  readonly version: number;
}

/** The SQL of who polled what, and of what clusters reported. */
export function createLivenessStore(
  { writer, reader }: { readonly writer: Database; readonly reader: Database },
  queue: WriteQueue,
  read: Read,
): LivenessStore {
  const polls = tableOf(writer, 'cluster_polls');
  const reports = tableOf(writer, 'cluster_reports');
  const step = writer
    .prepare<[], number>('UPDATE liveness_version SET version = version + 1 RETURNING version')
    .pluck();
  const now = reader.prepare<[], number>('SELECT version FROM liveness_version').pluck();
  const pollsSince = reader.prepare<[number], VersionedRow>(
    'SELECT cluster_dns AS clusterDns, document, version FROM cluster_polls WHERE version > ?',
  );
  const reportsSince = reader.prepare<[number], { clusterDns: string; version: number }>(
    'SELECT cluster_dns AS clusterDns, version FROM cluster_reports WHERE version > ?',
  );
  const reportsOf = reader
    .prepare<[string], string>('SELECT document FROM cluster_reports WHERE cluster_dns = ?')
    .pluck();
  const write = (batch: LivenessBatch): number => {
    const version = step.get() ?? 0;
    for (const row of batch.polls) polls.merge(row, version);
    for (const row of batch.reports) reports.merge(row, version);
    for (const clusterDns of batch.forgotten) {
      polls.forget(clusterDns);
      reports.forget(clusterDns);
    }
    return version;
  };
  const page = reader.prepare<[string, number], LivenessRow>(
    'SELECT cluster_dns AS clusterDns, document FROM cluster_polls WHERE cluster_dns > ? ORDER BY cluster_dns LIMIT ?',
  );
  const changes = reader.transaction((since: number, known: ReadonlySet<number>) => {
    const version = now.get() ?? 0;
    if (version === since) return { version, polls: [], reports: [] };
    const foreign = ({ version: written }: { readonly version: number }): boolean => !known.has(written);
    return {
      version,
      polls: since === 0 ? [] : pollsSince.all(since).filter(foreign),
      reports: reportsSince.all(since).filter(foreign),
    };
  });

  return Object.freeze<LivenessStore>({
    async since(since, known, take) {
      const { version, ...changed } = await read('read', () => changes(since, known));
      take(changed);
      // What is written meanwhile is of a later version, and comes again the next time.
      for (let after: string | undefined = since === 0 ? '' : undefined; after !== undefined; ) {
        const from = after;
        const polls = await read('read', () => page.all(from, ROWS_PER_PAGE));
        take({ polls, reports: [] });
        after = polls.length < ROWS_PER_PAGE ? undefined : polls.at(-1)?.clusterDns;
        await new Promise((resolve) => setImmediate(resolve));
      }
      return version;
    },
    reportsOf: (clusterDns) => read('read', () => reportsOf.get(clusterDns)),
    save: (batch) =>
      queue.run(async () => {
        try {
          return withoutWaiting(writer, () => writer.transaction(write).immediate(batch));
        } catch (error) {
          throw storeFault(error, 'save who polled');
        }
      }),
  });
}

/** A page takes a millisecond. */
const ROWS_PER_PAGE = 128;

/** `name` is one of the two above. */
function tableOf(
  writer: Database,
  name: 'cluster_polls' | 'cluster_reports',
): { merge(row: LivenessMerge, version: number): void; forget(clusterDns: string): void } {
  const stored = writer
    .prepare<[string], string>(`SELECT document FROM ${name} WHERE cluster_dns = ?`)
    .pluck();
  const versionOf = writer
    .prepare<[string], number>(`SELECT version FROM ${name} WHERE cluster_dns = ?`)
    .pluck();
  const upsert = writer.prepare(
    `INSERT INTO ${name} (cluster_dns, document, version) VALUES (?, ?, ?)
     ON CONFLICT (cluster_dns) DO UPDATE SET document = excluded.document, version = excluded.version`,
  );
  const remove = writer.prepare(`DELETE FROM ${name} WHERE cluster_dns = ?`);
  return {
    merge({ clusterDns, writtenAs, merge }, version) {
      // A cluster's polls mostly come to one process: what it wrote itself it need not read.
      const own = writtenAs?.();
      const isOwn = own !== undefined && versionOf.get(clusterDns) === own;
      upsert.run(clusterDns, merge(isOwn ? undefined : stored.get(clusterDns)), version);
    },
    forget(clusterDns) {
      remove.run(clusterDns);
    },
  };
}
