import pino from 'pino';
import { LIMITS } from '../core/limits.ts';

/** Where lines go. What was written is on its way at the latest after LIMITS.logFlushMs, in its order. */
export interface LogDestination {
  write(line: string): void;
  /** Before the process is gone by a fault: waits until everything is written. */
  flushSync(): void;
  /** Writes what is left, and closes. */
  end(): void;
}

/** Takes lines together: `descriptor` is written to once for many of them, by a thread that nobody waits for. */
export function createLogDestination(descriptor: number): LogDestination {
  const file = pino.destination({ dest: descriptor, sync: false, minLength: LIMITS.logFlushOctets });
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let waiting = '';
  const take = (): void => {
    if (waiting !== '') file.write(waiting);
    waiting = '';
  };
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    take();
    file.flush();
  };
  return {
    write(line) {
      waiting += line;
      if (ended) take();
      else if (waiting.length >= LIMITS.logFlushOctets) flush();
      else timer ??= setTimeout(flush, LIMITS.logFlushMs).unref();
    },
    flushSync() {
      take();
      file.flushSync();
    },
    end() {
      ended = true;
      clearTimeout(timer);
      take();
      file.end();
    },
  };
}
