import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createCipheriv } from 'node:crypto';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  mkdirSync,
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
import { dirname, join } from 'node:path';
import { type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { type CheckedFile, startFileCheck } from '../../../src/shell/store/check-file.ts';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { breakSeal, isSealed, SEAL_MS_MAX } from '../../../src/shell/store/seal.ts';
import { createSqliteStore, openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import type { Turn } from '../../../src/shell/store/write-queue.ts';
import { makeLargeStore } from '../../support/large-store.ts';
import { temporaryDatabase } from './temporary.ts';

const MIB = 1024 * 1024;
const PAGE = 4_096;

interface Large {
  readonly url: string;
  readonly path: string;
  readonly seal: string;
}

async function largeStore(t: TestContext): Promise<Large> {
  const { url } = temporaryDatabase(t);
  const path = await makeLargeStore(url);
  return { url, path, seal: `${path}-seal` };
}

async function sealedStore(t: TestContext): Promise<Large> {
  const large = await largeStore(t);
  await (await openSqliteStore(large.url)).close();
  return large;
}

async function opened(url: string, turn?: Turn): Promise<Store> {
  const check = startFileCheck(url, {});
  await (await check)?.confirm?.();
  return openSqliteStore(url, {}, turn, check);
}

test('a store that is closed in order is sealed with what its file then is, for its owner alone', async (t) => {
  const { path, seal } = await sealedStore(t);
  const octets = readFileSync(path);
  const text = readFileSync(seal, 'utf8');
  const { key, gmac } = sealedWith(text);
  assert.equal(gmac, gmacOf(octets, key));
  assert.match(
    text,
    new RegExp(
      `^fluxgate-seal 1\nsqlite 20[^\n]+ [0-9a-f]{60,}\noctets ${octets.length}\nkey ${key}\ngmac ${gmac}\n$`,
    ),
  );
  assert.equal(statSync(seal).mode & 0o777, 0o600);
  assert.equal(isSealed(path), true);
  const copy = join(dirname(path), 'copy.db');
  copyFileSync(path, copy);
  assert.equal(isSealed(copy), false, 'a copy has no seal of its own');
  copyFileSync(seal, `${copy}-seal`);
  assert.equal(isSealed(copy), true, 'unless it was copied, too');
});

test('what was sealed need not wait for its check, which is made all the same', async (t) => {
  const { url, path } = await sealedStore(t);
  const file = await startFileCheck(url, {});
  assert.deepEqual([file?.problem, file?.isWhole()], [undefined, false]);
  assert.equal(await file?.confirm?.(), undefined);
  assert.equal(file?.isWhole(), true);
  await file?.takePins?.();
  // What is not sealed waits for it.
  rmSync(`${path}-seal`);
  const unsealed = await startFileCheck(url, {});
  assert.deepEqual([unsealed?.isWhole(), unsealed?.confirm], [true, undefined]);
  await unsealed?.takePins?.();
});

test('what was damaged before it was sealed is found by the check, and never sealed again', async (t) => {
  const { url, path, seal } = await largeStore(t);
  const store = await opened(url);
  damage(path);
  await store.close();
  assert.equal(isSealed(path), true);
  const file = await startFileCheck(url, {});
  assert.equal(file?.problem, undefined);
  const again = await openSqliteStore(url, {}, undefined, Promise.resolve(file as CheckedFile));
  assert.equal((await file?.confirm?.())?.code, undefined);
  assert.equal(file?.isWhole(), false);
  await again.close();
  assert.equal(readFileSync(seal, 'utf8'), '');
  assert.notEqual((await startFileCheck(url, {}))?.problem, undefined);
});

test('pins and check may be asked for at once', async (t) => {
  const { url } = await sealedStore(t);
  const file = await startFileCheck(url, {});
  const [problem, pins, none] = await Promise.all([
    file?.confirm?.(),
    file?.takePins?.(),
    file?.takePins?.(),
  ]);
  assert.deepEqual([problem, pins, none, file?.isWhole()], [undefined, [], undefined, true]);
});

test('what is closed before its check has ended is not sealed', async (t) => {
  const { url, seal } = await sealedStore(t);
  const file = await startFileCheck(url, {});
  const store = await openSqliteStore(url, {}, undefined, Promise.resolve(file as CheckedFile));
  await store.sightings.pins();
  const confirmed = file?.confirm?.();
  await store.close();
  assert.equal(readFileSync(seal, 'utf8'), '');
  assert.equal(await confirmed, undefined);
});

test('a seal holds for that very file and that very SQLite, and nothing beside it', async (t) => {
  const { path, seal } = await sealedStore(t);
  const [whole, text] = [readFileSync(path), readFileSync(seal, 'utf8')];
  const broken: readonly (readonly [what: string, act: () => void])[] = [
    ['one bit of the first page', () => writeInto(path, 90, Buffer.from([(whole[90] ?? 0) ^ 1]))],
    [
      'one bit of the last page',
      () => writeInto(path, whole.length - 1, Buffer.from([~(whole.at(-1) ?? 0)])),
    ],
    ['an octet more', () => appendFileSync(path, '\0')],
    ['an octet less', () => truncateSync(path, whole.length - 1)],
    ['no file', () => rmSync(path)],
    ['a WAL', () => writeFileSync(`${path}-wal`, 'x')],
    ['a journal to be rolled back', () => writeFileSync(`${path}-journal`, 'x')],
    ['a WAL that cannot be looked at', () => symlinkSync(`${path}-wal`, `${path}-wal`)],
    ['no seal', () => rmSync(seal)],
    ['an empty seal', () => truncateSync(seal, 0)],
    ['half a seal', () => truncateSync(seal, text.length - 10)],
    ['a seal and more', () => appendFileSync(seal, '\n')],
    ['a seal without end', () => appendFileSync(seal, 'x'.repeat(MIB))],
    [
      'another SQLite',
      () => writeFileSync(seal, text.replace(/^sqlite .*$/m, 'sqlite 2020-01-01 00:00:00 ab')),
    ],
    ['another key', () => writeFileSync(seal, text.replace(/^key ./m, 'key z'))],
    ['another kind of seal', () => writeFileSync(seal, text.replace('fluxgate-seal 1', 'fluxgate-seal 2'))],
  ];
  for (const [what, act] of broken) {
    for (const file of [path, seal, `${path}-wal`, `${path}-journal`]) rmSync(file, { force: true });
    writeFileSync(path, whole);
    writeFileSync(seal, text);
    assert.equal(isSealed(path), true, `before: ${what}`);
    act();
    assert.equal(isSealed(path), false, what);
  }
});

test('a store that is open has no seal, so none that was killed has one', async (t) => {
  const { url, path, seal } = await sealedStore(t);
  const store = await opened(url);
  assert.equal(readFileSync(seal, 'utf8'), '');
  await store.close();
  assert.equal(isSealed(path), true);
});

test('a store that several processes write is not sealed by any of them', async (t) => {
  const { url, path, seal } = await sealedStore(t);
  await (await opened(url, (work) => work())).close();
  assert.equal(readFileSync(seal, 'utf8'), '');
  assert.equal(isSealed(path), false);
});

test('what somebody else reads or writes at the end is not sealed', async (t) => {
  const { url, path, seal } = await largeStore(t);
  for (const [what, sql] of [
    ['a reader keeps commits out of the file', 'BEGIN; SELECT count(*) FROM meta'],
    ['a writer has not finished', "BEGIN IMMEDIATE; INSERT INTO meta (name, value) VALUES ('a', 'b')"],
  ] as const) {
    const store = await openSqliteStore(url);
    const other = new SqliteDatabase(path);
    await store.ratchet([{ clusterDns: 'a.example', certificateSha256: 'ab'.repeat(32), sinceMs: 1 }]);
    other.exec(sql);
    await store.close();
    assert.equal(readFileSync(seal, 'utf8'), '', what);
    other.close();
  }
});

test('what somebody else commits once the WAL was taken in is not sealed', async (t) => {
  const { url, path, seal } = await largeStore(t);
  const connections = openDatabase(url);
  const store = createSqliteStore(connections);
  const { writer } = connections;
  const other = new SqliteDatabase(path, { timeout: 0 });
  const exec = writer.exec.bind(writer);
  writer.exec = (source) => {
    if (source === 'BEGIN IMMEDIATE') insertInto(other);
    return exec(source);
  };
  await store.close();
  other.close();
  assert.equal(readFileSync(seal, 'utf8'), '');
});

test('while a store is sealed nobody can write to it', async (t) => {
  const { url, path } = await largeStore(t);
  const connections = openDatabase(url);
  const store = createSqliteStore(connections);
  const { writer } = connections;
  const other = new SqliteDatabase(path, { timeout: 0 });
  const prepare = writer.prepare.bind(writer);
  const codes: unknown[] = [];
  // The last that is asked of it before its file is read.
  writer.prepare = (source: string) => {
    try {
      insertInto(other);
    } catch (error) {
      codes.push((error as { code?: unknown }).code);
    }
    return prepare(source) as never;
  };
  await store.close();
  other.close();
  assert.deepEqual(codes, ['SQLITE_BUSY']);
  assert.equal(isSealed(path), true);
});

test('what is small is not sealed, nor what a stop has no time for', async (t) => {
  const small = temporaryDatabase(t);
  await (await openSqliteStore(small.url)).close();
  assert.equal(readFileSync(`${small.path}-seal`, 'utf8'), '');
  const { url, path, seal } = await largeStore(t);
  for (const [looks, isIn] of [
    [5, false],
    [1_000, true],
  ] as const) {
    const { writer, reader } = openDatabase(url);
    reader.close();
    let looked = 0;
    const holder = breakSeal(path, { elapsed: () => (++looked > looks ? SEAL_MS_MAX + 1 : 0) });
    holder?.seal(writer);
    assert.equal(writer.inTransaction, false);
    writer.close();
    assert.equal(isSealed(path), isIn);
    assert.equal(readFileSync(seal, 'utf8') !== '', isIn);
  }
});

test('a WAL that is left beside what a link leads to is looked at', async (t) => {
  const { path, seal } = await sealedStore(t);
  const link = join(dirname(path), 'link.db');
  symlinkSync(path, link);
  copyFileSync(seal, `${link}-seal`);
  assert.equal(isSealed(link), true);
  writeFileSync(`${path}-wal`, 'x');
  assert.equal(isSealed(link), false);
});

test('several processes that use a store wait for its check, though it is sealed', async (t) => {
  const { url } = await sealedStore(t);
  const file = await startFileCheck(url, {}, { trustsSeals: false });
  assert.deepEqual([file?.problem, file?.isWhole(), file?.confirm], [undefined, true, undefined]);
  await file?.takePins?.();
});

test('what is checked late is the file that was sealed, whatever lies in its place by then', async (t) => {
  const { url, path } = await largeStore(t);
  const store = await opened(url);
  damage(path);
  await store.close();
  const file = await startFileCheck(url, {});
  const other = await largeStore(t);
  renameSync(other.path, path);
  assert.equal((await file?.confirm?.())?.code, undefined);
  assert.equal(file?.isWhole(), false);
  assert.deepEqual(
    readdirSync(dirname(path)).filter((name) => /-shm|-wal/.test(name)).length > 0,
    true,
    'what SQLite keeps beside an open store is left alone',
  );
  await file?.takePins?.();
});

test('what lies where the seal would be is left alone, and the store opens all the same', async (t) => {
  const { url, path, seal } = await largeStore(t);
  const other = join(dirname(path), 'other');
  writeFileSync(other, 'precious');
  for (const place of [
    () => symlinkSync(other, seal),
    () => mkdirSync(seal),
    () => spawnSync('mkfifo', [seal]),
  ]) {
    rmSync(seal, { force: true, recursive: true });
    place();
    await (await opened(url)).close();
    assert.equal(readFileSync(other, 'utf8'), 'precious');
    assert.equal(isSealed(path), false);
  }
});

function insertInto(database: SqliteDatabase.Database): void {
  database.prepare("INSERT INTO meta (name, value) VALUES ('by another', 'x')").run();
}

/** A page of a table that nothing reads. */
function damage(path: string): void {
  const database = new SqliteDatabase(path);
  database.exec('CREATE TABLE unread (text TEXT)');
  const insert = database.prepare('INSERT INTO unread (text) VALUES (?)');
  for (let row = 0; row < 100; row++) insert.run('x'.repeat(1_000));
  database.pragma('wal_checkpoint(TRUNCATE)');
  const leaf = database.prepare("SELECT max(pageno) FROM dbstat WHERE name = 'unread'").pluck().get();
  database.close();
  writeInto(path, (Number(leaf) - 1) * PAGE, Buffer.alloc(PAGE, 0xa5));
}

function sealedWith(text: string): { readonly key: string; readonly gmac: string } {
  const found = /^key (?<key>[0-9a-f]{32})\ngmac (?<gmac>[0-9a-f]{32})$/m.exec(text)?.groups;
  return { key: found?.['key'] ?? '', gmac: found?.['gmac'] ?? '' };
}

/** All at once. */
function gmacOf(octets: Buffer, key: string): string {
  const cipher = createCipheriv('aes-128-gcm', Buffer.from(key, 'hex'), Buffer.alloc(12)).setAAD(octets);
  cipher.final();
  return cipher.getAuthTag().toString('hex');
}

function writeInto(path: string, at: number, octets: Buffer): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, octets, 0, octets.length, at);
  } finally {
    closeSync(file);
  }
}
