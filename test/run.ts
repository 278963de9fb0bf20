import { spawn } from 'node:child_process';
import { globSync } from 'node:fs';
import { availableParallelism } from 'node:os';

/**
 * Runs every test file, or those that are named: `node test/run.ts [FILE…]`. Node's own runner starts a process for each file,
 * and most of such a process is its start (modules, policies, openapi.yaml); here a process runs several files, one after the
 * other. Prints what failed, a line for each process, and the sums as Node's runner prints them.
 */

/** More, and a process holds too much of what its tests keep until it ends. */
const FILES_MAX = 8;
const TEST_TIMEOUT_MS = 120_000;
/** A process that has not ended by then is held open by something that a test left behind. */
const PROCESS_TIMEOUT_MS = 480_000;

/** Long by themselves, so begun first: whoever is last keeps nobody waiting. */
const LONG = [
  'test/golden/',
  'test/runbooks/',
  'test/docs/',
  'test/unit/store/crash',
  'test/scenario/10000-',
  'test/scenario/under-load-',
];
const COUNTED = ['tests', 'suites', 'pass', 'fail', 'cancelled', 'skipped', 'todo'] as const;
type Counts = Record<(typeof COUNTED)[number], number>;

interface Finished {
  readonly counts: Counts | undefined;
  readonly code: number | null;
  readonly output: string;
}

const isLong = (file: string): boolean => LONG.some((prefix) => file.startsWith(prefix));

/** Neighbours in the list are often alike in cost, so they are dealt out like cards. */
function deal(files: readonly string[]): readonly (readonly string[])[] {
  const together = files.filter((file) => !isLong(file));
  const count = Math.ceil(together.length / FILES_MAX);
  const hands = Array.from({ length: count }, (_, hand) => together.filter((_, n) => n % count === hand));
  return [...files.filter(isLong).map((file) => [file]), ...hands];
}

function runTogether(files: readonly string[]): Promise<Finished> {
  const { promise, resolve } = Promise.withResolvers<Finished>();
  const options = ['--test', '--test-isolation=none', `--test-timeout=${TEST_TIMEOUT_MS}`];
  const child = spawn(process.execPath, [...options, '--test-reporter=spec', ...files], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const hang = setTimeout(() => child.kill('SIGKILL'), PROCESS_TIMEOUT_MS);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
    });
  }
  child.on('close', (code) => {
    clearTimeout(hang);
    resolve({ counts: readCounts(output), code, output });
  });
  return promise;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** undefined: the process ended before it came to its sums. */
function readCounts(output: string): Counts | undefined {
  const found = COUNTED.map((name) => {
    const lines = [...output.matchAll(new RegExp(`^ℹ ${name} (\\d+)$`, 'gm'))];
    return [name, Number(lines.at(-1)?.[1] ?? Number.NaN)] as const;
  });
  return found.some(([, n]) => Number.isNaN(n)) ? undefined : (Object.fromEntries(found) as Counts);
}

async function main(): Promise<void> {
  const named = process.argv.slice(2);
  const files = named.length > 0 ? named : globSync('test/**/*.test.ts').sort();
  const waiting = [...deal(files)];
  const sums: Counts = { tests: 0, suites: 0, pass: 0, fail: 0, cancelled: 0, skipped: 0, todo: 0 };
  const began = performance.now();
  let broken = 0;
  async function work(): Promise<void> {
    for (let batch = waiting.shift(); batch !== undefined; batch = waiting.shift()) {
      const start = performance.now();
      const { counts, code, output } = await runTogether(batch);
      for (const name of COUNTED) sums[name] += counts?.[name] ?? 0;
      const failed = code !== 0 || counts === undefined || counts.tests === 0;
      if (failed) broken++;
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      const skips = [...output.matchAll(/^\s*﹣ .*$/gm)].map(([line]) => `\n${line}`).join('');
      say(`${failed ? '✖' : '✔'} ${counts?.tests ?? 0} tests in ${seconds} s: ${batch.join(' ')}${skips}`);
      if (failed) say(`${output}\n(exit code ${code})`);
    }
  }
  await Promise.all(Array.from({ length: Math.max(2, availableParallelism()) }, work));
  for (const name of COUNTED) say(`ℹ ${name} ${sums[name]}`);
  say(`ℹ duration_ms ${Math.round(performance.now() - began)}`);
  process.exitCode = broken > 0 || sums.fail > 0 || sums.cancelled > 0 ? 1 : 0;
}

await main();
