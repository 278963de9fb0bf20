import { AggregatorRegistry } from 'prom-client';
import { WORKER_LIMITS } from '../../core/limits-workers.ts';
import type { MetricsJson, SupervisorMessage, WorkersCount } from '../../core/workers/messages.ts';

/** What all workers count, for the one that was asked. */
export interface MetricsRound {
  /** `asker` wants to know, under a number of its own, what `others` count; `own`: what it counts itself. */
  begin(asker: number, id: number, own: MetricsJson, others: readonly number[]): void;
  told(worker: number, round: number, metrics: MetricsJson): void;
  /** What it had counted when it was last asked stays counted. */
  gone(worker: number): void;
}

export interface MetricsRoundParts {
  send(worker: number, message: SupervisorMessage): void;
  workers(): WorkersCount;
}

interface Round {
  readonly asker: number;
  /** The asker's own number for it. */
  readonly id: number;
  readonly awaited: Set<number>;
  readonly late: NodeJS.Timeout;
}

export function createMetricsRound({ send, workers }: MetricsRoundParts): MetricsRound {
  const rounds = new Map<number, Round>();
  const newest = new Map<number, MetricsJson>();
  let ofGone: MetricsJson = [];
  let counting: Promise<void> = Promise.resolve();
  let lastRound = 0;

  const finish = (number: number, { asker, id, late }: Round): void => {
    clearTimeout(late);
    rounds.delete(number);
    const others = [...newest].filter(([worker]) => worker !== asker).map(([, metrics]) => metrics);
    send(asker, { kind: 'metrics_of_all', id, others: [...others, ofGone], workers: workers() });
  };
  const leave = (number: number, round: Round, worker: number): void => {
    round.awaited.delete(worker);
    if (round.awaited.size === 0) finish(number, round);
  };
  return {
    begin(asker, id, own, others) {
      newest.set(asker, own);
      const number = ++lastRound;
      const late = setTimeout(() => finish(number, round), WORKER_LIMITS.metricsTimeoutMs);
      const round: Round = { asker, id, awaited: new Set(others), late };
      rounds.set(number, round);
      for (const worker of others) send(worker, { kind: 'metrics_asked', id: number });
      if (others.length === 0) finish(number, round);
    },
    told(worker, number, metrics) {
      newest.set(worker, metrics);
      const round = rounds.get(number);
      if (round?.awaited.has(worker) === true) leave(number, round, worker);
    },
    gone(worker) {
      const last = newest.get(worker);
      newest.delete(worker);
      counting = counting
        .then(async () => {
          ofGone = await countOn(ofGone, last);
        })
        // Of a worker that told nonsense nothing is counted.
        .catch(() => undefined);
      for (const [number, round] of [...rounds]) {
        if (round.asker === worker) {
          clearTimeout(round.late);
          rounds.delete(number);
        } else if (round.awaited.has(worker)) leave(number, round, worker);
      }
    },
  };
}

/** Counters and histograms go on, or a sum would go back; what a gauge shows ended with its process. */
async function countOn(before: MetricsJson, last: MetricsJson | undefined): Promise<MetricsJson> {
  if (last === undefined) return before;
  const counting = last.filter((metric) =>
    ['counter', 'histogram'].includes((metric as { type: string }).type),
  );
  return AggregatorRegistry.aggregate([[...before], counting]).getMetricsAsJSON();
}
