import pino from 'pino';
import { LIMITS } from '../core/limits.ts';

/** A line that is yet to be made. */
export interface LateLine {
  /** Never throws; called once. */
  text(): string;
}

/** Where lines go. What was written is on its way at the latest after LIMITS.logFlushMs, in its order. */
export interface LogDestination {
  write(line: string): void;
  /**
   * A line of which nobody waits for the text: it is made together with others, at the latest before the next line that is one. Between two
   * handshakes none of the code that makes it is in a core's caches: made there, it cost a poll 2 % more.
   */
  writeLate(line: LateLine): void;
  /** Before the process is gone by a fault: waits until everything is written. */
  flushSync(): void;
  /** Writes what is left, and closes. */
  end(): void;
}

/** Longer than a thread takes that is writing just then; a pipe that nobody reads holds it up longer, and the process not. */
const WRITING_MS = 50;

/**
 * Takes lines together: `descriptor` is written to once for many of them, by a thread that nobody waits for. `shared`: other processes
 * write to it as well, so each piece is as long as a pipe takes whole, and ends with a line.
 */
export function createLogDestination(descriptor: number, shared = false): LogDestination {
  const pieceMax = shared ? LIMITS.logPieceOctets : LIMITS.logFlushOctets;
  // Its own property, which its types leave out.
  const file: ReturnType<typeof pino.destination> & { minLength?: number } = pino.destination({
    dest: descriptor,
    sync: false,
    // It writes at once what it is given: what waits, waits here.
    minLength: 0,
    maxWrite: pieceMax,
  });
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  let late: LateLine[] = [];
  let waiting = '';
  /** Octets where others write as well; characters else, as to count octets is to go through the text once more. */
  let waitingLength = 0;
  const take = (): void => {
    if (waiting !== '') file.write(waiting);
    waiting = '';
    waitingLength = 0;
  };
  const stopWaiting = (): void => {
    clearTimeout(timer);
    timer = undefined;
  };
  const add = (line: string): void => {
    const length = shared ? Buffer.byteLength(line) : line.length;
    if (shared && waitingLength + length > pieceMax) take();
    waiting += line;
    waitingLength += length;
    if (ended || waitingLength >= pieceMax) take();
  };
  const make = (): void => {
    const lines = late;
    late = [];
    for (const line of lines) add(line.text());
  };
  const flush = (): void => {
    stopWaiting();
    make();
    take();
  };
  const wait = (): void => {
    if (waiting === '' && late.length === 0) stopWaiting();
    else timer ??= setTimeout(flush, LIMITS.logFlushMs).unref();
  };
  return {
    write(line) {
      make();
      add(line);
      wait();
    },
    writeLate(line) {
      late.push(line);
      if (ended || late.length >= LIMITS.logLateLinesMax) make();
      wait();
    },
    flushSync() {
      stopWaiting();
      // A thread may be writing, and says so to an event loop that does not turn any more: it comes first, if it comes at all.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WRITING_MS);
      // Given to a thread, what waits would be lost with the process: so nothing is long enough to be begun.
      file.minLength = Number.POSITIVE_INFINITY;
      make();
      take();
      file.flushSync();
      file.minLength = 0;
    },
    end() {
      ended = true;
      flush();
      file.end();
    },
  };
}
