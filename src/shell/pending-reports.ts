import { FluxgateError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { type Report, type Reports, reportKey } from '../core/liveness/reports.ts';

/** Reports of one cluster, at one moment. */
export interface WaitingReports {
  readonly clusterDns: string;
  readonly reports: Reports;
  readonly version: number;
}

/** Reports that no process has written yet. One cluster has a bounded number of them, and so have all. */
export interface PendingReports {
  /** Clusters that have some. */
  readonly size: number;
  /** Throws `unavailable` where too many wait. */
  add(clusterDns: string, report: Report): void;
  of(clusterDns: string): Reports;
  /** Another one with each report; undefined: none waits. */
  version(clusterDns: string): number | undefined;
  take(clusters: number): readonly WaitingReports[];
  /** What came meanwhile stays. */
  written(batch: readonly WaitingReports[]): void;
  drop(clusterDns: string): void;
}

interface Waiting {
  /** By object, least lately reported first. */
  readonly reports: Map<string, Report>;
  version: number;
}

export function createPendingReports(): PendingReports {
  const waiting = new Map<string, Waiting>();
  let count = 0;
  let versions = 0;
  const reportsOf = (clusterDns: string): Reports =>
    Object.fromEntries(waiting.get(clusterDns)?.reports ?? []);
  const drop = (clusterDns: string): void => {
    count -= waiting.get(clusterDns)?.reports.size ?? 0;
    waiting.delete(clusterDns);
  };
  return {
    get size() {
      return waiting.size;
    },
    add(clusterDns, report) {
      const { reports } = waiting.get(clusterDns) ?? { reports: new Map<string, Report>() };
      const key = reportKey(report);
      const before = reports.get(key);
      if (before !== undefined && before.atMs > report.atMs) return;
      if (before === undefined && reports.size >= LIMITS.reportsPerClusterMax) {
        const [oldest] = reports.keys();
        if (oldest !== undefined && reports.delete(oldest)) count--;
      }
      if (before === undefined && count >= LIMITS.reportsPendingMax) {
        throw new FluxgateError('unavailable', 'Too many reports wait to be written. Send it again later.');
      }
      if (before === undefined) count++;
      reports.delete(key);
      reports.set(key, report);
      waiting.set(clusterDns, { reports, version: versions++ });
    },
    of: reportsOf,
    version: (clusterDns) => waiting.get(clusterDns)?.version,
    take: (clusters) =>
      [...waiting]
        .slice(0, clusters)
        .map(([clusterDns, { version }]) => ({ clusterDns, reports: reportsOf(clusterDns), version })),
    written(batch) {
      for (const { clusterDns, version } of batch) {
        if (waiting.get(clusterDns)?.version === version) drop(clusterDns);
      }
    },
    drop,
  };
}
