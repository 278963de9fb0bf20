import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  closeSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { parseConfig } from '../../../src/core/config.ts';
import { StartupError } from '../../../src/core/errors.ts';
import { grantsOf, sandboxOptions } from '../../../src/shell/sandbox.ts';
import { startFileCheck } from '../../../src/shell/store/check-file.ts';
import { readPinsAhead } from '../../../src/shell/store/pins-ahead.ts';
import type { FileProblem } from '../../../src/shell/store/problem.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { insertSampleFleet } from '../../support/fleet.ts';
import { pinsIn } from './pins-in.ts';
import { temporaryDatabase } from './temporary.ts';

const MIB = 1024 * 1024;

async function largeStore(
  t: Parameters<typeof temporaryDatabase>[0],
): Promise<{ url: string; path: string }> {
  const { url, path } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  await store.transact(insertSampleFleet);
  await store.close();
  enlarge(path);
  return { url, path };
}

/** To what is checked on a thread. */
function enlarge(path: string): void {
  const database = new SqliteDatabase(path);
  const insert = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
  for (let number = 0; number < 20; number++) insert.run(`padding ${number}`, 'x'.repeat(MIB));
  database.close();
}

const opened = (url: string): Promise<unknown> =>
  openSqliteStore(url, {}, undefined, startFileCheck(url, {})).then((store) => store.close());

test('a large store is checked on a thread; one that is small, missing or in memory by whoever opens it', async (t) => {
  const { url, path } = await largeStore(t);
  assert.ok(statSync(path).size > 20 * MIB);
  assert.equal(await startFileCheck(url, {}), undefined);
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
  const failed = Promise.resolve({ message: 'it cannot be checked', code: 'fault' });
  await assert.rejects(openSqliteStore(url, {}, undefined, failed), /cannot be opened: it cannot be checked/);
  assert.throws(() => statSync(path), /ENOENT/);
  const never = new Promise<undefined>(() => undefined);
  const waiting = openSqliteStore(url, {}, undefined, never);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.throws(() => statSync(path), /ENOENT/);
  void waiting;
});

test("pins are read while the check goes on, and are nobody's before it has passed", async (t) => {
  const { url, path } = await largeStore(t);
  pin(path, 'a.example', '"one"');
  const check = Promise.withResolvers<undefined>();
  let settled = false;
  const opening = openSqliteStore(url, {}, undefined, check.promise).finally(() => {
    settled = true;
  });
  await turns();
  assert.equal(settled, false);
  // Whoever reads them only now finds nothing.
  const end = rootOf(path) * PAGE;
  overwrite(path, end - PAGE, end);
  check.resolve(undefined);
  const store = await opening;
  assert.deepEqual(pinsIn(await store.sightings.pins()), new Map([['a.example', '"one"']]));
  await assert.rejects(store.sightings.pins(), /cannot serve/, 'they are kept for whoever asks first');
  await store.close();
});

test('in the sandbox, too, pins are read while the thread is inside of SQLite', async (t) => {
  const { url, path } = await largeStore(t);
  pin(path, 'a.example', '"one"');
  takesLongToCheck(path);
  const file = '/not/looked/at.pem';
  const environment = {
    TLS_CERT_FILE: file,
    TLS_KEY_FILE: file,
    CLUSTER_CA_FILE: file,
    DATABASE_URL: url,
  };
  const options = sandboxOptions(grantsOf(parseConfig(environment), '/', [import.meta.dirname]));
  const program = join(import.meta.dirname, 'opening-beside-the-check.ts');
  const { stdout, stderr } = spawnSync(process.execPath, [...options, program], {
    env: environment,
    encoding: 'utf8',
  });
  assert.equal(stdout, '{"read":1,"check":"still going on"}\n', stderr);
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
  const checked = Promise.resolve(undefined);
  rmSync(path);
  await assert.rejects(openSqliteStore(url, {}, undefined, checked), /another file was put in its place/);
  assert.throws(() => statSync(path), /ENOENT/);
  rmSync(`${path}-wal`, { force: true });
  writeFileSync(`${path}-wal`, Buffer.alloc(20 * MIB));
  assert.equal(startFileCheck(url, {}), undefined, 'a WAL of no file is for whoever opens it');
});

test('pins that are a view, or whose columns are computed, are not read before the check has passed', async (t) => {
  const endless =
    'WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x FROM c WHERE x < 0';
  for (const sql of [
    `CREATE VIEW key_pins AS SELECT 1 AS rowid, 'a' AS cluster_dns, (${endless}) AS document`,
    'CREATE TABLE key_pins (cluster_dns TEXT PRIMARY KEY, document TEXT AS (\'"computed"\') VIRTUAL)',
  ]) {
    const { url, path } = await largeStore(t);
    using(path, (database) => database.exec(`DROP TABLE key_pins; ${sql}`));
    if (sql.startsWith('CREATE TABLE')) pinned(path, 'a.example');
    const ahead = readPinsAhead(url);
    await ahead.finished();
    assert.equal(ahead.take(), undefined, sql);
  }
});

test('pins that somebody changed after they were read are read again', async (t) => {
  const { url, path } = await largeStore(t);
  pin(path, 'a.example', '"one"');
  const store = await openSqliteStore(url, {}, undefined, Promise.resolve(undefined));
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

test('a check that fails closes what was read, and the file stays as it was', async (t) => {
  const { url, path } = await largeStore(t);
  manyPins(path);
  const before = readFileSync(path);
  const check = Promise.withResolvers<FileProblem>();
  const opening = openSqliteStore(url, {}, undefined, check.promise);
  check.resolve({ message: 'it is not whole', code: undefined });
  await assert.rejects(opening, /is damaged \(it is not whole\)/);
  assert.ok(readFileSync(path).equals(before));
  await turns();
  assert.equal(isOpen(path), false);
});

test('a store that is closed before anybody asked for its pins is closed', async (t) => {
  const { url, path } = await largeStore(t);
  const store = await openSqliteStore(url, {}, undefined, Promise.resolve(undefined));
  assert.equal(isOpen(path), true);
  await store.close();
  assert.equal(isOpen(path), false);
});

test('pins that are longer than any can be are left for when the check has passed', async (t) => {
  const { url, path } = await largeStore(t);
  const long = JSON.stringify('x'.repeat(20_000));
  pin(path, 'a.example', long);
  const check = Promise.withResolvers<undefined>();
  const opening = openSqliteStore(url, {}, undefined, check.promise);
  await turns();
  check.resolve(undefined);
  const store = await opening;
  const end = rootOf(path) * PAGE;
  // So they are read only now.
  overwrite(path, end - PAGE, end);
  await assert.rejects(store.sightings.pins(), /cannot serve/);
  await store.close();
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
    (await lost)?.message ?? '',
    /^the check that a start makes of it did not finish \(.+\): start again/,
  );
  const going = startFileCheck(url, {});
  rmSync(path);
  assert.equal((await going)?.code, 'SQLITE_CANTOPEN');
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

function pinned(path: string, name: string): void {
  using(path, (database) => database.prepare('INSERT INTO key_pins (cluster_dns) VALUES (?)').run(name));
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
