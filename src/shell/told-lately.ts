import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';

/** Time enough to be told, and for a commit that waits for its turn; of a worker that ended before it wrote, it is known after that. */
const HELD_MS = 4 * LIMITS.sightingsFlushMs;

/** Which credentials another worker told of so lately that it may not have written them yet. */
export interface ToldLately {
  add(key: string): void;
  has(key: string): boolean;
}

export function createToldLately(clock: Pick<Clock, 'now'>): ToldLately {
  /** When; the latest last. */
  const told = new Map<string, number>();
  const isOver = (atMs: number): boolean => clock.now() - atMs >= HELD_MS;
  return {
    add(key) {
      for (const [first, atMs] of told) {
        if (!isOver(atMs)) break;
        told.delete(first);
      }
      told.delete(key);
      told.set(key, clock.now());
    },
    has(key) {
      const atMs = told.get(key);
      return atMs !== undefined && !isOver(atMs);
    },
  };
}
