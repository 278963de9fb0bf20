import { TELL_NOBODY, type TellProgress, type WriteStep } from '../core/fleet/progress.ts';
import { LIMITS } from '../core/limits.ts';

/** How far one write has come. */
export interface Progress {
  readonly step: WriteStep;
  readonly done: number;
  readonly total?: number;
}

/**
 * How far the writes have come that go on in this process, by who sent them and the name that they gave them. Nothing of it is
 * stored, nothing of it outlasts its write, and no write depends on it: where there is no room it is not told.
 */
export interface WriteProgress {
  /** Undefined: no such write of this author goes on here. */
  of(author: string, id: string): Progress | undefined;
  /** Settles as the work does. A name that this author has given to a write that still goes on stays with that one. */
  during<T>(author: string, id: string | undefined, work: (tell: TellProgress) => Promise<T>): Promise<T>;
}

export function createWriteProgress(): WriteProgress {
  const underWay = new Map<string, Progress>();
  return {
    of: (author, id) => underWay.get(keyOf(author, id)),
    async during(author, id, work) {
      const key = id === undefined ? undefined : keyOf(author, id);
      if (key === undefined || underWay.has(key) || underWay.size >= LIMITS.progressesMax) {
        return work(TELL_NOBODY);
      }
      const now: { step: WriteStep; done: number; total?: number } = { step: 'waiting', done: 0 };
      underWay.set(key, now);
      try {
        return await work((step, done, total) => {
          now.step = step;
          now.done = done;
          if (total === undefined) delete now.total;
          else now.total = total;
        });
      } finally {
        underWay.delete(key);
      }
    },
  };
}

/** An id holds no space, so no author and id are taken for another's. */
const keyOf = (author: string, id: string): string => `${id} ${author}`;
