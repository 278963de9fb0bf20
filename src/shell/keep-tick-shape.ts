import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

/**
 * Keeps one of the objects that `process.nextTick` makes, some for each poll. V8 knows by a weak reference which shape they have: a
 * collection of all memory in a moment in which there is none forgets it, and from then on each is put together by the slowest way that
 * there is, for as long as the process lives. To be called at the start, before such a collection. Resolves with what is kept.
 */
export function keepTickShape(nextTick: (work: () => void) => void): Promise<object> {
  return new Promise((resolve) => {
    nextTick(() => {
      const one = executionAsyncResource();
      kept.push(one);
      resolve(one);
    });
  });
}
