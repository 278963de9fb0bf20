import { setTimeout as sleep } from 'node:timers/promises';
import { LIMITS } from '../../core/limits.ts';
import { WORKER_LIMITS } from '../../core/limits-workers.ts';
import {
  readWorkerMessage,
  type SupervisorMessage,
  type WorkerMessage,
} from '../../core/workers/messages.ts';
import { createTurns } from '../../core/workers/turns.ts';
import type { Log } from '../log.ts';
import { createAnnouncements } from './announcements.ts';
import { createMetricsRound } from './metrics-round.ts';

/** One process that a supervisor started. */
export interface WorkerProcess {
  readonly pid: number | undefined;
  send(message: SupervisorMessage): void;
  onMessage(listener: (message: unknown) => void): void;
  /** Called once. `code` null: it was ended by a signal. */
  onExit(listener: (code: number | null, signal: string | null) => void): void;
  /** At once, and whatever it is doing. */
  kill(): void;
}

export interface SupervisorParts {
  readonly count: number;
  readonly log: Log;
  /** `worker`: its number, from 1 on; never used again. */
  start(worker: number): WorkerProcess;
}

export interface Supervisor {
  /** The first worker by itself, because it makes, migrates and seeds the store; then all others. Resolves with the exit code of a first worker that does not come to serve. */
  start(): Promise<number | undefined>;
  reload(): void;
  /** A new worker for each, one after the other: each serves before the one that it replaces is told to stop. */
  restart(): Promise<void>;
  /** True: each ended by itself, in order. */
  stop(): Promise<boolean>;
}

interface Worker {
  readonly number: number;
  readonly child: WorkerProcess;
  readonly startedMs: number;
  hears: boolean;
  ready: boolean;
  /** Of the last that it said. */
  heardMs: number;
  /** It was told to. */
  stopping: boolean;
  readonly served: Promise<boolean>;
  readonly ended: Promise<number>;
}

/** Starts workers, replaces those that end, and passes on what they tell each other. It opens no socket and reads nothing of any peer. */
export function createSupervisor(parts: SupervisorParts): Supervisor {
  const { log, count } = parts;
  const workers = new Map<number, Worker>();
  let lastNumber = 0;
  let replaced = 0;
  let stopping = false;
  const asleep = new AbortController();
  let delayMs: number = WORKER_LIMITS.replaceDelayMsMin;
  let restarting: Promise<void> | undefined;

  const send = (number: number, message: SupervisorMessage): void => workers.get(number)?.child.send(message);
  const serving = (): number[] =>
    [...workers.values()].filter(({ ready }) => ready).map(({ number }) => number);
  const others = (number: number): number[] =>
    [...workers.values()].filter((one) => one.hears && one.number !== number).map((one) => one.number);
  const turns = createTurns((worker, id) => send(worker, { kind: 'turn', id }));
  const announcements = createAnnouncements((worker, ack) => send(worker, { kind: 'taken_by_all', ack }));
  const metrics = createMetricsRound({ send, workers: () => ({ serving: serving().length, replaced }) });

  const heed = (worker: Worker, message: WorkerMessage, ready: () => void): void => {
    const { number } = worker;
    worker.heardMs = performance.now();
    switch (message.kind) {
      case 'alive':
        return;
      case 'hears':
        worker.hears = true;
        return;
      case 'ready':
        ready();
        return;
      case 'share': {
        const { parts, ack } = message;
        const told = others(number);
        if (ack !== undefined) announcements.begin(number, ack, told);
        for (const one of told) {
          send(one, { kind: 'shared', from: number, parts, ...(ack === undefined ? {} : { ack }) });
        }
        return;
      }
      case 'taken':
        announcements.taken(message.from, message.ack, number);
        return;
      case 'turn_wanted':
        turns.want(number, message.id);
        return;
      case 'turn_over':
        turns.over(number, message.id);
        return;
      case 'metrics_wanted':
        metrics.begin(number, message.id, message.metrics, others(number));
        return;
      case 'metrics':
        metrics.told(number, message.id, message.metrics);
    }
  };

  const launch = (): Worker => {
    const number = ++lastNumber;
    const child = parts.start(number);
    const { promise: served, resolve: serves } = Promise.withResolvers<boolean>();
    const { promise: ended, resolve: ends } = Promise.withResolvers<number>();
    const worker: Worker = {
      number,
      child,
      startedMs: performance.now(),
      hears: false,
      ready: false,
      heardMs: performance.now(),
      stopping: false,
      served,
      ended,
    };
    workers.set(number, worker);
    const late = setTimeout(() => {
      log.error({ worker: number, pid: child.pid }, 'a worker does not come to serve: it is ended');
      child.kill();
    }, WORKER_LIMITS.startTimeoutMs);
    late.unref();
    child.onMessage((value) => {
      const message = readWorkerMessage(value);
      if (message === undefined) {
        log.error({ worker: number, pid: child.pid }, 'a worker says what no worker says: it is ended');
        child.kill();
        return;
      }
      heed(worker, message, () => {
        clearTimeout(late);
        worker.ready = true;
        log.info({ worker: number, pid: child.pid }, 'worker serves');
        serves(true);
      });
    });
    child.onExit((code, signal) => {
      clearTimeout(late);
      workers.delete(number);
      turns.gone(number);
      announcements.gone(number);
      metrics.gone(number);
      for (const one of others(number)) send(one, { kind: 'gone', worker: number });
      serves(false);
      ends(code ?? 1);
      if (!worker.stopping && !worker.ready) {
        log.error(
          { worker: number, pid: child.pid, code, signal },
          'a worker did not come to serve: its own line on standard error says why',
        );
      } else if (!worker.stopping) {
        log.error(
          { worker: number, pid: child.pid, code, signal },
          'a worker ended by itself, and its connections with it; another is started in its place',
        );
      }
    });
    return worker;
  };

  /** Resolves with the exit code of a worker that did not come to serve; of one that does, it sees to its replacement. */
  const keep = async (): Promise<number | undefined> => {
    const worker = launch();
    if (!(await worker.served)) return worker.ended;
    void worker.ended.then(() => replace(worker));
    return undefined;
  };
  const replace = async (worker: Worker): Promise<void> => {
    if (worker.stopping || stopping) return;
    replaced++;
    if (performance.now() - worker.startedMs > WORKER_LIMITS.steadyMs)
      delayMs = WORKER_LIMITS.replaceDelayMsMin;
    await keepTrying();
  };
  const keepTrying = async (): Promise<void> => {
    for (;;) {
      // It keeps the process: while nobody serves, nothing else does.
      await sleep(delayMs, undefined, { signal: asleep.signal }).catch(() => undefined);
      delayMs = Math.min(delayMs * 2, WORKER_LIMITS.replaceDelayMsMax);
      if (stopping || (await keep()) === undefined) return;
      log.error({ next_try_ms: delayMs }, 'a worker could not be started; it is tried again');
    }
  };
  const end = async (worker: Worker): Promise<boolean> => {
    worker.stopping = true;
    worker.child.send({ kind: 'stop' });
    let inOrder = true;
    const cut = setTimeout(() => {
      inOrder = false;
      log.error({ worker: worker.number, pid: worker.child.pid }, 'a worker does not end: it is ended');
      worker.child.kill();
    }, LIMITS.drainTimeoutMs + WORKER_LIMITS.stopGraceMs);
    const code = await worker.ended;
    clearTimeout(cut);
    return inOrder && code === 0;
  };
  const restartEach = async (): Promise<void> => {
    log.info('asked to restart: workers are replaced one after the other, and each finishes what it began');
    for (const worker of [...workers.values()].filter(({ ready }) => ready)) {
      if (stopping) return;
      // It ended by itself meanwhile, and is replaced for that.
      if (!workers.has(worker.number)) continue;
      worker.stopping = true;
      if ((await keep()) !== undefined) {
        worker.stopping = false;
        if (!workers.has(worker.number)) void replace(worker);
        log.error('a new worker does not come to serve: those that serve go on');
        return;
      }
      await end(worker);
    }
    log.info('every worker is a new one');
  };

  let lookedMs = performance.now();
  const watch = setInterval(() => {
    const nowMs = performance.now();
    // Whoever stood still itself has heard nobody.
    const stoodStill = nowMs - lookedMs > 2 * WORKER_LIMITS.aliveMs;
    lookedMs = nowMs;
    for (const worker of workers.values()) {
      if (stoodStill || !worker.ready) worker.heardMs = nowMs;
      if (nowMs - worker.heardMs <= WORKER_LIMITS.hungMs) continue;
      log.error({ worker: worker.number, pid: worker.child.pid }, 'a worker hangs: it is ended');
      worker.child.kill();
    }
  }, WORKER_LIMITS.aliveMs);
  watch.unref();

  return {
    async start() {
      const failed = await keep();
      if (failed !== undefined) return failed;
      for (const code of await Promise.all(Array.from({ length: count - 1 }, keep))) {
        // The first one serves: what holds up another may pass.
        if (code !== undefined) void keepTrying();
      }
      return undefined;
    },
    reload() {
      for (const worker of workers.values()) worker.child.send({ kind: 'reload' });
    },
    restart() {
      restarting ??= restartEach().finally(() => {
        restarting = undefined;
      });
      return restarting;
    },
    async stop() {
      stopping = true;
      asleep.abort();
      const ended = await Promise.all([...workers.values()].map(end));
      return ended.every(Boolean);
    },
  };
}
