import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { type ErrorCode, FluxgateError } from '../../../src/core/errors.ts';
import type { FleetTransactor } from '../../../src/core/fleet/access.ts';
import { openDatabase } from '../../../src/shell/store/database.ts';
import { createSqliteStore, openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { insertSampleFleet, sampleCluster, sampleComponent, sampleNamespace } from '../../support/fleet.ts';
import { temporaryDatabase } from './temporary.ts';

function refusal(code: ErrorCode): (error: unknown) => boolean {
  return (error) => error instanceof FluxgateError && error.code === code;
}

for (const [place, urlOf] of [
  ['in a file', (t: TestContext) => temporaryDatabase(t).url],
  ['in memory', () => 'sqlite::memory:'],
] as const) {
  describe(place, () => {
    test('a reader never sees what is not committed', async (t) => {
      const store = await openSqliteStore(urlOf(t));
      t.after(() => store.close());
      const inserted = Promise.withResolvers<void>();
      const failing = store.transact(async (tx) => {
        await tx.insert('namespace', sampleNamespace('n'));
        assert.notEqual(await tx.get('namespace', 'n'), undefined);
        inserted.resolve();
        await sleep(30);
        throw new Error('rolled back');
      });
      await inserted.promise;
      const seen = store.reader.get('namespace', 'n');
      await assert.rejects(failing, /rolled back/);
      assert.equal(await seen, undefined);
      assert.equal(await store.reader.get('namespace', 'n'), undefined);
    });

    test('writers come one after the other, in order, none between another’s steps', async (t) => {
      const store = await openSqliteStore(urlOf(t));
      t.after(() => store.close());
      const steps: string[] = [];
      const work = (name: string) => async (tx: FleetTransactor) => {
        steps.push(`${name} begins`);
        await tx.insert('namespace', sampleNamespace(name));
        await sleep(5);
        steps.push(`${name} ends`);
      };
      await Promise.all(['a', 'b', 'c'].map((name) => store.transact(work(name))));
      assert.deepEqual(steps, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    });

    test('a write that failed leaves nothing behind, even if its error is caught and the rest committed', async (t) => {
      const store = await openSqliteStore(urlOf(t));
      t.after(() => store.close());
      await store.transact(async (tx) => {
        await insertSampleFleet(tx);
        const half = sampleComponent('half', { depends_on: ['a', 'nowhere'] });
        await assert.rejects(tx.insert('platform_component', half), refusal('validation_error'));
        const west = sampleCluster('west', { namespaces: [{ id: 'web' }, { id: 'nowhere' }] });
        await assert.rejects(tx.replace('cluster', west), refusal('validation_error'));
      });
      assert.equal(await store.reader.get('platform_component', 'half'), undefined);
      assert.deepEqual((await store.reader.get('cluster', 'west'))?.namespaces, []);
      assert.equal((await store.reader.usersOf('namespace', 'web', 5)).total, 1);
    });

    test('a transactor is dead when its transaction is over', async (t) => {
      const store = await openSqliteStore(urlOf(t));
      t.after(() => store.close());
      let kept: FleetTransactor | undefined;
      await store.transact(async (tx) => {
        kept = tx;
      });
      assert.ok(kept !== undefined);
      await assert.rejects(kept.insert('namespace', sampleNamespace('n')), refusal('unavailable'));
      await assert.rejects(kept.get('namespace', 'n'), refusal('unavailable'));
      // Nor does it write into the transaction of somebody else.
      const stale = kept;
      await store.transact(() =>
        assert.rejects(stale.insert('namespace', sampleNamespace('n')), refusal('unavailable')),
      );
      assert.equal(await store.reader.get('namespace', 'n'), undefined);
    });

    test('work that never ends is rolled back, and the next writer gets its turn', async (t) => {
      const store = await openSqliteStore(urlOf(t), { workMs: 30 });
      t.after(() => store.close());
      let late: Promise<void> | undefined;
      const hanging = store.transact(async (tx) => {
        await tx.insert('namespace', sampleNamespace('n'));
        await sleep(120);
        late = tx.insert('namespace', sampleNamespace('late'));
        await late;
      });
      await assert.rejects(hanging, refusal('unavailable'));
      await store.transact((tx) => tx.insert('namespace', sampleNamespace('next')));
      await sleep(150);
      await assert.rejects(late ?? assert.fail('never tried'), refusal('unavailable'));
      const { items } = await store.reader.list('namespace', { filters: {}, limit: 9, offset: 0 });
      assert.deepEqual(
        items.map(({ id }) => id),
        ['next'],
      );
    });

    test('inside a transaction, the store itself is refused at once instead of waiting for ever', async (t) => {
      const store = await openSqliteStore(urlOf(t));
      t.after(() => store.close());
      await store.transact(async () => {
        await assert.rejects(store.reader.get('namespace', 'n'), refusal('unavailable'));
        await assert.rejects(store.transact(insertSampleFleet), /use its transactor/);
        await assert.rejects(store.ratchet([]), /use its transactor/);
      });
      await store.transact(insertSampleFleet);
    });

    test('close waits for the writers in line', async (t) => {
      const store = await openSqliteStore(urlOf(t));
      const writing = store.transact(async (tx) => {
        await sleep(20);
        await tx.insert('namespace', sampleNamespace('n'));
        return 'done';
      });
      await store.close();
      assert.equal(await writing, 'done');
    });
  });
}

test('a full disk: writes are refused, reads go on, and the store recovers when there is room', async (t) => {
  const connections = openDatabase(temporaryDatabase(t).url);
  const store = createSqliteStore(connections);
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  const pages = connections.writer.pragma('page_count', { simple: true }) as number;
  connections.writer.pragma(`max_page_count = ${pages}`);
  const large = sampleNamespace('large', { annotations: { note: 'x'.repeat(100_000) } });
  await assert.rejects(
    store.transact((tx) => tx.insert('namespace', large)),
    refusal('unavailable'),
  );
  // SQLite may have rolled back by itself: what follows in the same transaction must not commit on its own.
  const stubborn = store.transact(async (tx) => {
    await tx.insert('namespace', large).catch(() => undefined);
    await tx.insert('namespace', sampleNamespace('small')).catch(() => undefined);
    throw new Error('given up');
  });
  await assert.rejects(stubborn, /given up/);
  assert.equal(await store.reader.get('namespace', 'small'), undefined);
  assert.equal((await store.reader.clusterInputs('east.k8s.example.com', 'namespace'))?.entries.length, 2);
  connections.writer.pragma('max_page_count = 100000');
  await store.transact((tx) => tx.insert('namespace', large));
});

test('another process holds the lock: a writer waits for it without blocking, and only for so long', async (t) => {
  const { path, url } = temporaryDatabase(t);
  const store = await openSqliteStore(url, { lockWaitMs: 400 });
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  const other = new SqliteDatabase(path);
  t.after(() => other.close());
  other.exec('BEGIN IMMEDIATE');
  const waiting = store.transact((tx) => tx.insert('namespace', sampleNamespace('n')));
  await sleep(50);
  assert.notEqual(await store.reader.get('cluster', 'east'), undefined);
  other.exec('ROLLBACK');
  await waiting;
  other.exec('BEGIN IMMEDIATE');
  await assert.rejects(
    store.transact((tx) => tx.remove('namespace', 'n')),
    refusal('unavailable'),
  );
  other.exec('ROLLBACK');
  await store.transact((tx) => tx.remove('namespace', 'n'));
});

test('what is remembered of the catalogue dies with the next revision, whoever wrote it', async (t) => {
  const { url } = temporaryDatabase(t);
  const [store, other] = [await openSqliteStore(url), await openSqliteStore(url)];
  t.after(() => Promise.all([store.close(), other.close()]));
  await store.transact(insertSampleFleet);
  const labels = async (reader = store.reader) =>
    (await reader.clusterInputs('east.k8s.example.com', 'namespace'))?.entries.map((entry) => entry.labels);
  assert.deepEqual(await labels(), [{ team: 'web' }, {}]);
  for (const [team, writer] of [
    ['own', store],
    ['elsewhere', other],
  ] as const) {
    await writer.transact(async (tx) => {
      await tx.replace('namespace', sampleNamespace('web', { labels: { team } }));
      // Inside it is seen at once, outside not before the commit.
      assert.deepEqual(await labels(tx), [{ team }, {}]);
      await tx.replace('namespace', sampleNamespace('db', { labels: { team } }));
      assert.deepEqual(await labels(tx), [{ team }, { team }]);
      await tx.replace('namespace', sampleNamespace('db'));
    });
    assert.deepEqual(await labels(), [{ team }, {}]);
    assert.deepEqual(await labels(other.reader), [{ team }, {}]);
  }
  await assert.rejects(
    store.transact(async (tx) => {
      await tx.replace('namespace', sampleNamespace('web', { labels: { team: 'never' } }));
      throw new Error('rolled back');
    }),
    /rolled back/,
  );
  assert.deepEqual(await labels(), [{ team: 'elsewhere' }, {}]);
});

test('a row that is missing from the store is an error, never a shorter answer', async (t) => {
  const connections = openDatabase(temporaryDatabase(t).url);
  const store = createSqliteStore(connections);
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  connections.writer.pragma('foreign_keys = OFF');
  connections.writer.exec("DELETE FROM objects WHERE kind = 'namespace' AND id = 'db'");
  await assert.rejects(
    store.reader.clusterInputs('east.k8s.example.com', 'namespace'),
    refusal('unavailable'),
  );
  connections.writer.exec(
    "DELETE FROM refs WHERE field = (SELECT number FROM ref_fields WHERE name = 'namespaces')",
  );
  await assert.rejects(
    store.reader.clusterInputs('east.k8s.example.com', 'namespace'),
    refusal('unavailable'),
  );
});
