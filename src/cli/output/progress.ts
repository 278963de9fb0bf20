import { counted } from './text.ts';

/** What is going on, on one line of standard error that is rewritten; nothing at all where that is no terminal. */
export interface Progress {
  /** A bar where the total is known, else the figure alone. */
  at(what: string, done: number, total?: number, unit?: string): void;
  /** Seconds pass until the next call. */
  waiting(what: string): void;
  /** Clears the line. */
  end(): void;
}

const BAR = 24;
const REDRAW_MS = 80;
const CLEAR_LINE = '\r\u001b[2K';

export function createProgress(stream: NodeJS.WriteStream): Progress {
  if (!stream.isTTY) return { at: () => undefined, waiting: () => undefined, end: () => undefined };
  let timer: NodeJS.Timeout | undefined;
  let drawn = 0;
  const draw = (text: string): void => void stream.write(`${CLEAR_LINE}${text}`);
  const still = (): void => clearInterval(timer);
  return {
    at(what, done, total, unit) {
      still();
      const now = performance.now();
      if (now - drawn < REDRAW_MS && done !== total) return;
      drawn = now;
      const amount = unit === undefined ? '' : ` ${unit}`;
      if (total === undefined || total === 0) draw(`${what}: ${done}${amount}`);
      else draw(`${what} ${bar(done / total)} ${done} of ${total}${amount}`);
    },
    waiting(what) {
      still();
      let seconds = 0;
      draw(`${what} …`);
      timer = setInterval(() => draw(`${what} … ${counted(++seconds, 'second')}`), 1_000);
      timer.unref();
    },
    end() {
      still();
      stream.write(CLEAR_LINE);
    },
  };
}

function bar(share: number): string {
  const full = Math.min(BAR, Math.max(0, Math.round(share * BAR)));
  return `[${'█'.repeat(full)}${'·'.repeat(BAR - full)}]`;
}
