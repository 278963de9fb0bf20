import type { Clock } from '../clock.ts';
import type { Siblings } from './siblings.ts';

/** Since when every worker goes by the files as they are: each of them reads and reloads them by itself. */
export interface LoadedEverywhere {
  /** This worker has read them all, and they are in force here. */
  loaded(): void;
  /** Milliseconds since the epoch, of the worker that read them longest ago. */
  sinceMs(): number;
}

/** To be made when the first snapshot comes into force. */
export function shareLoads(siblings: Siblings, clock: Clock): LoadedEverywhere {
  const of = new Map<number, number>();
  let ownMs = clock.now();
  let told = false;
  siblings.gather('loaded', () => {
    const items = told ? [] : [ownMs];
    told = true;
    return items;
  });
  siblings.onShared<number>('loaded', ([atMs], worker) => {
    if (atMs === undefined) return;
    // One that is new was told nothing yet.
    if (!of.has(worker)) told = false;
    of.set(worker, atMs);
  });
  siblings.onGone((worker) => void of.delete(worker));
  return {
    loaded() {
      ownMs = clock.now();
      told = false;
    },
    sinceMs: () => Math.min(ownMs, ...of.values()),
  };
}
