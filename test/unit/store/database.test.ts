import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { StartupError } from '../../../src/core/errors.ts';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { parseDatabaseUrl } from '../../../src/shell/store/database-url.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { identityOf } from '../../../src/shell/store/store-file.ts';
import { insertLargeFleet, insertSampleFleet } from '../../support/fleet.ts';
import { temporaryDatabase, temporaryDirectory } from './temporary.ts';

function refusal(line: RegExp): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof StartupError, String(error));
    assert.match(error.message, line);
    assert.ok(!error.message.includes('\n'));
    return true;
  };
}

test('DATABASE_URL: what is taken', () => {
  assert.deepEqual(parseDatabaseUrl('sqlite://data/fluxgate.db'), {
    memory: false,
    path: join(process.cwd(), 'data/fluxgate.db'),
  });
  assert.deepEqual(parseDatabaseUrl('sqlite:///var/lib/f.db?mode=rwc'), {
    memory: false,
    path: '/var/lib/f.db',
  });
  assert.deepEqual(parseDatabaseUrl('sqlite::memory:'), { memory: true });
});

test('DATABASE_URL: what is refused', () => {
  const urls = [
    '',
    'sqlite://',
    'sqlite:',
    'sqlite://:memory:',
    'sqlite://a?mode=ro',
    'sqlite://a#b',
    'sqlite://a\0b',
    'postgres://x/y',
    'data/f.db',
    'SQLITE://x',
  ];
  for (const url of urls) assert.throws(() => parseDatabaseUrl(url), StartupError, url);
});

test('the directory and the file are the owner’s only', async (t) => {
  const path = join(temporaryDirectory(t), 'deep', 'er', 'fleet.db');
  const store = await openSqliteStore(`sqlite://${path}`);
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700);
  for (const file of [path, `${path}-wal`, `${path}-shm`])
    assert.equal(statSync(file).mode & 0o777, 0o600, file);
});

test('an acknowledged write is on the disk: WAL and synchronous FULL; foreign keys hold', (t) => {
  const { url } = temporaryDatabase(t);
  const { writer, reader } = openDatabase(url);
  t.after(() => [reader.close(), writer.close()]);
  const pragma = (name: string): unknown => writer.pragma(name, { simple: true });
  assert.deepEqual(['journal_mode', 'synchronous', 'foreign_keys', 'trusted_schema'].map(pragma), [
    'wal',
    2,
    1,
    0,
  ]);
  assert.throws(() => reader.exec('DELETE FROM objects'), /readonly/);
});

test('nothing is ever sorted in a file below /tmp, which may be read-only', (t) => {
  for (const url of [temporaryDatabase(t).url, 'sqlite::memory:']) {
    const { writer, reader } = openDatabase(url);
    for (const database of [writer, reader]) assert.equal(database.pragma('temp_store', { simple: true }), 2);
    reader.close();
    writer.close();
  }
});

test('a store is there again after it was closed', async (t) => {
  const { url, path } = temporaryDatabase(t);
  const first = await openSqliteStore(url);
  await first.transact(insertSampleFleet);
  await first.close();
  assert.ok(!existsSync(`${path}-wal`));
  const second = await openSqliteStore(url);
  t.after(() => second.close());
  assert.equal((await second.reader.list('cluster', { filters: {}, limit: 10, offset: 0 })).total, 2);
});

test('a damaged file is a refusal to start that says how to restore', async (t) => {
  const { url, path } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  await store.transact((tx) => insertLargeFleet(tx, 50));
  await store.close();
  const bytes = readFileSync(path);
  for (const [from, to] of [
    [0, 16],
    [100, 4_096],
    [8_192, 40_000],
    [bytes.length - 20_000, bytes.length],
  ] as const) {
    writeFileSync(
      path,
      Buffer.concat([bytes.subarray(0, from), Buffer.alloc(to - from, 0xa5), bytes.subarray(to)]),
    );
    await assert.rejects(
      openSqliteStore(url),
      refusal(
        /fleet\.db is damaged .*put a backup in its place .*: npm run -s fluxgate -- restore --database sqlite:\/\/\S+fleet\.db --from FILE$/,
      ),
      `${from}`,
    );
  }
  writeFileSync(path, bytes.subarray(0, bytes.length / 2));
  await assert.rejects(openSqliteStore(url), refusal(/damaged/));
  writeFileSync(path, bytes);
  await (await openSqliteStore(url)).close();
});

test('a file that is no database is a refusal to start, and is left as it is', async (t) => {
  const { url, path } = temporaryDatabase(t);
  const text = 'These are my notes, and not a database.\n'.repeat(200);
  writeFileSync(path, text);
  await assert.rejects(openSqliteStore(url), refusal(/damaged \(file is not a database\)/));
  assert.equal(readFileSync(path, 'utf8'), text);
});

test('another program’s database is not touched', async (t) => {
  const { url, path } = temporaryDatabase(t);
  const theirs = new SqliteDatabase(path);
  theirs.exec('CREATE TABLE notes (text TEXT)');
  theirs.close();
  await assert.rejects(openSqliteStore(url), refusal(/another program's database/));
  const again = new SqliteDatabase(path, { readonly: true });
  t.after(() => again.close());
  assert.deepEqual(again.prepare('SELECT name FROM sqlite_schema').pluck().all(), ['notes']);
});

test('a store of a newer version is a refusal to start', async (t) => {
  const { url, path } = temporaryDatabase(t);
  await (await openSqliteStore(url)).close();
  const database = new SqliteDatabase(path);
  database.pragma('user_version = 99');
  database.close();
  await assert.rejects(openSqliteStore(url), refusal(/newer Fluxgate \(schema 99, this one knows \d+\)/));
});

test('a path that cannot be a file is a refusal to start', async (t) => {
  const directory = temporaryDirectory(t);
  mkdirSync(join(directory, 'a.db'));
  await assert.rejects(
    openSqliteStore(`sqlite://${directory}/a.db`),
    refusal(/a\.db cannot be made or written: EISDIR/),
  );
  writeFileSync(join(directory, 'file'), '');
  await assert.rejects(
    openSqliteStore(`sqlite://${directory}/file/b.db`),
    refusal(/b\.db cannot be made or written/),
  );
});

test('another file than the one that was checked is a refusal to start', async (t) => {
  const { url, path } = temporaryDatabase(t);
  await (await openSqliteStore(url)).close();
  assert.throws(
    () => openDatabase(url, { checked: '0:0' }),
    refusal(/another file was put in its place while it was checked: start again/),
  );
  const { writer, reader } = openDatabase(url, { checked: identityOf(path) ?? '' });
  reader.close();
  writer.close();
});

test('an empty file becomes a store', async (t) => {
  const { url, path } = temporaryDatabase(t);
  writeFileSync(path, '');
  const store = await openSqliteStore(url);
  t.after(() => store.close());
  assert.equal(await store.isInitialised(), false);
});
