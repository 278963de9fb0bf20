import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { RevocationRecord } from './store/revocation-records.ts';
import type { Store } from './store/store.ts';

/** Counts of a process that is killed are lost for this long at most; what is revoked is not. */
const FLUSH_INTERVAL_MS = 5_000;

interface Count {
  attempts: number;
  lastMs: number;
}

/** Requests that revocations refused: counted in memory, written down together, so that a flood of them costs few writes. */
export interface Attempts {
  count(id: string): void;
  /** The record, with what has not been written down yet. */
  added(record: RevocationRecord): RevocationRecord;
  /** Writes down the rest. */
  stop(): Promise<void>;
}

export function createAttempts({
  store,
  clock,
  log,
}: {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
}): Attempts {
  let pending = new Map<string, Count>();
  /** On their way: neither in the store's answers for sure, nor pending any more. */
  let writing = new Map<string, Count>();
  let flushing: Promise<void> | undefined;

  const flushOnce = async (): Promise<void> => {
    if (pending.size === 0) return;
    writing = pending;
    pending = new Map();
    try {
      await store.revocations.countAttempts([...writing].map(([id, count]) => ({ id, ...count })));
    } catch (error) {
      for (const [id, { attempts, lastMs }] of writing) add(id, attempts, lastMs);
      log.warn({ err: error }, 'attempts against revocations not written down; tried again later');
    } finally {
      writing = new Map();
    }
  };
  const flush = (): Promise<void> => {
    flushing ??= flushOnce().finally(() => {
      flushing = undefined;
    });
    return flushing;
  };
  const add = (id: string, attempts: number, lastMs: number): void => {
    const known = pending.get(id);
    if (known === undefined) pending.set(id, { attempts, lastMs });
    else {
      known.attempts += attempts;
      known.lastMs = Math.max(known.lastMs, lastMs);
    }
  };
  const timer = setInterval(() => void flush(), FLUSH_INTERVAL_MS);
  timer.unref();

  return {
    count: (id) => add(id, 1, clock.now()),
    added(record) {
      const more = [pending.get(record.id), writing.get(record.id)].filter((count) => count !== undefined);
      if (more.length === 0) return record;
      return {
        ...record,
        attempts: more.reduce((sum, { attempts }) => sum + attempts, record.attempts),
        lastAttemptMs: Math.max(record.lastAttemptMs ?? 0, ...more.map(({ lastMs }) => lastMs)),
      };
    },
    async stop() {
      clearInterval(timer);
      await flush();
      await flush();
    },
  };
}
