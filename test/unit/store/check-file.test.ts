import assert from 'node:assert/strict';
import {
  closeSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { StartupError } from '../../../src/core/errors.ts';
import { startFileCheck } from '../../../src/shell/store/check-file.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { insertSampleFleet } from '../../support/fleet.ts';
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

function overwrite(path: string, from: number, to: number): void {
  const file = openSync(path, 'r+');
  try {
    writeSync(file, Buffer.alloc(to - from, 0xa5), 0, to - from, from);
  } finally {
    closeSync(file);
  }
}
