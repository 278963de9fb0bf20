/**
 * What a fleet needs, and how it comes back after an outage, from what one poll and one cluster cost: `node bench/simulate.ts
 * --cpu-per-poll 1.1 --base-mib 150 --mib-per-10000 25`. The figures are those of `npm run bench`, or of your own gateway.
 */
import { Command, InvalidArgumentError } from 'commander';
import { type Capacity, capacityTables, QUESTION } from './capacity.ts';

const positive = (text: string): number => {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) throw new InvalidArgumentError('a number above 0.');
  return value;
};
const whole = (text: string): number => {
  const value = positive(text);
  if (!Number.isSafeInteger(value)) throw new InvalidArgumentError('a whole number.');
  return value;
};
const share = (text: string): number => {
  const value = positive(text);
  if (value > 1) throw new InvalidArgumentError('at most 1.');
  return value;
};
const list = (text: string): readonly number[] => text.split(',').map(whole);

const options = new Command('simulate')
  .description('What a fleet needs of CPU and memory, and how it comes back after an outage.')
  .requiredOption('--cpu-per-poll <ms>', 'CPU of one poll, in milliseconds', positive)
  .requiredOption('--base-mib <mib>', 'memory of a gateway with hardly a cluster', positive)
  .requiredOption('--mib-per-10000 <mib>', 'memory of 10,000 clusters more', positive)
  .option('--clusters <counts>', 'fleets, separated by commas', list, QUESTION.fleets)
  .option('--intervals <seconds>', 'between two polls', list, QUESTION.intervalsS)
  .option('--outages <seconds>', 'how long every connection is refused', list, QUESTION.outagesS)
  .option('--share <share>', 'of a core that polls may take on an ordinary day', share, QUESTION.share)
  .option('--seed <number>', 'another fleet of the same kind', whole, QUESTION.seed)
  .parse()
  .opts<
    Record<'cpuPerPoll' | 'baseMib' | 'mibPer10000' | 'share' | 'seed', number> &
      Record<'clusters' | 'intervals' | 'outages', readonly number[]>
  >();

const capacity: Capacity = {
  cpuMsPerPoll: options.cpuPerPoll,
  baseMiB: options.baseMib,
  mibPer10000: options.mibPer10000,
};
const question = {
  fleets: options.clusters,
  intervalsS: options.intervals,
  outagesS: options.outages,
  share: options.share,
  seed: options.seed,
};
process.stdout.write(`${capacityTables(capacity, undefined, question)}\n`);
