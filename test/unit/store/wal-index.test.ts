import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { createFleetQueries, POLL_SQL } from '../../../src/shell/store/fleet-queries.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { openWalIndex, type WalIndex } from '../../../src/shell/store/wal-index.ts';
import { temporaryDatabase } from './temporary.ts';

const ORIGIN = { author: 'a', action: 'write', atMs: 1 } as const;
const MODULE = fileURLToPath(import.meta.resolve('better-sqlite3'));

function open(t: TestContext): { path: string; writer: Database; index: WalIndex } {
  const { path } = temporaryDatabase(t);
  const writer = new SqliteDatabase(path);
  t.after(() => writer.close());
  writer.pragma('journal_mode = WAL');
  writer.exec('CREATE TABLE revisions (number INTEGER PRIMARY KEY); INSERT INTO revisions VALUES (1)');
  const index = openWalIndex(path);
  assert.ok(index);
  return { path, writer, index };
}

const elsewhere = (path: string, sql: string): void => {
  const program = `const D = require(${JSON.stringify(MODULE)}); const d = new D(${JSON.stringify(path)}); d.exec(${JSON.stringify(sql)}); d.close();`;
  const { status, stderr } = spawnSync(process.execPath, ['-e', program], { encoding: 'utf8' });
  assert.equal(status, 0, stderr);
};

test('it has moved at first, and after each commit of this process and of another, and else it has not', (t) => {
  const { path, writer, index } = open(t);
  const looks = (): readonly boolean[] => [index.moved(), index.moved(), index.moved()];
  assert.deepEqual(looks(), [true, false, false]);
  writer.exec('INSERT INTO revisions VALUES (2)');
  assert.deepEqual(looks(), [true, false, false]);
  elsewhere(path, 'INSERT INTO revisions VALUES (3)');
  assert.deepEqual(looks(), [true, false, false]);
  writer.exec('BEGIN; INSERT INTO revisions VALUES (4); ROLLBACK');
  assert.equal(writer.prepare('SELECT max(number) FROM revisions').pluck().get(), 3);
  assert.deepEqual(looks().slice(1), [false, false]);
  writer.pragma('wal_checkpoint(TRUNCATE)');
  index.moved();
  elsewhere(path, 'INSERT INTO revisions VALUES (5)');
  assert.deepEqual(looks(), [true, false, false]);
});

test('whatever is committed in whatever order, the number of the newest revision is the committed one at once', (t) => {
  const { path, writer } = open(t);
  const other = new SqliteDatabase(path);
  const reader = new SqliteDatabase(path, { readonly: true });
  t.after(() => [other, reader].forEach((one) => void one.close()));
  const index = openWalIndex(path);
  assert.ok(index);
  const asked = reader.prepare<[], number>('SELECT max(number) FROM revisions').pluck();
  let atHand: number | undefined;
  let unmoved = 0;
  // A generator of its own, so that a run that fails is the same again.
  let state = 7;
  const roll = (sides: number): number => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return (state >> 8) % sides;
  };
  for (let step = 0; step < 2_000; step++) {
    const connection = roll(2) === 0 ? writer : other;
    const number = step + 2;
    const what = roll(10);
    if (what < 3) connection.exec(`INSERT INTO revisions VALUES (${number})`);
    else if (what === 3) connection.exec(`BEGIN; INSERT INTO revisions VALUES (${number}); ROLLBACK`);
    else if (roll(10) === 0)
      connection.pragma(`wal_checkpoint(${['PASSIVE', 'RESTART', 'TRUNCATE'][roll(3)]})`);
    else if (what === 5 && roll(5) === 0) connection.exec('DELETE FROM revisions WHERE number < 1000000');
    if (index.moved()) atHand = undefined;
    else unmoved++;
    atHand ??= asked.get() ?? 0;
    assert.equal(atHand, asked.get() ?? 0, `step ${step}`);
  }
  assert.ok(unmoved > 200, `${unmoved} looks asked for nothing`);
});

test('what is no such header has always moved, and where there is none there is nothing to look at', (t) => {
  const { path, writer } = open(t);
  const copy = temporaryDatabase(t).path;
  assert.equal(openWalIndex(copy), undefined);
  const looksOf = (octets: Uint8Array): readonly (boolean | undefined)[] => {
    writeFileSync(`${copy}-shm`, octets);
    const index = openWalIndex(copy);
    return [index?.moved(), index?.moved(), index?.moved()];
  };
  copyFileSync(`${path}-shm`, `${copy}-shm`);
  const whole = openWalIndex(copy);
  assert.deepEqual([whole?.moved(), whole?.moved()], [true, false]);
  assert.deepEqual(looksOf(new Uint8Array(0)), [true, true, true]);
  assert.deepEqual(looksOf(new Uint8Array(95)), [true, true, true]);
  assert.deepEqual(looksOf(new Uint8Array(96)), [true, true, true], 'not of a version that is known');
  const halfway = new Int32Array(24).fill(3_007_000);
  assert.deepEqual(looksOf(new Uint8Array(halfway.buffer)), [true, false, false]);
  halfway[15] = 1;
  assert.deepEqual(
    looksOf(new Uint8Array(halfway.buffer)),
    [true, true, true],
    'a commit that is on its way',
  );
  const short = openWalIndex(copy);
  copyFileSync(`${path}-shm`, `${copy}-shm`);
  assert.deepEqual([short?.moved(), short?.moved()], [true, false]);
  writeFileSync(`${copy}-shm`, '');
  assert.deepEqual([short?.moved(), short?.moved()], [true, true], 'it cannot be read any more');
  assert.ok(writer.open);
});

test('a header that no commit reaches, as of a file system that does not show to reads what was mapped, is believed for a second', (t) => {
  const { path } = open(t);
  const copy = temporaryDatabase(t).path;
  copyFileSync(`${path}-shm`, `${copy}-shm`);
  let nowMs = 5;
  const index = openWalIndex(copy, { elapsed: () => nowMs });
  assert.ok(index);
  assert.deepEqual([index.moved(), index.moved()], [true, false]);
  for (let second = 0; second < 3; second++) {
    nowMs += 999;
    assert.equal(index.moved(), false);
    nowMs += 1;
    assert.deepEqual([index.moved(), index.moved()], [true, false]);
  }
});

test('without a write-ahead log the store is asked each time', (t) => {
  const { writer: database } = openDatabase('sqlite::memory:');
  t.after(() => database.close());
  const insert = database.prepare(
    "INSERT INTO revisions (at_ms, author, action, changes) VALUES (1, 'a', 'write', 0)",
  );
  const queries = createFleetQueries(database, { remembers: true });
  for (let number = 1; number <= 3; number++) {
    assert.equal(queries.newestRevision(), number - 1);
    insert.run();
    assert.equal(queries.newestRevision(), number);
  }
});

test('what was committed through another store is in the next answer, however often it was asked for before', async (t) => {
  const { url } = temporaryDatabase(t);
  const [one, two] = [await openSqliteStore(url), await openSqliteStore(url)];
  t.after(() => Promise.all([one.close(), two.close()]));
  const revision = await one.reader.newestRevision();
  for (let more = 1; more <= 20; more++) {
    const id = `n${more}`;
    for (let times = 0; times < 3; times++) {
      assert.equal(await one.reader.newestRevision(), revision + more - 1);
      assert.equal(await one.reader.get('namespace', id), undefined);
    }
    await two.transact((tx) => tx.insert('namespace', { id, labels: {}, annotations: {} } as never), ORIGIN);
    if (more % 2 === 0) assert.equal((await one.reader.get('namespace', id))?.id, id);
    assert.equal(await one.reader.newestRevision(), revision + more);
    assert.equal((await one.reader.get('namespace', id))?.id, id);
  }
});

test('a look at the store that failed is made again, though nothing has moved since', async (t) => {
  const { path, url } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  const reader = new SqliteDatabase(path, { readonly: true });
  t.after(async () => {
    reader.close();
    await store.close();
  });
  let fails = false;
  const failing = new Proxy(reader, {
    get(target, name) {
      if (name === 'prepare')
        return (sql: string) => (sql === POLL_SQL.revision ? asked : target.prepare(sql));
      const value = Reflect.get(target, name, target) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
  const statement = reader.prepare(POLL_SQL.revision).pluck();
  const asked = {
    pluck: () => ({
      get() {
        if (fails) throw new Error('the disk is gone');
        return statement.get();
      },
    }),
  };
  const queries = createFleetQueries(failing, { remembers: true });
  const before = queries.newestRevision();
  fails = true;
  assert.equal(queries.newestRevision(), before, 'it was not asked');
  await store.transact(
    (tx) => tx.insert('namespace', { id: 'n', labels: {}, annotations: {} } as never),
    ORIGIN,
  );
  for (let times = 0; times < 3; times++) assert.throws(() => queries.newestRevision(), /the disk is gone/);
  fails = false;
  assert.equal(queries.newestRevision(), before + 1);
});

test('of a store that is reached by a symlink, what lies beside the symlink is not believed', async (t) => {
  const { path } = temporaryDatabase(t);
  const link = temporaryDatabase(t).path;
  symlinkSync(path, link);
  const [one, two] = [await openSqliteStore(`sqlite://${link}`), await openSqliteStore(`sqlite://${path}`)];
  t.after(() => Promise.all([one.close(), two.close()]));
  // As a process that was killed leaves it, before its store was moved elsewhere and the symlink put in its place.
  copyFileSync(`${path}-shm`, `${link}-shm`);
  const three = await openSqliteStore(`sqlite://${link}`);
  t.after(() => three.close());
  const revision = await three.reader.newestRevision();
  await three.reader.newestRevision();
  await two.transact(
    (tx) => tx.insert('namespace', { id: 'n', labels: {}, annotations: {} } as never),
    ORIGIN,
  );
  assert.equal(await three.reader.newestRevision(), revision + 1);
});
