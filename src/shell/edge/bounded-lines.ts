import { LIMITS } from '../../core/limits.ts';
import { createBuckets } from '../../core/rate.ts';
import type { Clock } from '../clock.ts';
import type { Log } from '../log.ts';

/** The kinds of lines that anybody can cause without a credential. */
export type StrangerLine =
  | 'TLS handshake failed'
  | 'connection refused'
  | 'PROXY protocol header refused'
  | 'refused: not a request'
  | 'refused'
  | 'answered';

/** So that a flood does not fill a disk: the first lines of a kind are written, and what is left out is counted. */
export interface BoundedLines {
  /** `line` is made of what is written only: to say what a stranger showed may be more work than to refuse it. */
  info(kind: StrangerLine, line: () => object): void;
  warn(kind: StrangerLine, line: () => object): void;
  /** Writes what was counted. */
  stop(): void;
}

export function createBoundedLines(log: Log, clock: Clock): BoundedLines {
  const buckets = createBuckets(LIMITS.strangerLines, 16);
  const leftOut = new Map<StrangerLine, number>();
  const tell = (): void => {
    for (const [kind, lines] of leftOut) {
      log.warn({ kind, lines }, `left out of the log in the last ${LIMITS.leftOutLinesMs / 1_000} s`);
    }
    leftOut.clear();
  };
  const timer = setInterval(tell, LIMITS.leftOutLinesMs);
  timer.unref();
  const fits = (kind: StrangerLine): boolean => {
    if (buckets.take(kind, clock.elapsed()) === 0) return true;
    leftOut.set(kind, (leftOut.get(kind) ?? 0) + 1);
    return false;
  };
  return {
    info(kind, line) {
      if (fits(kind)) log.info(line(), kind);
    },
    warn(kind, line) {
      if (fits(kind)) log.warn(line(), kind);
    },
    stop() {
      clearInterval(timer);
      tell();
    },
  };
}
