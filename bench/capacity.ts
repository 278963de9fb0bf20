/** From what one poll and one cluster cost to what a fleet needs: pure. Tables as Markdown, for the terminal and docs/capacity.md. */
import type { Figure } from './harness/figures.ts';
import { shown } from './harness/figures.ts';
import { type Machine, machineLine } from './harness/machine.ts';
import { CLIENT, type Recovery, recover } from './simulation.ts';

export interface Capacity {
  readonly cpuMsPerPoll: number;
  /** With hardly a cluster. */
  readonly baseMiB: number;
  readonly mibPer10000: number;
}

export interface CapacityQuestion {
  readonly fleets: readonly number[];
  readonly outagesS: readonly number[];
  readonly intervalsS: readonly number[];
  /** Of a core's time that polls may take on an ordinary day. */
  readonly share: number;
  readonly seed: number;
}

export const QUESTION: CapacityQuestion = {
  fleets: [10_000, 50_000, 100_000, 1_000_000],
  outagesS: [60, 600, 3_600],
  intervalsS: [600, 60],
  share: 0.5,
  seed: 1,
};

/** From a run of the bench: the poll with the largest store, memory as the slope between the smallest and the largest. Throws without. */
export function capacityOf(figures: readonly Figure[]): Capacity {
  const median = (figure: Figure | undefined): number => {
    const cell = figure?.cells.fluxgate;
    if (cell === undefined || 'missing' in cell)
      throw new Error('the run has no figures of polls and memory');
    return cell.median;
  };
  const clusters = figures
    .map(({ id }) => /^rss-(\d+)(?:-partly)?$/.exec(id)?.[1])
    .filter((text) => text !== undefined)
    .map(Number)
    .sort((a, b) => a - b);
  const [least = 0] = clusters;
  const most = clusters.at(-1) ?? 0;
  const rss = (count: number): number =>
    median(figures.find(({ id }) => id === `rss-${count}` || id === `rss-${count}-partly`));
  const growth = most > least ? (rss(most) - rss(least)) / (most - least) : 0;
  return {
    cpuMsPerPoll: median(figures.find(({ id }) => id === `poll-cpu-${most}`)),
    baseMiB: rss(least) - growth * least,
    mibPer10000: growth * 10_000,
  };
}

/** Clusters whose polls take `share` of one core. */
export function clustersPerCore({ cpuMsPerPoll }: Capacity, intervalS: number, share: number): number {
  return Math.floor((intervalS * 1_000 * share) / (CLIENT.providers * cpuMsPerPoll));
}

export function coresFor(capacity: Capacity, clusters: number, intervalS: number, share: number): number {
  return Math.max(1, Math.ceil(clusters / clustersPerCore(capacity, intervalS, share)));
}

/** Supervisor of several workers, which serves nobody itself: some 80 MiB. */
const SUPERVISOR_MIB = 80;

/** One worker for each core, each of which comes to know every cluster. */
function machineFor({ baseMiB, mibPer10000 }: Capacity, clusters: number, cores: number): string {
  const worker = baseMiB + (clusters / 10_000) * mibPer10000;
  const gib = (cores * worker + (cores > 1 ? SUPERVISOR_MIB : 0)) / 1_024;
  return `${count(cores)} core${cores === 1 ? '' : 's'}, ${gib.toFixed(1)} GiB`;
}

export function capacityTables(
  capacity: Capacity,
  machine: Machine | undefined,
  question: CapacityQuestion = QUESTION,
): string {
  const { fleets, intervalsS, share } = question;
  const { cpuMsPerPoll, baseMiB, mibPer10000 } = capacity;
  const basis = `A poll of ${shown(cpuMsPerPoll)} ms of CPU, ${shown(baseMiB)} MiB with hardly a cluster, ${shown(mibPer10000)} MiB for each 10,000 clusters; ${CLIENT.providers} providers on each cluster; ${share * 100} % of a core for polls.`;
  const steady = table(
    [
      'clusters',
      'memory of one worker',
      ...intervalsS.map((seconds) => `a machine, every ${minutes(seconds)}`),
    ],
    [
      ...fleets.map((clusters) => [
        count(clusters),
        `${count(Math.round(baseMiB + (clusters / 10_000) * mibPer10000))} MiB`,
        ...intervalsS.map((seconds) =>
          machineFor(capacity, clusters, coresFor(capacity, clusters, seconds, share)),
        ),
      ]),
    ],
  );
  const perCore = table(
    ['a poll every', 'clusters for each core'],
    intervalsS.map((seconds) => [minutes(seconds), count(clustersPerCore(capacity, seconds, share))]),
  );
  return [
    ...(machine === undefined ? [] : [machineLine(machine), '']),
    basis,
    '',
    perCore,
    '',
    steady,
    '',
    ...drains(capacity, question),
  ].join('\n');
}

/** How each fleet comes back, on the cores that the table above gives it. */
function drains(capacity: Capacity, question: CapacityQuestion): readonly string[] {
  const { fleets, outagesS, intervalsS, share, seed } = question;
  const rows = intervalsS.flatMap((intervalS) =>
    fleets.flatMap((clusters) => {
      const cores = coresFor(capacity, clusters, intervalS, share);
      const { cpuMsPerPoll } = capacity;
      const allAtOnceS = (clusters * CLIENT.providers * cpuMsPerPoll) / 1_000 / cores;
      return outagesS.map((outageS) => {
        const back = recover({ clusters, intervalS, outageS, cpuMsPerPoll, cores, seed });
        return [
          `${count(clusters)} on ${count(cores)}, every ${minutes(intervalS)}`,
          minutes(outageS),
          count(back.peakPerSecond),
          ...recoveryCells(back),
          seconds(allAtOnceS),
        ];
      });
    }),
  );
  const head = [
    'clusters on cores',
    'outage',
    'most polls in a second',
    'half are back after',
    '99 in 100',
    'all',
    'longest wait',
    'if all polled at once',
  ];
  return [table(head, rows)];
}

function recoveryCells({
  halfS,
  mostS,
  allS,
  longestWaitS,
  givenUp,
  recovered,
}: Recovery): readonly string[] {
  const wait = givenUp === 0 ? seconds(longestWaitS) : `${seconds(longestWaitS)}, ${count(givenUp)} given up`;
  return [seconds(halfS), seconds(mostS), recovered ? seconds(allS) : 'never', wait];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '---|').join('')}`, ...rows.map(line)].join('\n');
}

const count = (value: number): string => value.toLocaleString('en-GB');

function seconds(value: number): string {
  if (value >= 120) return `${shown(value / 60)} min`;
  return value < 1 ? `${shown(value * 1_000)} ms` : `${shown(value)} s`;
}

function minutes(value: number): string {
  if (value % 3_600 === 0) return value === 3_600 ? 'hour' : `${value / 3_600} h`;
  if (value % 60 === 0) return value === 60 ? 'minute' : `${value / 60} min`;
  return `${value} s`;
}
