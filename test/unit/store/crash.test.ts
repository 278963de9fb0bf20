/**
 * A writer is killed with SIGKILL at random moments, again and again on the same store, by several lanes at once. For a long
 * run: CRASH_KILLS=5000 node --test test/unit/store/crash.test.ts
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import SqliteDatabase from 'better-sqlite3';
import { createChainCheck } from '../../../src/core/audit/chain.ts';
import { createAuditTrail } from '../../../src/shell/store/audit-records.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { temporaryDirectory } from './temporary.ts';

const WRITER = fileURLToPath(new URL('crashing-writer.ts', import.meta.url));
const LANES = 6;
const KILLS = Number(process.env['CRASH_KILLS'] ?? 200);
/** Some ten times what it takes on an idle machine. Whoever is slower has not shown it, and the test fails. */
const DEADLINE_MS = Math.max(105_000, KILLS * 500);
/** Every so many kills, the writer dies while it opens, migrates or recovers the store. */
const EARLY_EVERY = 8;
/** From the first statement to some dozens of commits. */
const DELAY_MAX_MS = 25;
const OPEN_MAX_MS = 5_000;

interface Crash {
  readonly acknowledged: number;
  readonly begun: number;
}

/** What to kill after, and how long after it. */
interface Moment {
  readonly after: 'open' | 'starting';
  readonly delayMs: number;
}

/** Kills the writer at that moment; resolves to the last commits that it began and acknowledged. */
async function crash(url: string, cache: string, { after, delayMs }: Moment): Promise<Crash> {
  const env = { ...process.env, NODE_COMPILE_CACHE: cache };
  const writer = spawn(process.execPath, [WRITER, url], { stdio: ['ignore', 'pipe', 'inherit'], env });
  const exited = once(writer, 'exit');
  let acknowledged = -1;
  let begun = -1;
  for await (const line of createInterface({ input: writer.stdout })) {
    if (line === after) setTimeout(() => writer.kill('SIGKILL'), delayMs);
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

/** Row n of the trail tells of commit n, of no other, and the chain is whole. */
function checkAudit(path: string, commits: number): void {
  const database = new SqliteDatabase(path, { readonly: true });
  try {
    const chain = createChainCheck();
    for (const row of createAuditTrail(database).rows()) {
      assert.equal(chain.check(row), undefined);
      const { event, details } = JSON.parse(row.document) as { event: string; details: { revision: number } };
      assert.deepEqual([event, details.revision], ['fleet_changed', row.sequence]);
    }
    assert.equal(chain.end.sequence, commits, 'a row for each commit, and a commit for each row');
  } finally {
    database.close();
  }
}

test('kill -9, hundreds of times: no acknowledged write is lost, none is half there, revisions and the audit trail agree', async (t) => {
  const directory = temporaryDirectory(t);
  const cache = join(directory, 'compile-cache');
  const warm = [WRITER, `sqlite://${join(directory, 'warm.db')}`, 'once'];
  spawnSync(process.execPath, warm, { env: { ...process.env, NODE_COMPILE_CACHE: cache } });
  const deadline = performance.now() + DEADLINE_MS;
  let kills = 0;
  let early = 0;
  let commitsInAll = 0;
  let slowestOpenMs = 0;

  const lane = async (number: number): Promise<void> => {
    const path = join(directory, `lane-${number}.db`);
    const url = `sqlite://${path}`;
    let commits = 0;
    while (kills < KILLS && performance.now() < deadline) {
      kills++;
      const after = kills % EARLY_EVERY === 0 ? 'starting' : 'open';
      const crashed = await crash(url, cache, { after, delayMs: Math.random() * DELAY_MAX_MS });
      if (after === 'starting') early++;
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
      checkAudit(path, commits);
    } finally {
      await store.close();
    }
    commitsInAll += commits;
  };
  await Promise.all(Array.from({ length: LANES }, (_, number) => lane(number)));
  const slowest = Math.round(slowestOpenMs);
  t.diagnostic(
    `${kills} kills, ${early} of them while opening, ${commitsInAll} commits, slowest open ${slowest} ms`,
  );
  assert.ok(kills >= KILLS, `only ${kills} kills of ${KILLS} in ${DEADLINE_MS} ms`);
  assert.ok(commitsInAll > kills / 4, `${commitsInAll} commits: the kills came too early to show anything`);
  assert.ok(slowestOpenMs < OPEN_MAX_MS, `a store took ${slowestOpenMs} ms to open`);
});
