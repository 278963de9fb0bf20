import { TELL_NOBODY, type TellProgress, type WriteStep } from '../core/fleet/progress.ts';
import { WORKER_LIMITS } from '../core/limits-workers.ts';
import type { Siblings } from './workers/siblings.ts';

/** How far one write has come. */
export interface Progress {
  readonly step: WriteStep;
  readonly done: number;
  readonly total?: number;
}

/**
 * How far the writes have come that go on, in whichever worker, by who sent them and the name that they gave them. Nothing of it is
 * stored, nothing of it outlasts its write, and no write depends on it: where there is no room it is not told.
 */
export interface WriteProgress {
  /** Undefined: no such write of this author goes on. */
  of(author: string, id: string): Progress | undefined;
  /** Settles as the work does. A name that this author has given to a write that still goes on stays with that one. */
  during<T>(author: string, id: string | undefined, work: (tell: TellProgress) => Promise<T>): Promise<T>;
}

export function createWriteProgress(siblings: Siblings): WriteProgress {
  const underWay = new Map<string, Progress>();
  /** By worker, as each tells all of its own. */
  const elsewhere = new Map<number, ReadonlyMap<string, Progress>>();
  let told = true;
  siblings.gather('progress', () => {
    if (told) return [];
    told = underWay.size === 0;
    return [[...underWay]];
  });
  siblings.onShared<readonly [string, Progress][]>('progress', ([all = []], worker) => {
    elsewhere.set(worker, new Map(all));
  });
  siblings.onGone((worker) => void elsewhere.delete(worker));
  const inWorkers = (key: string): Progress | undefined => {
    for (const of of elsewhere.values()) if (of.has(key)) return of.get(key);
    return undefined;
  };
  return {
    of(author, id) {
      const key = keyOf(author, id);
      return underWay.get(key) ?? inWorkers(key);
    },
    async during(author, id, work) {
      const key = id === undefined ? undefined : keyOf(author, id);
      if (key === undefined || underWay.has(key) || underWay.size >= WORKER_LIMITS.progressesMax) {
        return work(TELL_NOBODY);
      }
      const now: { step: WriteStep; done: number; total?: number } = { step: 'waiting', done: 0 };
      underWay.set(key, now);
      told = false;
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
