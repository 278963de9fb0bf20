/**
 * What a second worker brings, by accounts of CPU, so that the load may run on the same cores: a worker that spends c ms of its
 * core on each of its polls serves 1000 ÷ c a second. With two, each poll costs the busiest of all processes m ms, shares of the
 * polls included, so that all together serve 1000 ÷ m; the ratio is c ÷ m. It is 2 where two workers share evenly, cost no more
 * than one does, and nothing else (a supervisor) is the first to be busy.
 */
import { type Cell, cellOf, missing } from '../harness/figures.ts';
import { type Measurement, mainStore, Samples, settle } from '../harness/measurement.ts';
import { type Gateway, NotAvailable } from '../harness/servers.ts';
import type { Stage } from '../harness/stage.ts';

const WORKERS = 2;
/** Connections, and polls of each round, for each worker: what is compared is one worker's work, not how it is to have half of it. */
const AT_ONCE = 16;
const POLLERS = 250;
/**
 * Polls of each worker before it is measured. Each compiles its code by itself, better the more often it ran, so that one which has had half as
 * many polls as another looks slow beside it; on a busy machine nothing was seen to fall beyond some 5,000.
 */
const WARM_UP_POLLS = 8_000;

export const workers: Measurement = {
  name: 'workers',
  about: `one worker and ${WORKERS}, by accounts of CPU`,
  method: `Polls by accounts of CPU: one worker serves 1000 ÷ (its ms of CPU per poll) a second; two serve 1000 ÷ (ms of the busiest of their processes, per poll of all). So the load may run on the same cores, and an uneven share or a busy supervisor counts. Each worker has as many polls, and ${AT_ONCE} at once; ${WARM_UP_POLLS.toLocaleString('en')} for each come before, by the same certificates.`,
  async run(stage) {
    const clusters = mainStore(stage);
    const several = await start(stage, clusters, WORKERS);
    if (several === undefined)
      return ROWS.map((row) => ({ ...row, cells: { fluxgate: missing('not available') } }));
    const one = (await start(stage, clusters, 1)) as Gateway;
    // Alike in what they may run on.
    one.pin(undefined);
    several.pin(undefined);
    const { polls, rounds, name: size } = stage.size;
    const pollers = Math.min(clusters, POLLERS);
    const warmUp = size === 'tiny' ? 1 : WARM_UP_POLLS / POLLERS;
    const who = { clusters, first: 0, step: Math.floor(clusters / pollers) };
    const samples = new Samples();
    for (let round = 1 - warmUp; round <= rounds; round++) {
      stage.say(`workers: round ${round} of ${rounds}`);
      const turn = [
        ['one', one, 1],
        ['several', several, WORKERS],
      ] as const;
      for (const [name, gateway, count] of round % 2 === 0 ? turn : turn.toReversed()) {
        const before = gateway.each();
        const requests = (round < 1 ? pollers : polls) * count;
        const atOnce = AT_ONCE * count;
        await stage.visit({ port: gateway.port, requests, atOnce, perConnection: 1, who });
        if (round < 1) continue;
        const spent = [...gateway.each()].map(
          ([pid, { cpuMs }]) => (cpuMs - (before.get(pid)?.cpuMs ?? 0)) / requests,
        );
        samples.add(
          name,
          'tree',
          spent.reduce((sum, ms) => sum + ms, 0),
        );
        samples.add(name, 'busiest', Math.max(...spent));
        // The supervisor is the root of them.
        samples.add(name, 'supervisor', spent[0] ?? Number.NaN);
      }
      if (round === 0) await settle(stage, [one, several]);
    }
    const busiest = (name: string): readonly number[] => {
      const cell = samples.cell(name, 'busiest');
      return 'missing' in cell ? [] : cell.values;
    };
    const ratios = busiest('one').map((ms, round) => ms / (busiest('several')[round] ?? Number.NaN));
    await stage.stop(one);
    await stage.stop(several);
    const cells = [
      cellOf(ratios),
      samples.cell('one', 'tree'),
      samples.cell('several', 'tree'),
      samples.cell('several', 'busiest'),
      samples.cell('several', 'supervisor'),
    ];
    return ROWS.map((row, index) => ({ ...row, cells: { fluxgate: cells[index] as Cell } }));
  },
};

const ROWS = [
  { id: 'workers-ratio', what: `polls a second, ${WORKERS} workers ÷ 1 worker, CPU-accounted`, unit: '' },
  { id: 'workers-cpu-1', what: 'CPU per poll, 1 worker, all processes', unit: 'ms' },
  { id: 'workers-cpu-2', what: `CPU per poll, ${WORKERS} workers, all processes`, unit: 'ms' },
  { id: 'workers-busiest-2', what: `CPU per poll of all, the busiest of ${WORKERS} workers`, unit: 'ms' },
  {
    id: 'workers-supervisor-2',
    what: `CPU per poll of all, the supervisor of ${WORKERS} workers`,
    unit: 'ms',
  },
] as const;

async function start(stage: Stage, clusters: number, count: number): Promise<Gateway | undefined> {
  try {
    return await stage.gateway(clusters, { workers: count, mayRefuse: count > 1 });
  } catch (error) {
    if (error instanceof NotAvailable && count > 1) return undefined;
    throw error;
  }
}
