import { WORKER_LIMITS } from '../../core/limits-workers.ts';
import type {
  MetricsJson,
  Parts,
  SupervisorMessage,
  Topic,
  WorkerMessage,
  WorkersCount,
} from '../../core/workers/messages.ts';

/** The way from a worker to its supervisor, and from there to the other workers. */
export interface WorkerChannel {
  /** Of this worker, from 1 on. */
  readonly worker: number;
  /** How many there are to be. */
  readonly count: number;
  send(message: WorkerMessage): void;
  onMessage(listener: (message: SupervisorMessage) => void): void;
}

/** The other processes that serve the same port from the same store. */
export interface Siblings {
  /** 1: there are none, and nothing is ever told. */
  readonly count: number;
  /** Asked every `WORKER_LIMITS.shareIntervalMs` for what the others are to know; nothing is sent where there is nothing. */
  gather(topic: Topic, collect: () => readonly unknown[]): void;
  /**
   * undefined: this process has heard in time whatever others announced. Else, after a standstill, resolves once it has caught up; rejects
   * where it cannot. To be asked before anybody is answered.
   */
  behind(): Promise<void> | undefined;
  /** How it catches up with what the store has. */
  catchUpBy(look: () => Promise<unknown>): void;
  /** Tells it at once. Resolves when each of the others has taken it in, or hangs. */
  announce(topic: Topic, item: unknown): Promise<void>;
  /**
   * What others gathered or announced, in their order; also what came of late, before anybody here listened, in a moment. It comes from our
   * own processes: shapes are theirs.
   */
  onShared<T>(topic: Topic, take: (items: readonly T[], from: number) => void | Promise<void>): void;
  /** One of the others is gone: what it had announced and not ended will not be ended by it. */
  onGone(listener: (worker: number) => void): void;
  /** One at a time among all processes, in order of arrival. */
  turn<T>(work: () => Promise<T>): Promise<T>;
  /** What this worker counts, for whichever is asked. */
  countWith(metrics: () => Promise<MetricsJson>): void;
  /** undefined: there is nobody whose counts would have to be added. */
  metricsOfOthers(own: () => Promise<MetricsJson>): Promise<OthersMetrics | undefined>;
}

export interface OthersMetrics {
  readonly registries: readonly MetricsJson[];
  readonly workers: WorkersCount;
}

export const ALONE: Siblings = Object.freeze<Siblings>({
  count: 1,
  gather: () => undefined,
  behind: () => undefined,
  catchUpBy: () => undefined,
  announce: async () => undefined,
  onShared: () => undefined,
  onGone: () => undefined,
  turn: (work) => work(),
  countWith: () => undefined,
  metricsOfOthers: async () => undefined,
});

type Take = (items: readonly unknown[], from: number) => void | Promise<void>;

/** What one of the others told at once of one topic. */
interface Told {
  readonly items: readonly unknown[];
  readonly from: number;
}

export interface ConnectedSiblings extends Siblings {
  /** Tells no more; the last word of it is what was counted. */
  stop(): Promise<void>;
}

export function connectSiblings(channel: WorkerChannel): ConnectedSiblings {
  const gathered: { readonly topic: Topic; readonly collect: () => readonly unknown[] }[] = [];
  const takers = new Map<Topic, Take>();
  /** By topic, what came before its taker: it may be newer than what the taker has read of the store. */
  const unheard = new Map<Topic, Told[]>();
  const goneListeners: ((worker: number) => void)[] = [];
  const announced = new Map<number, () => void>();
  const turns = new Map<number, () => void>();
  const asked = new Map<number, (others: OthersMetrics) => void>();
  let ownMetrics: () => Promise<MetricsJson> = async () => [];
  let lastId = 0;

  const settle = <T>(waiting: Map<number, (value: T) => void>, id: number, value: T): void => {
    const resolve = waiting.get(id);
    waiting.delete(id);
    resolve?.(value);
  };
  const takeIn = (topic: Topic, told: Told): void | Promise<void> => {
    const take = takers.get(topic);
    if (take !== undefined) return take(told.items, told.from);
    unheard.set(topic, [...(unheard.get(topic) ?? []), told].slice(-WORKER_LIMITS.unheardMax));
  };
  channel.onMessage((message) => {
    switch (message.kind) {
      case 'shared': {
        const { parts, from, ack } = message;
        // Who cannot read the store now finds it there as soon as it can: version-poll.ts.
        void Promise.allSettled(parts.map(async ([topic, items]) => takeIn(topic, { items, from }))).then(
          () => {
            if (ack !== undefined) channel.send({ kind: 'taken', from, ack });
          },
        );
        return;
      }
      case 'taken_by_all':
        settle(announced, message.ack, undefined);
        return;
      case 'turn':
        settle(turns, message.id, undefined);
        return;
      case 'metrics_asked':
        ownMetrics().then(
          (metrics) => channel.send({ kind: 'metrics', id: message.id, metrics }),
          () => channel.send({ kind: 'metrics', id: message.id, metrics: [] }),
        );
        return;
      case 'metrics_of_all':
        settle(asked, message.id, { registries: message.others, workers: message.workers });
        return;
      case 'gone':
        // What it held is nobody's any more, and nobody would take it back.
        for (const [topic, told] of unheard) {
          unheard.set(
            topic,
            told.filter(({ from }) => from !== message.worker),
          );
        }
        for (const listener of goneListeners) listener(message.worker);
    }
  });
  channel.send({ kind: 'hears' });
  let lastTickMs = performance.now();
  let lastToldMs = lastTickMs;
  let catchUp: () => Promise<unknown> = async () => undefined;
  let catchingUp: Promise<void> | undefined;
  const behind = (): Promise<void> | undefined => {
    const nowMs = performance.now();
    if (nowMs - lastTickMs < WORKER_LIMITS.behindMs) return catchingUp;
    lastTickMs = nowMs;
    // What is on its way from the others first, then what they have kept.
    catchingUp ??= new Promise<void>((resolve) => setImmediate(resolve))
      .then(catchUp)
      .then(() => undefined)
      .finally(() => {
        catchingUp = undefined;
      });
    return catchingUp;
  };
  const tick = setInterval(() => {
    behind()?.catch(() => undefined);
    lastTickMs = performance.now();
    for (const parts of together(gathered.map(({ topic, collect }) => [topic, collect()]))) {
      lastToldMs = lastTickMs;
      channel.send({ kind: 'share', parts });
    }
    // Who tells anything is alive.
    if (lastTickMs - lastToldMs < WORKER_LIMITS.aliveMs) return;
    lastToldMs = lastTickMs;
    channel.send({ kind: 'alive' });
  }, WORKER_LIMITS.shareIntervalMs);
  tick.unref();

  return {
    count: channel.count,
    gather: (topic, collect) => void gathered.push({ topic, collect }),
    behind,
    catchUpBy(look) {
      catchUp = look;
    },
    announce(topic, item) {
      const ack = ++lastId;
      return new Promise((resolve) => {
        announced.set(ack, resolve);
        channel.send({ kind: 'share', parts: [[topic, [item]]], ack });
      });
    },
    onShared(topic, take) {
      takers.set(topic, take as Take);
      const earlier = unheard.get(topic) ?? [];
      unheard.delete(topic);
      // Not at once: whoever listens may not be made to its end yet.
      queueMicrotask(() => void Promise.allSettled(earlier.map(async (told) => takeIn(topic, told))));
    },
    onGone: (listener) => void goneListeners.push(listener),
    async turn(work) {
      const id = ++lastId;
      await new Promise<void>((resolve) => {
        turns.set(id, resolve);
        channel.send({ kind: 'turn_wanted', id });
      });
      try {
        return await work();
      } finally {
        channel.send({ kind: 'turn_over', id });
      }
    },
    async metricsOfOthers(own) {
      const metrics = await own();
      const id = ++lastId;
      return new Promise((resolve) => {
        asked.set(id, resolve);
        channel.send({ kind: 'metrics_wanted', id, metrics });
      });
    },
    countWith(metrics) {
      ownMetrics = metrics;
    },
    async stop() {
      clearInterval(tick);
      channel.send({ kind: 'metrics', id: 0, metrics: await ownMetrics() });
    },
  };
}

/**
 * As few messages as hold no more than `WORKER_LIMITS.sharedItemsMax` items each, or one topic's: a message wakes the supervisor and each of the
 * others, which costs more than what it says.
 */
function together(gathered: Parts): readonly Parts[] {
  const messages: Parts[number][][] = [];
  let room = 0;
  for (const part of gathered) {
    const { length } = part[1];
    if (length === 0) continue;
    room -= length;
    if (room < 0) {
      messages.push([]);
      room = WORKER_LIMITS.sharedItemsMax - length;
    }
    messages.at(-1)?.push(part);
  }
  return messages;
}

/** What waits to be told, the newest word on each key; bounded, and handed out a part at a time. */
export interface Outbox<T> {
  put(key: string, item: T): void;
  get(key: string): T | undefined;
  drop(key: string): void;
  /** For `Siblings.gather`. */
  take(): readonly (readonly [key: string, item: T])[];
}

export function createOutbox<T>(max: number = WORKER_LIMITS.sharedWaitingMax): Outbox<T> {
  const waiting = new Map<string, T>();
  return {
    put(key, item) {
      waiting.set(key, item);
      if (waiting.size <= max) return;
      const [oldest] = waiting.keys();
      if (oldest !== undefined) waiting.delete(oldest);
    },
    get: (key) => waiting.get(key),
    drop: (key) => void waiting.delete(key),
    take() {
      if (waiting.size === 0) return NOTHING;
      const part: [string, T][] = [];
      for (const entry of waiting) {
        if (part.length === WORKER_LIMITS.sharedItemsMax) break;
        part.push(entry);
        waiting.delete(entry[0]);
      }
      return part;
    },
  };
}

const NOTHING: readonly never[] = Object.freeze([]);
