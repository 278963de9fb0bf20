import { type Buckets, createBuckets, type Rate } from '../../core/rate.ts';
import type { Clock } from '../clock.ts';
import { createOutbox, type Siblings } from '../workers/siblings.ts';

/** Makes buckets of a name of their own, which all workers take from. */
export type MakeBuckets = (name: string, rate: Rate) => Buckets;

/**
 * A limit holds for all workers together. What a worker takes is told to the others once it has taken a share of the burst from one key,
 * so that polls, which are far below any limit, cost nothing; a burst may be half as large again, what goes on for ever is exact.
 */
export function shareBuckets(siblings: Siblings, clock: Clock): MakeBuckets {
  if (siblings.count === 1) return (_name, rate) => createBuckets(rate);
  const made = new Map<string, Buckets>();
  const taken = createOutbox<number>();
  siblings.gather('buckets', taken.take);
  siblings.onShared<readonly [string, number]>('buckets', (items) => {
    for (const [id, count] of items) {
      const [name = ''] = id.split(' ', 1);
      made.get(name)?.takenElsewhere(id.slice(name.length + 1), count, clock.elapsed());
    }
  });
  return (name, rate) => {
    const buckets = createBuckets(rate);
    const untold = rate.burst / (2 * siblings.count);
    made.set(name, buckets);
    return {
      ...buckets,
      take(key, nowMs) {
        const waitMs = buckets.take(key, nowMs);
        if (waitMs === 0 && buckets.used(key, nowMs) > untold) {
          const id = `${name} ${key}`;
          taken.put(id, (taken.get(id) ?? 0) + 1);
        }
        return waitMs;
      },
    };
  };
}
