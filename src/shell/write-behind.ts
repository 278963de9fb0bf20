import { FluxgateError } from '../core/errors.ts';
import type { Log } from './log.ts';

export interface WriteBehind {
  /** Something is to be written; it will be, within the interval. */
  wake(): void;
  /** Writes now, whatever is to be written. Rejects when the store cannot take it; it is tried again all the same. */
  flush(): Promise<void>;
  /** One last time; what cannot be written is lost, and the log says so. */
  stop(): Promise<void>;
}

/** A second in all: the drain before it may have taken eight, and the process has ten to end in. */
const LAST_TRIES = 5;
const LAST_TRY_PAUSE_MS = 200;

/**
 * Keeps the store off a request's path: `write` is called some time after the first `wake`, never twice at once. `write` takes
 * what it writes from its owner, and puts it back before it rejects.
 */
export function createWriteBehind(
  what: string,
  intervalMs: number,
  write: () => Promise<void>,
  log: Log,
): WriteBehind {
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();
  let failing = false;
  let stopped = false;

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    const next = last.then(write);
    last = next.catch(() => undefined);
    return next;
  };
  const wake = (): void => {
    if (stopped || timer !== undefined) return;
    timer = setTimeout(() => {
      flush().then(
        () => {
          if (failing) log.info({ what }, 'written to the store again');
          failing = false;
        },
        (error: unknown) => {
          // Told once, not each time that it is tried: a store that is locked stays so for a while.
          if (!failing)
            log.warn({ what, reason: reasonOf(error) }, 'not written to the store yet; in memory only');
          failing = true;
          wake();
        },
      );
    }, intervalMs);
    timer.unref();
  };

  return {
    wake,
    flush,
    async stop() {
      stopped = true;
      for (let tries = 1; ; tries++) {
        try {
          return await flush();
        } catch (error) {
          if (tries === LAST_TRIES) {
            log.error({ what, err: error }, 'not written to the store; lost with this process');
            return;
          }
          await new Promise((resolve) => setTimeout(resolve, LAST_TRY_PAUSE_MS));
        }
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (error instanceof FluxgateError) return error.logged ?? error.message;
  return error instanceof Error ? error.message : String(error);
}
