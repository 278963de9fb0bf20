import { boundedMemory } from '../../core/bounded-memory.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../clock.ts';
import { createOutbox, type Siblings } from '../workers/siblings.ts';

/**
 * Who is entitled before the handshake has said who it is: addresses from which lately a credential was accepted. It decides
 * nothing but who waits when there is not enough for all. Keys are as in `addressKey`.
 */
export interface Standing {
  entitle(key: string): void;
  isEntitled(key: string): boolean;
  /** False after a start, until the first credential was accepted: there is nobody yet to keep room for. */
  readonly anybody: boolean;
}

export function createStanding(clock: Clock, siblings: Siblings): Standing {
  const { entitle, isEntitled, anybody } = shareStanding(
    'entitled',
    LIMITS.entitledAddressesMax,
    clock,
    siblings,
  );
  return {
    get anybody() {
      return anybody();
    },
    entitle,
    isEntitled,
  };
}

/** Keys that are good for a while, for all workers from a moment after one of them said so. */
export interface SharedStanding {
  entitle(key: string): void;
  isEntitled(key: string): boolean;
  anybody(): boolean;
}

export function shareStanding(
  topic: 'entitled' | 'accepted_tokens',
  max: number,
  clock: Clock,
  siblings: Siblings,
): SharedStanding {
  const until = boundedMemory<string, number>(max);
  const told = createOutbox<true>();
  siblings.gather(topic, told.take);
  siblings.onShared<readonly [string, true]>(topic, (items) => {
    for (const [key] of items) until.set(key, clock.elapsed() + LIMITS.entitledMs);
  });
  // `peek`: a flood of questions about one key must not push out another's standing.
  const leftMs = (key: string): number => (until.peek(key) ?? Number.NEGATIVE_INFINITY) - clock.elapsed();
  return {
    entitle(key) {
      if (siblings.count > 1 && leftMs(key) < LIMITS.entitledMs / 2) told.put(key, true);
      // Once a second is often enough for what lasts hours.
      if (leftMs(key) < LIMITS.entitledMs - 1_000) until.set(key, clock.elapsed() + LIMITS.entitledMs);
    },
    isEntitled: (key) => leftMs(key) > 0,
    anybody: () => until.size > 0,
  };
}
