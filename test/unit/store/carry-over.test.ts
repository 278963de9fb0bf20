import assert from 'node:assert/strict';
import { truncateSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import { backUpStore } from '../../../src/shell/store/backup.ts';
import { restoreStore } from '../../../src/shell/store/restore.ts';
import type { NewRevocation } from '../../../src/shell/store/revocation-records.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { sampleNamespace } from '../../support/fleet.ts';
import { temporaryDatabase } from './temporary.ts';

const revocation = (id: string): NewRevocation => ({
  id,
  target: { kind: 'cluster_dns', dns: `${id}.example.com` },
  reason: 'stolen',
  untilMs: undefined,
  createdMs: 1,
  createdBy: 'operator:sam@example.com',
});
const PIN = { clusterDns: 'east.example.com', document: '{"key":"new"}' };

/** A store that was backed up between `before` and `after`, closed. */
async function replacedStore(
  t: TestContext,
  before: (store: Store) => Promise<unknown>,
  after: (store: Store) => Promise<unknown>,
): Promise<{ readonly path: string; readonly copy: string; reopen(): Promise<Store> }> {
  const { path, url } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  await before(store);
  backUpStore(path, `${path}.copy`);
  await after(store);
  await store.close();
  return {
    path,
    copy: `${path}.copy`,
    reopen: async () => {
      const restored = await openSqliteStore(url);
      t.after(() => restored.close());
      return restored;
    },
  };
}

const all = { limit: 100, offset: 0 };

test('a revocation that was made after the backup is in force after the restore; the fleet is the backup’s', async (t) => {
  const { path, copy, reopen } = await replacedStore(
    t,
    (store) => store.revocations.add(revocation('early')),
    async (store) => {
      await store.revocations.add(revocation('late'));
      await store.revocations.countAttempts([{ id: 'early', attempts: 3, lastMs: 9 }]);
      await store.ratchet([{ clusterDns: 'moved.example.com', certificateSha256: 'ab', sinceMs: 1 }]);
      await store.sightings.save({ sightings: [], pins: [PIN] });
      await store.transact((tx) => tx.insert('namespace', sampleNamespace('late')));
    },
  );
  assert.deepEqual(restoreStore(path, copy).carriedOver, { revocations: 1, ratchets: 1 });
  const restored = await reopen();
  const { items } = await restored.revocations.list(all);
  assert.deepEqual(
    items.map(({ id, attempts }) => [id, attempts]),
    [
      ['late', 0],
      ['early', 3],
    ],
  );
  assert.equal(await restored.reader.isRatcheted('moved.example.com'), true);
  assert.deepEqual((await restored.sightings.load()).pins, [PIN]);
  assert.equal(await restored.reader.get('namespace', 'late'), undefined);
});

test('a revocation that was lifted after the backup stays lifted, and one that only the backup knows stays in force', async (t) => {
  const { path, copy, reopen } = await replacedStore(
    t,
    (store) => store.revocations.add(revocation('lifted')),
    (store) => store.revocations.lift('lifted', 7, 'operator:kim@example.com'),
  );
  restoreStore(path, copy);
  const restored = await reopen();
  assert.deepEqual((await restored.revocations.get('lifted'))?.lifted, {
    atMs: 7,
    by: 'operator:kim@example.com',
  });
  await restored.revocations.add(revocation('known'));
  await restored.close();
  const other = temporaryDatabase(t);
  await (await openSqliteStore(other.url)).close();
  backUpStore(path, `${path}.second`);
  restoreStore(other.path, `${path}.second`);
  const elsewhere = await openSqliteStore(other.url);
  t.after(() => elsewhere.close());
  assert.equal((await elsewhere.revocations.get('known'))?.lifted, undefined);
});

test('where the store that is replaced is damaged, nothing is carried over, and that is said', async (t) => {
  const { path, copy, reopen } = await replacedStore(
    t,
    (store) => store.revocations.add(revocation('early')),
    (store) => store.revocations.add(revocation('late')),
  );
  truncateSync(path, 5_000);
  assert.equal(restoreStore(path, copy).carriedOver, undefined);
  assert.equal((await (await reopen()).revocations.list(all)).total, 1);
});
