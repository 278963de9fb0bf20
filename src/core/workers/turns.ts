/**
 * Whose turn it is to write: one worker at a time, in the order in which they asked. SQLite has one writer and lets others wait without
 * order, blocking or failing; here nobody waits in vain, and nobody is overtaken.
 */
export interface Turns {
  /** `worker` asks under an id of its own. */
  want(worker: number, id: number): void;
  /** Its turn is over, or it wants none any more. */
  over(worker: number, id: number): void;
  /** The worker is gone, and with it whatever it had asked for. */
  gone(worker: number): void;
}

interface Turn {
  readonly worker: number;
  readonly id: number;
}

/** `grant` is called once for each turn, when all before it are over. */
export function createTurns(grant: (worker: number, id: number) => void): Turns {
  let waiting: readonly Turn[] = [];
  const leave = (stays: (turn: Turn) => boolean): void => {
    const [before] = waiting;
    waiting = waiting.filter(stays);
    const [next] = waiting;
    if (next !== undefined && next !== before) grant(next.worker, next.id);
  };
  return {
    want(worker, id) {
      const turn = { worker, id };
      waiting = [...waiting, turn];
      if (waiting.length === 1) grant(worker, id);
    },
    over: (worker, id) => leave((turn) => turn.worker !== worker || turn.id !== id),
    gone: (worker) => leave((turn) => turn.worker !== worker),
  };
}
