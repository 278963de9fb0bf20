import type { ChangeOrigin, RecordedTransactor } from '../../core/fleet/history.ts';
import { StoreFault } from './faults.ts';
import type { Store } from './store.ts';

/** What is measured; never a poll: those read in microseconds, and nothing is measured on their way. */
export const STORE_OPERATIONS = Object.freeze([
  /** A look for what other processes have changed, twice a second. */
  'look',
  /** A change: from its turn among the writers to its commit. */
  'transaction',
  /** What is written behind requests: sightings, keys, liveness, reports, the audit trail. */
  'flush',
] as const);

export type StoreOperation = (typeof STORE_OPERATIONS)[number];

/** The same store, with a watch at hand. `failed`: it could not do it, whether or not somebody tries again. */
export function timedStore(
  store: Store,
  took: (operation: StoreOperation, seconds: number, failed: boolean) => void,
): Store {
  const timed = async <T>(operation: StoreOperation, act: () => Promise<T>): Promise<T> => {
    const begun = performance.now();
    let failed = false;
    try {
      return await act();
    } catch (error) {
      failed = error instanceof StoreFault;
      throw error;
    } finally {
      took(operation, (performance.now() - begun) / 1_000, failed);
    }
  };
  const { revocations, sightings, liveness, audit, tokens } = store;
  return Object.freeze<Store>({
    ...store,
    transact: <T>(work: (transactor: RecordedTransactor) => Promise<T>, origin?: ChangeOrigin) =>
      timed('transaction', () => store.transact(work, origin)),
    revocations: Object.freeze({ ...revocations, version: () => timed('look', () => revocations.version()) }),
    sightings: Object.freeze({
      ...sightings,
      save: (...given: Parameters<typeof sightings.save>) => timed('flush', () => sightings.save(...given)),
    }),
    liveness: Object.freeze({
      ...liveness,
      save: (batch: Parameters<typeof liveness.save>[0]) => timed('flush', () => liveness.save(batch)),
    }),
    audit: Object.freeze({
      ...audit,
      append: (entries: Parameters<typeof audit.append>[0]) => timed('flush', () => audit.append(entries)),
    }),
    tokens: Object.freeze({ ...tokens, version: () => timed('look', () => tokens.version()) }),
  });
}
