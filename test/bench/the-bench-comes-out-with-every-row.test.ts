/** In its smallest size: what it measures then says nothing, and nothing here asks for a time. */
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import type { Figure } from '../../bench/harness/figures.ts';
import { GOALS } from '../../bench/harness/goals.ts';
import { PROJECT } from '../support/spawned.ts';

/** It ends its servers when it is asked to end. */
const PATIENCE_MS = 110_000;
const BENCH = join(PROJECT, 'bench', 'bench.ts');

const POLL_ROWS = ['cpu', 'rate', 'busy', 'p50', 'p99', 'peak'].map((row) => `poll-${row}-3`);
const ROWS = [
  'first-cpu-3',
  'rss-3',
  ...POLL_ROWS,
  'poll-options-cpu-3',
  'poll-alike-cpu-3',
  'start-3',
  'start-killed-3',
  ...['kept', 'kept-health'].flatMap((route) =>
    ['cpu', 'rate', 'p50', 'p99'].map((row) => `${route}-${row}`),
  ),
  ...['seconds', 'p50', 'p99', 'failed'].map((row) => `burst-${row}`),
  ...['p99-rest', 'p99-during', 'longest', 'plan', 'commit', 'both'].map((row) => `write-${row}-3`),
  ...['in-force', 'p99-rest', 'p99-during', 'cpu-known', 'cpu-anew'].map((row) => `reload-${row}`),
  ...['ratio', 'cpu-1', 'cpu-2', 'busiest-2', 'supervisor-2'].map((row) => `workers-${row}`),
  'idle-kib',
  ...['server-P-256', 'server-P-384'].map((row) => `handshake-${row}`),
  ...['P-256', 'P-384', 'Ed25519', 'RSA-2048', 'RSA-3072'].map((key) => `handshake-client-${key}`),
  ...['X25519MLKEM768', 'SecP256r1MLKEM768', 'X25519', 'P-256', 'P-384'].map(
    (group) => `handshake-exchange-${group}`,
  ),
];
/** Beside a bare node:https and nginx. */
const SIDE_BY_SIDE = /^(poll|kept|burst|idle)-/;

async function bench(t: TestContext, args: readonly string[], path: string) {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-bench-test-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const [json, svg] = [join(directory, 'bench.json'), join(directory, 'bench.svg')];
  const command = [BENCH, '--tiny', ...args, '--json', json, '--svg', svg];
  const options = { env: { PATH: path }, timeout: PATIENCE_MS };
  const { stdout, stderr } = await promisify(execFile)(process.execPath, command, options);
  assert.doesNotMatch(stderr, /failed/);
  const run = JSON.parse(await readFile(json, 'utf8')) as {
    figures: Figure[];
    goals: { what: string }[];
    machine: Record<string, unknown>;
  };
  return { stdout, run, svg: await readFile(svg, 'utf8') };
}

it('the bench comes out with every row', async (t) => {
  const { stdout, run, svg } = await bench(t, [], process.env['PATH'] ?? '');
  assert.deepEqual(
    run.figures.map(({ id }) => id),
    ROWS,
  );
  const hasNginx = spawnSync('nginx', ['-v']).error === undefined;
  for (const { id, what, cells } of run.figures) {
    assert.ok(stdout.includes(`\n${what}`), what);
    const nginx = hasNginx && !id.startsWith('poll-options') ? ['nginx'] : [];
    const wanted = SIDE_BY_SIDE.test(id) ? ['fluxgate', 'node', ...nginx] : ['fluxgate'];
    for (const server of wanted) {
      const cell = cells[server as keyof typeof cells];
      assert.ok(cell !== undefined && 'values' in cell, `${id}, ${server}: ${JSON.stringify(cell)}`);
      assert.ok(cell.values.every(Number.isFinite), `${id}, ${server}: ${cell.values}`);
    }
  }
  const failed = run.figures.find(({ id }) => id === 'burst-failed')?.cells.fluxgate;
  assert.deepEqual(failed, { median: 0, values: [0] });
  assert.deepEqual(
    run.goals.map(({ what }) => what),
    GOALS.map(({ what }) => what),
  );
  for (const { what } of GOALS) assert.ok(stdout.includes(`\n${what}`), what);
  for (const value of Object.values(run.machine)) assert.ok(stdout.includes(String(value)), String(value));
  assert.match(svg, /^<svg [\s\S]*class="own"[\s\S]*class="other"[\s\S]*<\/svg>\n$/);
});
