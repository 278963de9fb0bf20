import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { StartupError } from '../../../src/core/errors.ts';
import { FLEET_KINDS } from '../../../src/core/fleet/registry.ts';
import { backUpStore } from '../../../src/shell/store/backup.ts';
import { FLEET } from '../../../src/shell/store/migrations/0001-fleet.ts';
import { NUMBERED_OBJECTS } from '../../../src/shell/store/migrations/0011-numbered-objects.ts';
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION } from '../../../src/shell/store/migrations/migrate.ts';
import { restoreStore } from '../../../src/shell/store/restore.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { insertSampleFleet, sampleCluster, sampleComponent, sampleNamespace } from '../../support/fleet.ts';
import { temporaryDatabase, temporaryDirectory } from './temporary.ts';

/** Every object, as text. */
async function contents(store: Store): Promise<string> {
  const lists = FLEET_KINDS.map((kind) => store.reader.list(kind, { filters: {}, limit: 10_000, offset: 0 }));
  return JSON.stringify(await Promise.all(lists));
}

async function contentsOf(url: string): Promise<string> {
  const store = await openSqliteStore(url);
  try {
    return await contents(store);
  } finally {
    await store.close();
  }
}

async function filledStore(t: TestContext): Promise<{ path: string; url: string; store: Store }> {
  const { path, url } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  t.after(() => store.close().catch(() => undefined));
  await store.transact(insertSampleFleet);
  return { path, url, store };
}

const refusal = (text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof StartupError, String(error));
  assert.match(error.message, text);
  return true;
};

test('a backup of a live store is of one moment, is the owner’s only, and restores to the same fleet', async (t) => {
  const { path, url, store } = await filledStore(t);
  const copy = join(temporaryDirectory(t), 'fleet.backup');
  let writing = true;
  // A pair in each transaction: a backup that is not of one moment has half of one.
  const writer = (async () => {
    for (let n = 0; writing; n++) {
      await store.transact(async (tx) => {
        await tx.insert('namespace', sampleNamespace(`one-${n}`));
        await new Promise((resolve) => setImmediate(resolve));
        await tx.insert('namespace', sampleNamespace(`two-${n}`));
      });
    }
  })();
  await new Promise((resolve) => setTimeout(resolve, 30));
  const { bytes, revision } = backUpStore(path, copy);
  writing = false;
  await writer;
  assert.equal(statSync(copy).mode & 0o777, 0o600);
  assert.ok(bytes > 0 && revision > 1);
  const expected = await contents(store);
  await store.close();

  const { aside } = restoreStore(path, copy);
  assert.ok(aside !== undefined && existsSync(aside));
  const restored = await openSqliteStore(url);
  t.after(() => restored.close());
  assert.equal((await restored.history.range()).newest, revision);
  const { items } = await restored.reader.list('namespace', { filters: {}, limit: 10_000, offset: 0 });
  const numbers = (prefix: string) => items.filter(({ id }) => id.startsWith(prefix)).length;
  assert.equal(numbers('one-'), numbers('two-'));
  assert.equal(await contentsOf(`sqlite://${aside}`), expected, 'what was there before is kept, whole');
});

test('a backup that nothing was written after restores to exactly what was there', async (t) => {
  const { path, url, store } = await filledStore(t);
  const copy = `${path}.backup`;
  backUpStore(path, copy);
  const before = await contents(store);
  await store.transact((tx) => tx.insert('cluster', sampleCluster('late')));
  await store.close();
  restoreStore(path, copy);
  assert.equal(await contentsOf(url), before);
});

test('a backup overwrites nothing, and takes only stores of ours', async (t) => {
  const { path } = await filledStore(t);
  const directory = temporaryDirectory(t);
  const taken = join(directory, 'taken');
  writeFileSync(taken, 'precious');
  assert.throws(() => backUpStore(path, taken), refusal(/is there already/));
  assert.equal(readFileSync(taken, 'utf8'), 'precious');
  assert.throws(() => backUpStore(join(directory, 'nothing.db'), join(directory, 'x')), StartupError);
  const theirs = join(directory, 'theirs.db');
  new SqliteDatabase(theirs).exec('CREATE TABLE notes (text TEXT)').close();
  assert.throws(() => backUpStore(theirs, join(directory, 'x')), refusal(/not a store of Fluxgate/));
  assert.deepEqual(readdirSync(directory).sort(), ['taken', 'theirs.db']);
});

test('a store in use is not restored over, and nothing changes', async (t) => {
  const { path, store } = await filledStore(t);
  const copy = `${path}.backup`;
  backUpStore(path, copy);
  const before = await contents(store);
  assert.throws(() => restoreStore(path, copy), refusal(/is in use: stop the gateway first/));
  assert.equal(await contents(store), before);
  await store.transact((tx) => tx.insert('namespace', sampleNamespace('still-writable')));
  assert.deepEqual(
    readdirSync(join(path, '..')).filter((name) => /restoring|replaced/.test(name)),
    [],
  );
});

test('what is damaged, foreign, newer or live is not restored, and nothing changes', async (t) => {
  const { path, url, store } = await filledStore(t);
  const copy = `${path}.backup`;
  backUpStore(path, copy);
  const before = await contents(store);
  await store.close();
  const bad = `${path}.bad`;
  const bytes = readFileSync(copy);
  writeFileSync(bad, Buffer.from(bytes).fill(0xa5, 4_096 + 100, bytes.length));
  assert.throws(() => restoreStore(path, bad), refusal(/cannot be restored .*nothing was changed/));
  assert.throws(
    () => restoreStore('/nowhere/fleet.db', bad),
    refusal(/^there is no directory \/nowhere for the store: .*nothing was changed/),
  );
  writeFileSync(bad, 'no database at all, but long enough to be looked at as one'.repeat(20));
  assert.throws(() => restoreStore(path, bad), refusal(/not a database.*nothing was changed/));
  writeFileSync(bad, '');
  assert.throws(() => restoreStore(path, bad), refusal(/not a store of Fluxgate/));
  writeFileSync(bad, bytes);
  new SqliteDatabase(bad).exec('PRAGMA user_version = 99').close();
  assert.throws(() => restoreStore(path, bad), refusal(/newer Fluxgate/));
  writeFileSync(`${bad}-wal`, 'x');
  assert.throws(() => restoreStore(path, bad), refusal(/live store/));
  assert.equal(await contentsOf(url), before);
});

test('a damaged store says how to restore, and that does it', async (t) => {
  const { path, url, store } = await filledStore(t);
  const copy = `${path}.backup`;
  const before = await contents(store);
  backUpStore(path, copy);
  await store.close();
  writeFileSync(path, Buffer.from(readFileSync(path)).fill(0xa5, 100));
  await assert.rejects(
    openSqliteStore(url),
    refusal(/npm run -s fluxgate -- restore --database sqlite:\/\/\S+ --from FILE/),
  );
  restoreStore(path, copy);
  assert.equal(await contentsOf(url), before);
});

/** As the first version of Fluxgate wrote it. */
function makeVersionOne(path: string): void {
  const database = new SqliteDatabase(path);
  database.pragma('journal_mode = WAL');
  database.exec(FLEET);
  database.pragma(`application_id = ${APPLICATION_ID}`);
  database.pragma('user_version = 1');
  const insert = database.prepare('INSERT INTO objects (kind, id, document) VALUES (?, ?, ?)');
  for (const id of ['east', 'west']) insert.run('cluster', id, JSON.stringify(sampleCluster(id)));
  database.exec("INSERT INTO meta (name, value) VALUES ('initialised', 'yes')");
  database.close();
}

test('a store of version 1 is upgraded at the start, with a backup of it made first', async (t) => {
  const { path, url } = temporaryDatabase(t);
  makeVersionOne(path);
  const store = await openSqliteStore(url);
  t.after(() => store.close());
  assert.equal((await store.reader.list('cluster', { filters: {}, limit: 9, offset: 0 })).total, 2);
  assert.equal((await store.history.revision(1))?.action, 'upgrade');
  assert.deepEqual(await store.history.objectAt('cluster', 'east', 1), sampleCluster('east'));
  const backup = new SqliteDatabase(`${path}.schema-1.backup`, { readonly: true });
  t.after(() => backup.close());
  assert.equal(backup.pragma('user_version', { simple: true }), 1);
  assert.equal(backup.prepare('SELECT count(*) FROM objects').pluck().get(), 2);
  assert.equal(
    backup.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'revisions'").pluck().get(),
    0,
  );
  assert.equal(statSync(`${path}.schema-1.backup`).mode & 0o777, 0o600);
});

test('an upgrade that fails leaves the store as it was', async (t) => {
  const { path, url } = temporaryDatabase(t);
  makeVersionOne(path);
  // The last statement of the upgrade meets a table that it did not make.
  new SqliteDatabase(path).exec('CREATE TABLE answers (x TEXT)').close();
  await assert.rejects(openSqliteStore(url), StartupError);
  const database = new SqliteDatabase(path, { readonly: true });
  t.after(() => database.close());
  assert.equal(database.pragma('user_version', { simple: true }), 1);
  assert.equal(
    database.prepare("SELECT count(*) FROM sqlite_schema WHERE name = 'revisions'").pluck().get(),
    0,
  );
});

test('the backup from before an upgrade can be restored, is upgraded again, and stays what it was', async (t) => {
  const { path, url } = temporaryDatabase(t);
  makeVersionOne(path);
  const before = await contentsOf(url);
  restoreStore(path, `${path}.schema-1.backup`);
  assert.equal(await contentsOf(url), before);
  const backup = new SqliteDatabase(`${path}.schema-1.backup`, { readonly: true });
  t.after(() => backup.close());
  assert.equal(backup.pragma('user_version', { simple: true }), 1);
  assert.ok(SCHEMA_VERSION > 1);
});

test('a store of each older version is backed up and restored', async (t) => {
  for (let version = 1; version < SCHEMA_VERSION; version++) {
    const { path } = temporaryDatabase(t);
    const database = new SqliteDatabase(path);
    for (const sql of MIGRATIONS.slice(0, version)) database.exec(sql);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${version}`);
    database.close();
    const copy = `${path}.copy`;
    assert.deepEqual({ ...backUpStore(path, copy), bytes: 0 }, { version, revision: 0, bytes: 0 });
    assert.ok(restoreStore(path, copy).carriedOver !== undefined, `version ${version}`);
    const store = await openSqliteStore(`sqlite://${path}`);
    await store.close();
  }
});

/** As the version before objects had numbers wrote it: references by name. */
function makeNamed(path: string): void {
  const database = new SqliteDatabase(path);
  const version = MIGRATIONS.indexOf(NUMBERED_OBJECTS);
  for (const sql of MIGRATIONS.slice(0, version)) database.exec(sql);
  database.pragma(`application_id = ${APPLICATION_ID}`);
  database.pragma(`user_version = ${version}`);
  const object = database.prepare('INSERT INTO objects (kind, id, document) VALUES (?, ?, ?)');
  const mention = database.prepare('INSERT INTO refs VALUES (?, ?, ?, ?, ?, ?)');
  // Clusters first, and neither they nor what they assign by their names.
  const clusters = ['west', 'east'].map((id, n) =>
    sampleCluster(id, {
      platform_components: [{ id: 'b', enabled: true }, ...(n === 0 ? [] : [{ id: 'a', enabled: false }])],
      namespaces: [{ id: 'web' }],
    }),
  );
  for (const cluster of clusters) object.run('cluster', cluster.id, JSON.stringify(cluster));
  for (const component of [sampleComponent('b', { depends_on: ['a'] }), sampleComponent('a')])
    object.run('platform_component', component.id, JSON.stringify(component));
  object.run('namespace', 'web', JSON.stringify(sampleNamespace('web')));
  for (const { id, platform_components: components } of clusters) {
    for (const [position, { id: of }] of components.entries())
      mention.run('cluster', id, 'platform_components', position, 'platform_component', of);
    mention.run('cluster', id, 'namespaces', 0, 'namespace', 'web');
  }
  mention.run('platform_component', 'b', 'depends_on', 0, 'platform_component', 'a');
  database.exec("INSERT INTO meta (name, value) VALUES ('initialised', 'yes')");
  database.close();
}

test('references by name become references by number: the same answers, the same users, nothing dangling', async (t) => {
  const { path, url } = temporaryDatabase(t);
  makeNamed(path);
  const store = await openSqliteStore(url);
  t.after(() => store.close());
  const { reader } = store;
  const ids = (objects: readonly { readonly id: string }[] | undefined) => objects?.map(({ id }) => id);
  const inputs = await reader.clusterInputs('east.k8s.example.com', 'platform_component');
  assert.deepEqual(ids(inputs?.entries), ['b', 'a']);
  assert.deepEqual(ids((await reader.clusterInputs('west.k8s.example.com', 'namespace'))?.entries), ['web']);
  assert.deepEqual(ids(await reader.clustersUsing('platform_component', 'b', '', 9)), ['east', 'west']);
  assert.deepEqual(ids((await reader.usersOf('platform_component', 'a', 9)).items), ['east', 'b']);
  const inUse = { code: 'in_use' };
  await assert.rejects(
    store.transact((tx) => tx.remove('namespace', 'web')),
    inUse,
  );
  await store.transact((tx) => tx.remove('cluster', 'west'));
  await store.transact((tx) => tx.replace('cluster', sampleCluster('east')));
  await store.transact((tx) => tx.remove('namespace', 'web'));
  await store.transact((tx) =>
    tx.insert('cluster', sampleCluster('north', { cluster_dns: 'west.k8s.example.com' })),
  );
  await assert.rejects(
    store.transact((tx) => tx.remove('platform_component', 'a')),
    inUse,
  );
  const database = new SqliteDatabase(path, { readonly: true });
  t.after(() => database.close());
  assert.deepEqual(database.pragma('foreign_key_check'), []);
  assert.equal(database.pragma('integrity_check', { simple: true }), 'ok');
});

test('a store with a reference to what is not there is not upgraded: it stays as it was', async (t) => {
  const { path, url } = temporaryDatabase(t);
  makeNamed(path);
  const tampered = new SqliteDatabase(path);
  tampered.pragma('foreign_keys = OFF');
  tampered.exec("DELETE FROM objects WHERE kind = 'namespace'");
  tampered.close();
  await assert.rejects(openSqliteStore(url), StartupError);
  const database = new SqliteDatabase(path, { readonly: true });
  t.after(() => database.close());
  assert.equal(database.pragma('user_version', { simple: true }), MIGRATIONS.indexOf(NUMBERED_OBJECTS));
  assert.equal(database.prepare('SELECT count(*) FROM refs').pluck().get(), 6);
});
