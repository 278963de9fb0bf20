/**
 * `npm run bench`: what Fluxgate costs, beside a bare node:https and nginx, in one run on this machine; one table, and each goal
 * beside its figure. Asserts nothing, and ends with 0 whatever it measured. Needs nothing that is not installed, on loopback only.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { Command, InvalidArgumentError, Option } from 'commander';
import { capacityOf, capacityTables } from './capacity.ts';
import { chart } from './harness/chart.ts';
import type { Figure } from './harness/figures.ts';
import { describeMachine } from './harness/machine.ts';
import type { Measurement } from './harness/measurement.ts';
import { withBlock } from './harness/pages.ts';
import { pinTo, shareCores } from './harness/processes.ts';
import { asJson, asMarkdown, asText, type Run } from './harness/report.ts';
import { SIZES, type Size } from './harness/size.ts';
import { createStage, FLUX_GROUPS } from './harness/stage.ts';
import { burst } from './measurements/burst.ts';
import { handshake } from './measurements/handshake.ts';
import { idle } from './measurements/idle.ts';
import { keepAlive } from './measurements/keep-alive.ts';
import { poll } from './measurements/poll.ts';
import { reload } from './measurements/reload.ts';
import { start } from './measurements/start.ts';
import { workers } from './measurements/workers.ts';
import { write } from './measurements/write.ts';

/** In this order: the first use servers of every size, which then end. */
const MEASUREMENTS: readonly Measurement[] = [
  poll,
  start,
  keepAlive,
  burst,
  write,
  reload,
  workers,
  idle,
  handshake,
];

interface Options {
  readonly quick?: true;
  readonly tiny?: true;
  readonly only?: readonly string[];
  readonly clusters?: readonly number[];
  readonly rounds?: number;
  readonly groups: string;
  readonly json?: string;
  readonly svg?: string;
  readonly docs?: true;
  readonly from?: string;
  readonly note?: string;
}

const whole = (text: string): number => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) throw new InvalidArgumentError('a whole number from 1 on.');
  return value;
};
const names = MEASUREMENTS.map(({ name }) => name);
const known = (text: string): readonly string[] => {
  const asked = text.split(',');
  if (asked.some((name) => !names.includes(name))) throw new InvalidArgumentError(`of ${names.join(', ')}.`);
  return asked;
};

const command = new Command('bench')
  .description('What Fluxgate costs, beside a bare node:https server and nginx, in one run on this machine.')
  .addHelpText(
    'after',
    ['', ...MEASUREMENTS.map(({ name, about }) => `  ${name.padEnd(12)}${about}`)].join('\n'),
  )
  .addOption(new Option('--quick', 'some minutes: fewer rounds, no store of 100,000').conflicts('tiny'))
  .option('--tiny', 'seconds: that all of it works; its figures say nothing')
  .option('--only <names>', 'some measurements, separated by commas', known)
  .option('--clusters <counts>', 'stores of so many clusters, separated by commas', (text) =>
    text.split(',').map(whole),
  )
  .option('--rounds <count>', 'repetitions of polls and kept-open requests', whole)
  .option('--groups <list>', 'key exchange that the load offers, as OpenSSL writes it', FLUX_GROUPS)
  .option('--json <file>', 'all values')
  .option('--svg <file>', 'CPU per poll as a chart')
  .addOption(
    new Option(
      '--docs',
      'write the figures into docs/performance.md, docs/capacity.md and docs/images/bench.svg',
    ).conflicts(['only', 'quick', 'tiny']),
  )
  .option('--note <text>', 'what else is to be known, for beside the figures')
  .option('--from <file>', 'measure nothing: take what --json wrote')
  .parse();
const options = command.opts<Options>();

const base = SIZES[options.tiny ? 'tiny' : options.quick ? 'quick' : 'full'];
const size: Size = {
  ...base,
  stores: options.clusters?.toSorted((a, b) => a - b) ?? base.stores,
  rounds: options.rounds ?? base.rounds,
  keptRounds: options.rounds ?? base.keptRounds,
};

const asked = MEASUREMENTS.filter(({ name }) => options.only?.includes(name) ?? true);

/** Ctrl-C ends it with what it has by then. */
async function measure(): Promise<Run> {
  const machine = describeMachine();
  pinTo(process.pid, shareCores(1).load);
  const begun = performance.now();
  const say = (line: string): void => void process.stderr.write(`${line}\n`);
  const stage = await createStage(size, options.groups, say);
  let ending: Promise<void> | undefined;
  const end = (): Promise<void> => {
    ending ??= stage.close();
    return ending;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void end());
  const figures: Figure[] = [];
  const done: Measurement[] = [];
  let endedDuring: string | undefined;
  try {
    for (const measurement of asked) {
      endedDuring = measurement.name;
      say(`— ${measurement.name}: ${measurement.about}`);
      figures.push(...(await measurement.run(stage)));
      done.push(measurement);
    }
    endedDuring = undefined;
  } catch (error) {
    // What was being measured when its servers ended is not told.
    if (ending === undefined) throw error;
    process.exitCode = 130;
  } finally {
    await end();
  }
  return {
    machine,
    size: size.name,
    seconds: (performance.now() - begun) / 1_000,
    groups: options.groups,
    ...noted(options.note, endedDuring),
    figures,
    methods: done.map(({ name, method }) => [name, method] as const),
  };
}

function noted(note: string | undefined, endedDuring: string | undefined): Pick<Run, 'note'> {
  const ended =
    endedDuring && `Ended by a signal during "${endedDuring}": that and what follows it was not measured.`;
  const notes = [note, ended].filter((text) => text !== undefined);
  return notes.length === 0 ? {} : { note: notes.join(' ') };
}

async function writePages(run: Run): Promise<void> {
  const docs = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));
  const rewrite = async (name: string, block: string, content: string): Promise<void> => {
    await writeFile(docs(name), withBlock(await readFile(docs(name), 'utf8'), block, content));
  };
  await rewrite('performance.md', 'bench', asMarkdown(run));
  await rewrite('capacity.md', 'capacity', capacityTables(capacityOf(run.figures), run.machine));
  await writeFile(docs('images/bench.svg'), chart(run.figures, run.machine));
}

const run: Run =
  options.from === undefined ? await measure() : (JSON.parse(await readFile(options.from, 'utf8')) as Run);
process.stdout.write(asText(run));
if (options.json !== undefined) await writeFile(options.json, asJson(run));
if (options.svg !== undefined) await writeFile(options.svg, chart(run.figures, run.machine));
if (options.docs) await writePages(run);
