import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { StartupError } from '../../../src/core/errors.ts';
import { type CheckedFile, startFileCheck } from '../../../src/shell/store/check-file.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { makeLargeStore } from '../../support/large-store.ts';
import { pinsIn } from './pins-in.ts';
import { temporaryDatabase } from './temporary.ts';

const MIB = 1024 * 1024;

async function largeStore(
  t: Parameters<typeof temporaryDatabase>[0],
): Promise<{ url: string; path: string }> {
  const { url } = temporaryDatabase(t);
  return { url, path: await makeLargeStore(url) };
}

const WHOLE: CheckedFile = { problem: undefined, isWhole: () => true };

const opened = (url: string): Promise<unknown> =>
  openSqliteStore(url, {}, undefined, startFileCheck(url, {})).then((store) => store.close());

test('a large store is checked on a thread; one that is small, missing or in memory by whoever opens it', async (t) => {
  const { url, path } = await largeStore(t);
  assert.ok(statSync(path).size > 20 * MIB);
  const whole = await startFileCheck(url, {});
  assert.equal(whole?.problem, undefined);
  await whole?.takePins?.();
  assert.ok(startFileCheck(url, {}) instanceof Promise);
  await opened(url);
  assert.equal(startFileCheck(temporaryDatabase(t).url, {}), undefined);
  assert.equal(startFileCheck('sqlite::memory:', {}), undefined);
  const small = temporaryDatabase(t);
  await (await openSqliteStore(small.url)).close();
  assert.equal(startFileCheck(small.url, {}), undefined);
});

test('what cannot even be looked at is a refusal to start, by whoever opens it', async (t) => {
  const { url, path } = temporaryDatabase(t);
  symlinkSync(path, path);
  assert.equal(startFileCheck(url, {}), undefined);
  await assert.rejects(opened(url), (error) => error instanceof StartupError && /ELOOP/.test(error.message));
});

test('what the thread finds is a refusal to start that says how to restore', async (t) => {
  const { url, path } = await largeStore(t);
  const whole = readFileSync(path);
  const refusal = (error: unknown): boolean => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(
      error.message,
      /^DATABASE_URL: \S+fleet\.db is damaged \(.+\): put a backup in its place .*--from FILE$/,
    );
    return true;
  };
  const damages: readonly (readonly [what: string, damage: () => void])[] = [
    ['the header', () => overwrite(path, 0, 16)],
    ['a page of the schema', () => overwrite(path, 100, 4_096)],
    ['pages of the fleet', () => overwrite(path, 8_192, 40_000)],
    ['what is read last', () => overwrite(path, whole.length - 9_000, whole.length - 4_200)],
    ['half of it', () => truncateSync(path, whole.length - 2 * MIB)],
  ];
  for (const [what, damage] of damages) {
    writeFileSync(path, whole);
    damage();
    await assert.rejects(opened(url), refusal, what);
  }
  writeFileSync(path, whole);
  await opened(url);
});

test('a store whose check has not ended, or has failed, is not opened', async (t) => {
  const { url, path } = temporaryDatabase(t);
  const failed = Promise.resolve({ ...WHOLE, problem: { message: 'it cannot be checked', code: 'fault' } });
  await assert.rejects(openSqliteStore(url, {}, undefined, failed), /cannot be opened: it cannot be checked/);
  assert.throws(() => statSync(path), /ENOENT/);
  const never = new Promise<CheckedFile>(() => undefined);
  const waiting = openSqliteStore(url, {}, undefined, never);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.throws(() => statSync(path), /ENOENT/);
  void waiting;
});

test('the thread that found the file whole tells its pins, once', async (t) => {
  const { url, path } = await largeStore(t);
  manyPins(path);
  pin(path, 'a.example', '"one"');
  const written = using(path, (database) =>
    database.prepare<[], [string, string]>('SELECT cluster_dns, document FROM key_pins').raw().all(),
  );
  const check = startFileCheck(url, {});
  await check;
  // Whoever reads them only now finds nothing.
  const end = rootOf(path) * PAGE;
  overwrite(path, end - PAGE, end);
  const store = await openSqliteStore(url, {}, undefined, check);
  assert.deepEqual(pinsIn(await store.sightings.pins()), new Map(written));
  await assert.rejects(store.sightings.pins(), /cannot serve/, 'they are kept for whoever asks first');
  await store.close();
});

test('of a file that is not whole no pins are told, and it is left as it was', async (t) => {
  const { url, path } = await largeStore(t);
  pin(path, 'a.example', '"one"');
  overwrite(path, 8_192, 40_000);
  const before = readFileSync(path);
  const check = startFileCheck(url, {});
  assert.equal((await check)?.takePins, undefined);
  await assert.rejects(openSqliteStore(url, {}, undefined, check), /is damaged/);
  assert.ok(readFileSync(path).equals(before));
  assert.deepEqual(
    readdirSync(dirname(path)).filter((name) => /-wal|-shm/.test(name)),
    [],
  );
});

test('pins that the thread cannot read are left for whoever opens the store', async (t) => {
  const { url, path } = await largeStore(t);
  using(path, (database) => database.exec('ALTER TABLE key_pins RENAME TO others'));
  const file = await startFileCheck(url, {});
  assert.deepEqual([file?.problem, await file?.takePins?.()], [undefined, undefined]);
});

test('an open store holds its lock on the file, which another process finds, however it was checked', async (t) => {
  const { url, path } = await largeStore(t);
  const small = temporaryDatabase(t);
  await (await openSqliteStore(small.url)).close();
  for (const [file, from] of [
    [path, url],
    [small.path, small.url],
  ] as const) {
    const store = await openSqliteStore(from, {}, undefined, startFileCheck(from, {}));
    await store.sightings.pins();
    assert.equal(isOpenElsewhere(file), true, file);
    await store.close();
    assert.equal(isOpenElsewhere(file), false, file);
  }
});

test('a file that is put in the place of the one that was checked is not opened', async (t) => {
  const { url, path } = await largeStore(t);
  const other = await largeStore(t);
  const refusal = /another file was put in its place while it was checked: start again/;
  takesLongToCheck(path);
  const going = opened(url);
  await turns();
  renameSync(other.path, path);
  await assert.rejects(going, (error) => error instanceof StartupError && refusal.test(error.message));
  await opened(url);
});

test('a file that is gone once it was checked is no new store', async (t) => {
  const { url, path } = await largeStore(t);
  const checked = Promise.resolve(WHOLE);
  rmSync(path);
  await assert.rejects(openSqliteStore(url, {}, undefined, checked), /another file was put in its place/);
  assert.throws(() => statSync(path), /ENOENT/);
  rmSync(`${path}-wal`, { force: true });
  writeFileSync(`${path}-wal`, Buffer.alloc(20 * MIB));
  assert.equal(startFileCheck(url, {}), undefined, 'a WAL of no file is for whoever opens it');
});

test('pins that somebody changed after they were read are read again', async (t) => {
  const { url, path } = await largeStore(t);
  pin(path, 'a.example', '"one"');
  const store = await openSqliteStore(url, {}, undefined, startFileCheck(url, {}));
  pin(path, 'a.example', '"two"');
  pin(path, 'b.example', '"three"');
  const now = new Map([
    ['a.example', '"two"'],
    ['b.example', '"three"'],
  ]);
  assert.deepEqual(pinsIn(await store.sightings.pins()), now);
  pin(path, 'b.example', '"four"');
  assert.deepEqual(pinsIn(await store.sightings.pins()), now.set('b.example', '"four"'));
  await store.close();
  assert.equal(isOpen(path), false);
});

test('a store that is closed before anybody asked for its pins is closed', async (t) => {
  const { url, path } = await largeStore(t);
  const store = await openSqliteStore(url, {}, undefined, startFileCheck(url, {}));
  assert.equal(isOpen(path), true);
  await store.close();
  assert.equal(isOpen(path), false);
});

test('pins whose pages lead round in circles end in the refusal that the check gives', async (t) => {
  const { url, path } = await largeStore(t);
  manyPins(path);
  const octets = readFileSync(path);
  const root = rootOf(path);
  const page = octets.subarray((root - 1) * PAGE, root * PAGE);
  assert.equal(page[0], 5, 'an interior page of a table');
  // Each of its children is the first one.
  const first = page.readUInt32BE(page.readUInt16BE(12));
  for (let n = 0; n < page.readUInt16BE(3); n++) page.writeUInt32BE(first, page.readUInt16BE(12 + 2 * n));
  page.writeUInt32BE(first, 8);
  writeFileSync(path, octets);
  await assert.rejects(opened(url), /is damaged/);
});

test('a thread that cannot read it, or does not get that far, has found something wrong', async (t) => {
  const { url, path } = await largeStore(t);
  const lost = startFileCheck(url, { NODE_OPTIONS: '--import=/not/there.mjs' });
  assert.match(
    (await lost)?.problem?.message ?? '',
    /^the check that a start makes of it did not finish \(.+\): start again/,
  );
  const going = startFileCheck(url, {});
  rmSync(path);
  assert.equal((await going)?.problem?.code, 'SQLITE_CANTOPEN');
});

const PAGE = 4_096;

const turns = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

function using<T>(path: string, act: (database: SqliteDatabase.Database) => T): T {
  const database = new SqliteDatabase(path, { timeout: 0 });
  try {
    return act(database);
  } finally {
    database.close();
  }
}

function pin(path: string, ...row: readonly [name: string, document: string]): void {
  const sql = 'INSERT OR REPLACE INTO key_pins (cluster_dns, document) VALUES (?, ?)';
  using(path, (database) => database.prepare(sql).run(row));
}

/** Seconds, on any machine: each row has SQLite write 60 MB. */
function takesLongToCheck(path: string): void {
  using(path, (database) => {
    database.pragma('ignore_check_constraints = ON');
    database.exec('CREATE TABLE slow (octets INTEGER CHECK (length(hex(zeroblob(octets))) > 0))');
    const insert = database.prepare('INSERT INTO slow (octets) VALUES (?)');
    for (let row = 0; row < 40; row++) insert.run(20_000_000 + row);
  });
}

/** As `restore` asks it, of another process: SQLite does not ask the system for the locks of its own. */
function isOpenElsewhere(path: string): boolean {
  const program = `
    const database = new (require('better-sqlite3'))(${JSON.stringify(path)}, { timeout: 0 });
    try {
      database.pragma('locking_mode = EXCLUSIVE');
      database.exec('BEGIN EXCLUSIVE; COMMIT');
      process.stdout.write('alone');
    } catch (error) {
      process.stdout.write(error.code);
    }`;
  const { stdout } = spawnSync(process.execPath, ['-e', program], {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  assert.match(stdout, /^(alone|SQLITE_BUSY)$/);
  return stdout !== 'alone';
}

function manyPins(path: string): void {
  using(path, (database) => {
    const insert = database.prepare("INSERT INTO key_pins (cluster_dns, document) VALUES (?, '{}')");
    database.transaction(() => {
      for (let number = 0; number < 20_000; number++) insert.run(`cluster-${number}.example`);
    })();
  });
}

function rootOf(path: string): number {
  const sql = "SELECT rootpage FROM sqlite_schema WHERE name = 'key_pins'";
  return using(path, (database) => Number(database.prepare(sql).pluck().get()));
}

/** By anybody else: SQLite leaves its WAL only for whoever is alone. */
function isOpen(path: string): boolean {
  return using(path, (database) => {
    try {
      return database.pragma('journal_mode = DELETE', { simple: true }) !== 'delete';
    } catch {
      return true;
    } finally {
      database.pragma('journal_mode = WAL');
    }
  });
}

function overwrite(path: string, from: number, to: number): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.alloc(to - from, 0xa5), 0, to - from, from);
  } finally {
    closeSync(file);
  }
}
