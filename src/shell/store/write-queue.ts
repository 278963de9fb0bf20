import { AsyncLocalStorage } from 'node:async_hooks';

export type Turn = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * One at a time, in order of arrival: SQLite has one writer, and while its transaction waits for asynchronous work nothing
 * else may run on its connection.
 */
export interface WriteQueue {
  /** Rejects at once when called from inside work of this queue, which would wait for itself for ever. */
  run<T>(work: () => Promise<T>): Promise<T>;
  /** Whether the caller is inside work of this queue that has not settled. */
  isInside(): boolean;
}

/** `ofAll`: gives one process at a time its turn, where several write into one store. */
export function createWriteQueue(ofAll: Turn = (work) => work()): WriteQueue {
  const current = new AsyncLocalStorage<{ settled: boolean }>();
  let last: Promise<unknown> = Promise.resolve();
  const isInside = (): boolean => current.getStore()?.settled === false;

  return {
    isInside,
    run<T>(work: () => Promise<T>): Promise<T> {
      if (isInside()) {
        return Promise.reject(
          new Error('store: inside a transaction, use its transactor and nothing else of the store'),
        );
      }
      const turn = async (): Promise<T> => {
        const mark = { settled: false };
        try {
          return await ofAll(() => current.run(mark, work));
        } finally {
          mark.settled = true;
        }
      };
      const result = last.then(turn, turn);
      last = result;
      return result;
    },
  };
}
