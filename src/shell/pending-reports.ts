import { FluxgateError } from '../core/errors.ts';
import { LIMITS } from '../core/limits.ts';
import { mergeReports, type Report, type Reports, reportKey } from '../core/liveness/reports.ts';

export interface PendingReports {
  readonly size: number;
  add(clusterDns: string, report: Report): void;
  of(clusterDns: string): Reports;
  version(clusterDns: string): number | undefined;
  take(clusters: number): readonly (readonly [string, Reports])[];
  /** What came meanwhile stays. */
  written(reports: readonly (readonly [string, Reports])[]): void;
  drop(clusterDns: string): void;
}

/** Reports that no process has written yet. One cluster has a bounded number of them, and so have all. */
export function createPendingReports(): PendingReports {
  const waiting = new Map<string, { reports: Reports; version: number }>();
  let count = 0;
  let versions = 0;
  const drop = (clusterDns: string): void => {
    count -= Object.keys(waiting.get(clusterDns)?.reports ?? {}).length;
    waiting.delete(clusterDns);
  };
  return {
    get size() {
      return waiting.size;
    },
    add(clusterDns, report) {
      const before = waiting.get(clusterDns)?.reports ?? {};
      const reports = mergeReports(before, { [reportKey(report)]: report });
      const more = Object.keys(reports).length - Object.keys(before).length;
      if (count + more > LIMITS.reportsPendingMax) {
        throw new FluxgateError('unavailable', 'Too many reports wait to be written. Send it again later.');
      }
      count += more;
      waiting.set(clusterDns, { reports, version: versions++ });
    },
    of: (clusterDns) => waiting.get(clusterDns)?.reports ?? {},
    version: (clusterDns) => waiting.get(clusterDns)?.version,
    take: (clusters) =>
      [...waiting].slice(0, clusters).map(([clusterDns, { reports }]) => [clusterDns, reports] as const),
    written(batch) {
      for (const [clusterDns, reports] of batch)
        if (waiting.get(clusterDns)?.reports === reports) drop(clusterDns);
    },
    drop,
  };
}
