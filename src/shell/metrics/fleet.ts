import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { STORE_OPERATIONS, type StoreOperation } from '../store/timed-store.ts';

/** How the fleet is, and the store that it is in. */
export interface FleetMetrics {
  storeTook(operation: StoreOperation, seconds: number, failed: boolean): void;
  /** What rejects is left out of the scrape. */
  observeFleet(
    revision: () => Promise<number>,
    clusters: () => Promise<Readonly<Record<string, number>>>,
  ): void;
}

export function createFleetMetrics(registry: Registry): FleetMetrics {
  const registers = [registry];
  const storeSeconds = new Histogram({
    name: 'fluxgate_store_operation_duration_seconds',
    help: 'How long the store took: a look for changes of other processes, a transaction with its wait, a batch written behind requests.',
    labelNames: ['operation'],
    buckets: [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5],
    registers,
  });
  const storeFaults = new Counter({
    name: 'fluxgate_store_faults_total',
    help: 'Operations that the store could not do: a full disk, a volume that is read-only or gone, a lock that is held, a change that takes too long, damage.',
    labelNames: ['operation'],
    registers,
  });
  for (const operation of STORE_OPERATIONS) storeFaults.inc({ operation }, 0);
  return {
    storeTook(operation, seconds, failed) {
      storeSeconds.observe({ operation }, seconds);
      if (failed) storeFaults.inc({ operation });
    },
    observeFleet(revision, clusters) {
      new Gauge({
        name: 'fluxgate_revision',
        aggregator: 'first',
        help: "The fleet's newest revision.",
        registers,
        async collect() {
          this.reset();
          const newest = await revision().catch(() => undefined);
          if (newest !== undefined) this.set(newest);
        },
      });
      new Gauge({
        name: 'fluxgate_clusters',
        aggregator: 'first',
        help: 'Clusters that are served, by state: refused, overdue, behind, never, current. GET /fleet names them.',
        labelNames: ['state'],
        registers,
        async collect() {
          this.reset();
          const counts = await clusters().catch(() => ({}));
          for (const [state, count] of Object.entries(counts)) this.set({ state }, count);
        },
      });
    },
  };
}
