import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Pause } from '../core/fleet/pause.ts';
import { LIMITS } from '../core/limits.ts';

/** Waits for the next turn of the event loop once `sliceMs` have gone by since the last one; for one piece of work. */
export function createPause(): Pause {
  let since = performance.now();
  const turn = async (): Promise<void> => {
    await nextTurn();
    since = performance.now();
  };
  return () => (performance.now() - since < LIMITS.sliceMs ? undefined : turn());
}
