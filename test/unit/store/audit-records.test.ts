import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { auditVerify } from '../../../src/cli/audit-trail.ts';
import { CommandFailed } from '../../../src/cli/context.ts';
import type { AuditQuery } from '../../../src/core/audit/trail.ts';
import { createAuditQueries } from '../../../src/shell/store/audit-records.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { sampleEntry, sampleRequest } from '../../support/audit.ts';
import { sampleCluster, sampleNamespace } from '../../support/fleet.ts';
import { temporaryDatabase } from './temporary.ts';

const ALL: AuditQuery = { limit: 100, offset: 0 };
const origin = {
  author: 'operator:sam@example.com',
  action: 'write',
  atMs: 1_000,
  request: sampleRequest(),
} as const;

async function opened(t: TestContext): Promise<{ path: string; store: Store }> {
  const { path, url } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  t.after(() => store.close().catch(() => undefined));
  return { path, store };
}

/** What the command says: that the trail is whole, or what is wrong with it. */
async function verified(path: string): Promise<string> {
  const lines: string[] = [];
  const context = {
    environment: {},
    workingDirectory: '.',
    logDestination: { write: () => undefined },
    print: (line: string) => void lines.push(line),
  };
  try {
    await auditVerify(context, { database: `sqlite://${path}` });
    return lines[0] ?? '';
  } catch (error) {
    if (error instanceof CommandFailed) return error.message;
    throw error;
  }
}

test('a change of the fleet and its entry are one commit: who, from where, by which right, what before and after', async (t) => {
  const { store } = await opened(t);
  await store.transact((tx) => tx.insert('cluster', sampleCluster('east')), { ...origin, reason: 'new' });
  await store.transact((tx) => tx.replace('cluster', sampleCluster('east', { node_count: 9 })), origin);
  const { items, total } = await store.audit.list(ALL);
  assert.equal(total, 2);
  const { sequence, hash, details, ...rest } = items[1] ?? {};
  assert.equal(sequence, 1);
  assert.match(hash ?? '', /^[0-9a-f]{64}$/);
  assert.deepEqual(rest, {
    at: '1970-01-01T00:00:01.000Z',
    event: 'fleet_changed',
    ...sampleRequest(),
    object: 'cluster/east',
    reason: 'new',
  });
  assert.equal((details as { revision: number }).revision, 1);
  const [last] = items;
  assert.ok(last);
  assert.deepEqual((last.details as { changes: object[] }).changes, [
    { kind: 'cluster', id: 'east', change: 'replaced', fields: [{ field: '/node_count', after: 9 }] },
  ]);
});

test('what was rolled back, and what changed nothing, is in no entry', async (t) => {
  const { store } = await opened(t);
  await assert.rejects(
    store.transact(async (tx) => {
      await tx.insert('namespace', sampleNamespace('n'));
      throw new Error('no');
    }, origin),
  );
  await store.transact(async () => undefined, origin);
  assert.equal((await store.audit.list(ALL)).total, 0);
  assert.equal((await store.audit.end()).sequence, 0);
});

test('an entry that cannot be written takes its change with it', async (t) => {
  const { path, store } = await opened(t);
  const tampered = new SqliteDatabase(path);
  tampered.exec("CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT raise(ABORT, 'full'); END");
  tampered.close();
  await assert.rejects(store.transact((tx) => tx.insert('namespace', sampleNamespace('n')), origin));
  assert.equal(await store.reader.get('namespace', 'n'), undefined);
  const revocation = {
    id: 'rev-1',
    target: { kind: 'cluster_dns', dns: 'a.example.com' },
    reason: 'stolen',
    untilMs: undefined,
    createdMs: 1,
    createdBy: 'x',
  } as const;
  await assert.rejects(store.revocations.add(revocation, sampleEntry('revocation_made')));
  assert.equal((await store.revocations.list({ limit: 1, offset: 0 })).total, 0);
});

test('no statement changes or removes a row', async (t) => {
  const { path, store } = await opened(t);
  await store.audit.append([sampleEntry(), sampleEntry('stopped')]);
  const database = new SqliteDatabase(path);
  t.after(() => database.close());
  assert.throws(() => database.exec("UPDATE audit SET hash = ''"), /append-only/);
  assert.throws(() => database.exec('DELETE FROM audit'), /append-only/);
});

test('any single byte that is changed in the file’s rows is found, and the row is named', async (t) => {
  const { path, store } = await opened(t);
  await store.transact((tx) => tx.insert('namespace', sampleNamespace('n')), origin);
  await store.audit.append([sampleEntry('denied', { ...sampleRequest(), count: 3 }), sampleEntry('stopped')]);
  await store.close();
  assert.match(await verified(path), /^the audit trail is whole: 3 rows/);
  const database = new SqliteDatabase(path);
  t.after(() => database.close());
  // As somebody would who edits the file itself: neither triggers, nor indexes, nor constraints are asked.
  const inTheWay = database
    .prepare<[], string>(
      "SELECT type || ' ' || name FROM sqlite_schema WHERE tbl_name = 'audit' AND type IN ('trigger', 'index')",
    )
    .pluck();
  for (const name of inTheWay.all()) database.exec(`DROP ${name}`);
  for (const column of ['at', 'event', 'principal', 'object', 'operation', 'request_id']) {
    database.exec(`ALTER TABLE audit DROP COLUMN ${column}`);
  }
  database.pragma('ignore_check_constraints = ON');
  const rows = database
    .prepare<[], { sequence: number; document: string; hash: string }>(
      'SELECT sequence, document, hash FROM audit',
    )
    .all();
  let changes = 0;
  for (const { sequence, ...texts } of rows) {
    for (const column of ['document', 'hash'] as const) {
      const set = database.prepare(`UPDATE audit SET ${column} = CAST(? AS TEXT) WHERE sequence = ?`);
      const bytes = Buffer.from(texts[column], 'utf8');
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed.writeUInt8(changed.readUInt8(at) ^ 1, at);
        set.run(changed, sequence);
        assert.match(await verified(path), new RegExp(`NOT whole: row ${sequence} is not what was written`));
        changes++;
      }
      set.run(bytes, sequence);
    }
  }
  assert.ok(changes > 500, `${changes}`);
  assert.match(await verified(path), /is whole/, 'put back byte by byte');
});

test('rows cut off the end are missed, and what is written after them does not hide it', async (t) => {
  const { path, store } = await opened(t);
  await store.audit.append([sampleEntry(), sampleEntry('reloaded'), sampleEntry('stopped')]);
  const database = new SqliteDatabase(path);
  t.after(() => database.close());
  database.exec('DROP TRIGGER audit_never_deleted; DELETE FROM audit WHERE sequence > 1');
  assert.match(await verified(path), /NOT whole: rows 2 to 3 are missing at the end/);
  await store.audit.append([sampleEntry('started')]);
  assert.match(await verified(path), /NOT whole: rows 2 to 3 are missing/);
});

test('entries are found by what they say, newest first, page by page', async (t) => {
  const { store } = await opened(t);
  await store.audit.append([
    sampleEntry('started', { at: '2026-11-21T00:00:00.000Z' }),
    sampleEntry('denied', {
      at: '2026-11-21T01:00:00.000Z',
      ...sampleRequest('operator:a'),
      object: 'cluster/x',
    }),
    sampleEntry('denied', { at: '2026-11-21T02:00:00.000Z', ...sampleRequest('operator:b') }),
  ]);
  const found = async (query: Partial<AuditQuery>): Promise<number[]> =>
    (await store.audit.list({ ...ALL, ...query })).items.map(({ sequence }) => sequence);
  assert.deepEqual(await found({}), [3, 2, 1]);
  assert.deepEqual(await found({ event: 'denied' }), [3, 2]);
  assert.deepEqual(await found({ principal: 'operator:a' }), [2]);
  assert.deepEqual(await found({ object: 'cluster/x' }), [2]);
  assert.deepEqual(await found({ operation: 'createRevocation', since: '2026-11-21T02:00:00.000Z' }), [3]);
  assert.deepEqual(await found({ until: '2026-11-21T00:30:00.000Z' }), [1]);
  assert.deepEqual(await found({ request_id: 'elsewhere' }), []);
  assert.deepEqual(await found({ limit: 1, offset: 1 }), [2]);
  assert.equal((await store.audit.list({ event: 'denied', limit: 1, offset: 0 })).total, 2);
});

test('a change of many is found by each object while its revision is kept, and by those its row names for ever', async (t) => {
  const { path, store } = await opened(t);
  const ids = Array.from({ length: 60 }, (_, number) => `many-${String(number).padStart(2, '0')}`);
  await store.transact(async (tx) => {
    for (const id of ids) await tx.insert('namespace', sampleNamespace(id));
  }, origin);
  const found = async (id: string): Promise<number> =>
    (await store.audit.list({ ...ALL, object: `namespace/${id}` })).total;
  assert.deepEqual([await found('many-00'), await found('many-59')], [1, 1]);
  assert.deepEqual([await found('many-0'), await found('many-60')], [0, 0]);

  const database = new SqliteDatabase(path);
  t.after(() => database.close());
  // As after a restore: the number was given out again, for something else at another time.
  database.exec('UPDATE revisions SET at_ms = at_ms + 1');
  assert.deepEqual([await found('many-00'), await found('many-59')], [1, 0]);
  database.exec('PRAGMA foreign_keys = ON; DELETE FROM revisions');
  assert.deepEqual([await found('many-00'), await found('many-59')], [1, 0]);
});

test('a long trail is gone through so many rows at a time, and every page is what all of it says', async (t) => {
  const { path, store } = await opened(t);
  const entries = Array.from({ length: 700 }, (_, n) =>
    sampleEntry(n % 3 === 0 ? 'stopped' : 'started', { object: `cluster/c${n % 5}` }),
  );
  await store.audit.append(entries);
  const all = (await store.audit.list({ limit: 1_000, offset: 0 })).items;
  assert.deepEqual(
    all.map(({ sequence }) => sequence),
    entries.map((_, n) => 700 - n),
  );
  for (const asked of [{}, { event: 'stopped' }, { object: 'cluster/c2' }, { request_id: 'none' }] as const) {
    const right = all.filter((record) =>
      Object.entries(asked).every(([name, value]) => record[name as 'event'] === value),
    );
    for (const [limit, offset] of [
      [1, 0],
      [100, 0],
      [100, 90],
      [7, 233],
      [50, 700],
    ] as const) {
      const page = await store.audit.list({ ...asked, limit, offset });
      assert.deepEqual(page, { items: right.slice(offset, offset + limit), total: right.length });
    }
  }
  const database = new SqliteDatabase(path, { readonly: true });
  t.after(() => database.close());
  const search = createAuditQueries(database).search({});
  assert.deepEqual(
    [search.next()?.length, search.next()?.length, search.next()?.length, search.next()],
    [250, 250, 200, undefined],
  );
});
