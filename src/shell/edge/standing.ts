import { boundedMemory } from '../../core/bounded-memory.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Clock } from '../clock.ts';

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

export function createStanding(clock: Clock): Standing {
  const until = boundedMemory<string, number>(LIMITS.entitledAddressesMax);
  return {
    get anybody() {
      return until.size > 0;
    },
    entitle: (key) => void until.set(key, clock.elapsed() + LIMITS.entitledMs),
    // `peek`: a flood of questions about one address must not push out another's standing.
    isEntitled: (key) => (until.peek(key) ?? Number.NEGATIVE_INFINITY) > clock.elapsed(),
  };
}
