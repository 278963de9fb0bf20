import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { POLL_SQL } from '../../../src/shell/store/fleet-queries.ts';
import { USING_CLUSTERS_AFTER_ID } from '../../../src/shell/store/mentions.ts';
import { OUTLINE_SQL } from '../../../src/shell/store/outlines.ts';
import { createSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { insertLargeFleet } from '../../support/fleet.ts';
import { temporaryDatabase } from './temporary.ts';

test('a poll is look-ups by index only: no scan, no sorting, whatever SQLite knows of the data', async (t) => {
  const connections = openDatabase(temporaryDatabase(t).url);
  const store = createSqliteStore(connections);
  t.after(() => store.close());
  const plans = (): string[] =>
    Object.values(POLL_SQL).flatMap((sql) => {
      const rows = connections.reader
        .prepare(`EXPLAIN QUERY PLAN ${sql}`)
        .all(...(sql.match(/\?/g) ?? []).map(() => 'x'));
      return (rows as { detail: string }[]).map(({ detail }) => detail);
    });
  const expected = [
    'SEARCH objects USING INDEX objects_by_cluster_dns (cluster_dns=?)',
    'SEARCH user USING COVERING INDEX sqlite_autoindex_objects_1 (kind=? AND id=?)',
    'SEARCH refs USING PRIMARY KEY (from_number=? AND field=?)',
    'SCALAR SUBQUERY 1',
    'SEARCH ref_fields USING COVERING INDEX sqlite_autoindex_ref_fields_1 (name=?)',
    'SEARCH target USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH objects USING INDEX sqlite_autoindex_objects_1 (kind=? AND id=?)',
    'SEARCH revisions', // its newest, by the primary key
    'SEARCH ratchet USING PRIMARY KEY (cluster_dns=?)',
  ];
  assert.deepEqual(plans(), expected);
  await store.transact((tx) => insertLargeFleet(tx, 200));
  connections.writer.exec('ANALYZE');
  assert.deepEqual(plans(), expected);
});

test('lists and their filters use an index that has them in order', (t) => {
  const connections = openDatabase(temporaryDatabase(t).url);
  t.after(() => [connections.reader.close(), connections.writer.close()]);
  const plan = (where: string): string => {
    const sql = `EXPLAIN QUERY PLAN SELECT document FROM objects WHERE ${where} ORDER BY id LIMIT 10 OFFSET 10`;
    return (connections.reader.prepare(sql).all() as { detail: string }[])
      .map(({ detail }) => detail)
      .join('; ');
  };
  assert.equal(plan("kind = 'cluster'"), 'SEARCH objects USING INDEX sqlite_autoindex_objects_1 (kind=?)');
  assert.equal(
    plan("kind = 'cluster' AND environment = 'dev'"),
    'SEARCH objects USING INDEX objects_by_environment (kind=? AND environment=?)',
  );
  assert.equal(
    plan("kind = 'cluster' AND environment = 'dev' AND id > 'x'"),
    'SEARCH objects USING INDEX objects_by_environment (kind=? AND environment=? AND id>?)',
  );
  assert.equal(
    plan("kind = 'platform_component' AND component_version = '1'"),
    'SEARCH objects USING INDEX objects_by_component_version (kind=? AND component_version=?)',
  );
});

test('the fleet as a whole is read page by page in the order of an index: nothing is sorted', (t) => {
  const connections = openDatabase(temporaryDatabase(t).url);
  t.after(() => [connections.reader.close(), connections.writer.close()]);
  const users = `SELECT user.document ${USING_CLUSTERS_AFTER_ID}`;
  const plans = [...Object.values(OUTLINE_SQL), users].flatMap((sql) => {
    const rows = connections.reader
      .prepare(`EXPLAIN QUERY PLAN ${sql}`)
      .all(...(sql.match(/\?/g) ?? []).map(() => 'x'));
    return (rows as { detail: string }[]).map(({ detail }) => detail);
  });
  assert.deepEqual(plans, [
    'SEARCH objects USING INDEX sqlite_autoindex_objects_1 (kind=? AND id>?)',
    'SEARCH objects USING INDEX sqlite_autoindex_objects_1 (kind=? AND id=?)',
    'SEARCH refs USING COVERING INDEX refs_by_target (to_number=? AND from_number>?)',
    'SCALAR SUBQUERY 1',
    'SEARCH objects USING COVERING INDEX sqlite_autoindex_objects_1 (kind=? AND id=?)',
    'SEARCH user USING INTEGER PRIMARY KEY (rowid=?)',
    'SEARCH revision_changes USING COVERING INDEX revision_changes_by_revision (revision>? AND (revision,kind,id)<(?,?,?))',
    'SEARCH refs USING COVERING INDEX refs_by_target (to_number=? AND from_number>?)',
    'SCALAR SUBQUERY 1',
    'SEARCH objects USING COVERING INDEX sqlite_autoindex_objects_1 (kind=? AND id=?)',
    'SCALAR SUBQUERY 2',
    'SEARCH objects USING COVERING INDEX sqlite_autoindex_objects_1 (kind=? AND id=?)',
    'SEARCH user USING INTEGER PRIMARY KEY (rowid=?)',
  ]);
});
