/** A writer is killed with SIGKILL at random moments, again and again on the same store, by several lanes at once. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { temporaryDirectory } from './temporary.ts';

const WRITER = fileURLToPath(new URL('crashing-writer.ts', import.meta.url));
const LANES = 6;
const KILLS = 208;
/** On a slow machine there are fewer kills, but never so few that nothing is shown. */
const DEADLINE_MS = 25_000;
const KILLS_MIN = 60;
/** From the first statement to some dozens of commits. */
const DELAY_MAX_MS = 25;
const OPEN_MAX_MS = 5_000;

interface Crash {
  readonly acknowledged: number;
  readonly begun: number;
}

/** Kills the writer `delayMs` after its store is open; resolves to the last commits that it began and acknowledged. */
async function crash(url: string, cache: string, delayMs: number): Promise<Crash> {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const writer = spawn(process.execPath, [WRITER, url], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = once(writer, 'exit');
  let acknowledged = -1;
  let begun = -1;
  for await (const line of createInterface({ input: writer.stdout })) {
    if (line === 'open') setTimeout(() => writer.kill('SIGKILL'), delayMs);
    if (line.startsWith('half ')) begun = Number(line.slice(5));
    if (line.startsWith('done ')) acknowledged = Number(line.slice(5));
  }
  assert.deepEqual((await exited)[1], 'SIGKILL');
  return { acknowledged, begun };
}

/** Everything up to `last` is there, whole, and nothing else; returns how many commits there are. */
async function checkWhole(store: Store, { acknowledged, begun }: Crash, before: number): Promise<number> {
  const { items } = await store.reader.list('namespace', { filters: {}, limit: 100_000, offset: 0 });
  const ids = new Set(items.map(({ id }) => id));
  const commits = Number(items.find(({ id }) => id === 'counter')?.labels['n'] ?? -1) + 1;
  assert.equal(items.length, commits === 0 ? 0 : 2 * commits + 1, 'nothing half written');
  for (let n = 0; n < commits; n++) assert.ok(ids.has(`whole-${n}`) && ids.has(`pair-${n}`), `commit ${n}`);
  assert.ok(
    commits > acknowledged,
    `commit ${acknowledged} was acknowledged, and ${commits - 1} is the last`,
  );
  // At most the one commit whose acknowledgement the kill cut off.
  assert.ok(
    commits <= Math.max(acknowledged + 2, before + 1),
    `${commits} commits, ${acknowledged} the last`,
  );
  assert.ok(commits <= Math.max(begun + 1, before));
  assert.equal(await store.isInitialised(), commits > 0);
  return commits;
}

/** Commit n is revision n + 1, and says exactly what commit n did. */
async function checkRevisions(store: Store, commits: number): Promise<void> {
  const { newest } = await store.history.range();
  assert.equal(newest, commits, 'a revision for each commit, and a commit for each revision');
  for (let n = 0; n < commits; n++) {
    const revision = n + 1;
    const { items, total } = await store.history.changesOf(revision, 10, 0);
    assert.equal(total, 3);
    const said = items.map(
      ({ id, before, after }) => `${before === undefined ? '+' : '~'}${after?.id ?? ''}${id}`,
    );
    const counter = `${n === 0 ? '+' : '~'}countercounter`;
    assert.deepEqual(said.sort(), [`+pair-${n}pair-${n}`, `+whole-${n}whole-${n}`, counter].sort());
    const then = (await store.history.objectAt('namespace', 'counter', revision)) as { labels: object };
    assert.deepEqual(then.labels, { n: String(n) });
  }
}

test('kill -9, hundreds of times: no acknowledged write is lost, none is half there, revisions agree', async (t) => {
  const directory = temporaryDirectory(t);
  const cache = join(directory, 'compile-cache');
  const warm = [WRITER, `sqlite://${join(directory, 'warm.db')}`, 'once'];
  spawnSync(process.execPath, warm, { env: { ...process.env, NODE_COMPILE_CACHE: cache } });
  const deadline = performance.now() + DEADLINE_MS;
  let kills = 0;
  let commitsInAll = 0;
  let slowestOpenMs = 0;

  const lane = async (number: number): Promise<void> => {
    const url = `sqlite://${join(directory, `lane-${number}.db`)}`;
    let commits = 0;
    while (kills < KILLS && performance.now() < deadline) {
      kills++;
      const crashed = await crash(url, cache, Math.random() * DELAY_MAX_MS);
      const from = performance.now();
      const store = await openSqliteStore(url);
      slowestOpenMs = Math.max(slowestOpenMs, performance.now() - from);
      try {
        commits = await checkWhole(store, crashed, commits);
      } finally {
        await store.close();
      }
    }
    const store = await openSqliteStore(url);
    try {
      await checkRevisions(store, commits);
    } finally {
      await store.close();
    }
    commitsInAll += commits;
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  t.diagnostic(`${kills} kills, ${commitsInAll} commits, slowest open ${Math.round(slowestOpenMs)} ms`);
  assert.ok(kills >= KILLS_MIN, `${kills} kills`);
  assert.ok(commitsInAll > kills / 4, `${commitsInAll} commits: the kills came too early to show anything`);
  assert.ok(slowestOpenMs < OPEN_MAX_MS, `a store took ${slowestOpenMs} ms to open`);
});
