/** A real full disk where the test may mount one (root on Linux); elsewhere SQLite's own bound on the file's size. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { createSqliteStore, openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { insertSampleFleet, sampleNamespace } from '../../support/fleet.ts';
import { smallDisk } from '../../support/small-disk.ts';
import { temporaryDirectory } from './temporary.ts';

const LARGE = 'x'.repeat(60_000);

/** Polls of every route answer, whatever becomes of writes. */
async function assertPolls(store: Store): Promise<void> {
  for (const kind of ['platform_component', 'namespace', 'rolebinding'] as const) {
    assert.ok(await store.reader.clusterInputs('east.k8s.example.com', kind));
  }
  await store.check();
}

const insert = (store: Store, id: string): Promise<void> =>
  store.transact((tx) => tx.insert('namespace', sampleNamespace(id, { annotations: { large: LARGE } })));

/** Writes until it is refused; resolves to how many were acknowledged. */
async function fill(store: Store): Promise<number> {
  for (let n = 0; n < 2_000; n++) {
    try {
      await insert(store, `fill-${n}`);
    } catch (error) {
      assert.ok(error instanceof FluxgateError && error.status === 503, String(error));
      assert.doesNotMatch(error.message, /SQLITE|disk/i);
      return n;
    }
  }
  throw new Error('the disk was never full');
}

async function assertKept(store: Store, acknowledged: number): Promise<void> {
  const { items } = await store.reader.list('namespace', { filters: {}, limit: 10_000, offset: 0 });
  assert.equal(items.filter(({ id }) => id.startsWith('fill-')).length, acknowledged);
  assert.equal((await store.history.range()).newest, acknowledged + 1, 'a revision for each, and no more');
}

test('SQLite’s own bound: writes are 503, polls go on, and writes too once there is room', async (t) => {
  const connections = openDatabase(`sqlite://${join(temporaryDirectory(t), 'fleet.db')}`);
  const store = createSqliteStore(connections);
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  const pages = connections.writer.pragma('page_count', { simple: true }) as number;
  connections.writer.pragma(`max_page_count = ${pages + 100}`);
  const acknowledged = await fill(store);
  assert.ok(acknowledged > 0);
  await assertPolls(store);
  await assertKept(store, acknowledged);
  connections.writer.pragma('max_page_count = 1000000');
  await insert(store, `fill-${acknowledged}`);
  await assertKept(store, acknowledged + 1);
});

test('a full disk: writes are 503, polls go on, nothing is lost, and there is room again without a restart', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return t.skip('no right to mount a file system');
  const url = `sqlite://${join(disk, 'fleet.db')}`;
  const store = await openSqliteStore(url);
  t.after(() => store.close().catch(() => undefined));
  await store.transact(insertSampleFleet);
  const ballast = join(disk, 'ballast');
  writeFileSync(ballast, Buffer.alloc(700_000));
  const acknowledged = await fill(store);
  assert.ok(acknowledged > 0);
  await assertPolls(store);
  await assertKept(store, acknowledged);
  await assert.rejects(insert(store, 'again'), FluxgateError);
  rmSync(ballast);
  await insert(store, `fill-${acknowledged}`);
  await assertKept(store, acknowledged + 1);
  await store.close();
  const reopened = await openSqliteStore(url);
  t.after(() => reopened.close());
  await assertKept(reopened, acknowledged + 1);
});

test('a file that can only be read: writes are 503, polls go on, and writes too once it can be written', async (t) => {
  const connections = openDatabase(`sqlite://${join(temporaryDirectory(t), 'fleet.db')}`);
  const store = createSqliteStore(connections);
  t.after(() => store.close().catch(() => undefined));
  await store.transact(insertSampleFleet);
  // By SQLite's switch: no kernel remounts a file system read-only while a file of it is open for writing.
  connections.writer.pragma('query_only = ON');
  await assert.rejects(
    insert(store, 'no'),
    (error) => error instanceof FluxgateError && error.status === 503,
  );
  await assertPolls(store);
  connections.writer.pragma('query_only = OFF');
  await insert(store, 'yes');
  await assertPolls(store);
});

test('a data directory that is read-only from the start is a refusal to start', async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return t.skip('no right to mount a file system');
  const url = `sqlite://${join(disk, 'fleet.db')}`;
  // By a process of its own: what it looks at the wal-index with stays open for as long as it lives, and a file system is busy by then.
  const store = JSON.stringify(new URL('../../../src/shell/store/sqlite-store.ts', import.meta.url).href);
  const make = `await (await (await import(${store})).openSqliteStore(${JSON.stringify(url)})).close()`;
  assert.equal(spawnSync(process.execPath, ['--input-type=module', '-e', make]).status, 0);
  if (spawnSync('mount', ['-o', 'remount,ro', disk]).status !== 0) return t.skip('no right to remount');
  await assert.rejects(openSqliteStore(url), /fleet\.db cannot be made or written: EROFS/);
});
