import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { RatchetEntry, Store } from './store/store.ts';
import type { Siblings } from './workers/siblings.ts';

/**
 * Once a cluster has been served by its certificate, tokens no longer read its inputs (contract §4). What is remembered
 * here holds at once; the store makes it hold across restarts and for other processes, and where it cannot, those are told.
 */
export interface Ratchet {
  /** Whether tokens are locked out of this cluster's inputs. */
  isTurned(clusterDns: string): Promise<boolean>;
  /** Resolves when the turn is kept, or is known to be in memory only (a full disk must not fail a poll). */
  turn(clusterDns: string, certificateSha256: string): Promise<void>;
}

export function createRatchet(
  store: Pick<Store, 'ratchet'> & { readonly reader: Pick<Store['reader'], 'isRatcheted'> },
  clock: Clock,
  log: Log,
  siblings: Pick<Siblings, 'onShared' | 'announce'>,
): Ratchet {
  const turned = new Set<string>();
  siblings.onShared<string>('ratchet', (names) => {
    for (const name of names) turned.add(name);
  });
  const unkept = new Set<string>();
  /** Cluster → until its turn is kept: whoever comes meanwhile waits for the same. */
  const keeping = new Map<string, Promise<void>>();
  let pending: RatchetEntry[] = [];
  let flushing: Promise<void> | undefined;

  /** A commit waits for the disk and holds the process meanwhile, so a burst of first polls shares one every few milliseconds. */
  const flush = async (): Promise<void> => {
    await sleep(LIMITS.ratchetGatherMs);
    const entries = pending;
    pending = [];
    flushing = undefined;
    try {
      await store.ratchet(entries);
    } catch (error) {
      for (const { clusterDns } of entries) {
        unkept.add(clusterDns);
        void siblings.announce('ratchet', clusterDns);
      }
      log.error(
        { err: error, clusters: entries.length },
        'ratchet not kept in the store; it holds as long as the gateway runs and is tried again at the next poll',
      );
    }
  };
  const keep = async (clusterDns: string, certificateSha256: string): Promise<void> => {
    // After a restart, and where another worker has served it, there is nothing to write.
    if (await store.reader.isRatcheted(clusterDns).catch(() => false)) return;
    pending.push({ clusterDns, certificateSha256, sinceMs: clock.now() });
    flushing ??= flush();
    await flushing;
  };

  return {
    async isTurned(clusterDns) {
      return turned.has(clusterDns) || (await store.reader.isRatcheted(clusterDns));
    },
    async turn(clusterDns, certificateSha256) {
      const before = keeping.get(clusterDns);
      if (before !== undefined) return before;
      if (turned.has(clusterDns) && !unkept.has(clusterDns)) return;
      unkept.delete(clusterDns);
      turned.add(clusterDns);
      const kept = keep(clusterDns, certificateSha256).finally(() => keeping.delete(clusterDns));
      keeping.set(clusterDns, kept);
      await kept;
    },
  };
}
