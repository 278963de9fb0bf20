import assert from 'node:assert/strict';
import { existsSync, truncateSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import { createChainCheck } from '../../../src/core/audit/chain.ts';
import { createAuditTrail } from '../../../src/shell/store/audit-records.ts';
import { backUpStore } from '../../../src/shell/store/backup.ts';
import { restoreStore } from '../../../src/shell/store/restore.ts';
import type { NewRevocation } from '../../../src/shell/store/revocation-records.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { sampleEntry } from '../../support/audit.ts';
import { sampleNamespace } from '../../support/fleet.ts';
import { samplePlan } from '../../support/plans.ts';
import { pinsIn } from './pins-in.ts';
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
    (store) => store.revocations.add(revocation('early'), sampleEntry('revocation_made')),
    async (store) => {
      await store.revocations.add(revocation('late'), sampleEntry('revocation_made'));
      await store.revocations.countAttempts([{ id: 'early', attempts: 3, lastMs: 9 }]);
      await store.ratchet([{ clusterDns: 'moved.example.com', certificateSha256: 'ab', sinceMs: 1 }]);
      await store.sightings.save({ sightings: [], forgotten: [], pins: [PIN] });
      await store.crlIssuers.add(['ab12']);
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
  assert.deepEqual(pinsIn(await restored.sightings.pins()), new Map([[PIN.clusterDns, PIN.document]]));
  assert.deepEqual(
    await restored.crlIssuers.all(),
    new Set(['ab12']),
    'a CRL that was there is required still',
  );
  assert.equal(await restored.reader.get('namespace', 'late'), undefined);
});

test('a revocation that was lifted after the backup stays lifted, and one that only the backup knows stays in force', async (t) => {
  const { path, copy, reopen } = await replacedStore(
    t,
    (store) => store.revocations.add(revocation('lifted'), sampleEntry('revocation_made')),
    (store) =>
      store.revocations.lift('lifted', 7, 'operator:kim@example.com', sampleEntry('revocation_lifted')),
  );
  restoreStore(path, copy);
  const restored = await reopen();
  assert.deepEqual((await restored.revocations.get('lifted'))?.lifted, {
    atMs: 7,
    by: 'operator:kim@example.com',
  });
  await restored.revocations.add(revocation('known'), sampleEntry('revocation_made'));
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
    (store) => store.revocations.add(revocation('early'), sampleEntry('revocation_made')),
    (store) => store.revocations.add(revocation('late'), sampleEntry('revocation_made')),
  );
  truncateSync(path, 5_000);
  assert.equal(restoreStore(path, copy).carriedOver, undefined);
  assert.equal((await (await reopen()).revocations.list(all)).total, 1);
});

test('a token that was revoked after the backup stays revoked after the restore, and one made since is known', async (t) => {
  const token = (id: string): Parameters<Store['tokens']['add']>[0] => ({
    id,
    name: id,
    kind: 'reader',
    clusterDns: undefined,
    grants: undefined,
    sha256: `hash of ${id}`,
    createdMs: 1,
    createdBy: 'operator:sam@example.com',
    expiresMs: 1_000,
  });
  const { path, copy, reopen } = await replacedStore(
    t,
    async (store) => {
      await store.tokens.add(token('stolen'), sampleEntry('token_made'));
      await store.tokens.add(token('kept'), sampleEntry('token_made'));
    },
    async (store) => {
      await store.tokens.revoke('stolen', 5, 'operator:robin@example.com', sampleEntry('token_revoked'));
      await store.tokens.add(token('late'), sampleEntry('token_made'));
      await store.tokens.noteUses([{ id: 'kept', lastMs: 7, source: '192.0.2.1' }]);
    },
  );
  restoreStore(path, copy);
  const restored = await reopen();
  const { items } = await restored.tokens.list(all);
  assert.deepEqual(
    items.map(({ id, revoked, lastUse }) => [id, revoked?.by, lastUse?.lastMs]),
    [
      ['late', undefined, undefined],
      ['kept', undefined, 7],
      ['stolen', 'operator:robin@example.com', undefined],
    ],
  );
});

test('the audit trail of the replaced store goes on after the backup’s, and the restore is in it', async (t) => {
  const { path, copy, reopen } = await replacedStore(
    t,
    (store) => store.audit.append([sampleEntry('started')]),
    (store) => store.audit.append([sampleEntry('reloaded'), sampleEntry('stopped')]),
  );
  restoreStore(path, copy);
  const restored = await reopen();
  const { items } = await restored.audit.list(all);
  assert.deepEqual(
    items.map(({ sequence, event }) => `${sequence} ${event}`),
    ['4 restored', '3 stopped', '2 reloaded', '1 started'],
  );
  const chain = createChainCheck();
  const database = new SqliteDatabase(path, { readonly: true });
  t.after(() => database.close());
  for (const row of createAuditTrail(database).rows()) assert.equal(chain.check(row), undefined);
  assert.equal(chain.end.sequence, 4);
});

test('a trail that the backup is no beginning of is not mixed with the backup’s', async (t) => {
  const { path, copy } = await replacedStore(
    t,
    (store) => store.audit.append([sampleEntry('started')]),
    async () => undefined,
  );
  const other = temporaryDatabase(t);
  const elsewhere = await openSqliteStore(other.url);
  await elsewhere.audit.append([sampleEntry('stopped'), sampleEntry('stopped')]);
  await elsewhere.close();
  restoreStore(other.path, copy);
  assert.ok(existsSync(path));
  const restored = await openSqliteStore(other.url);
  t.after(() => restored.close());
  const { items } = await restored.audit.list(all);
  assert.deepEqual(
    items.map(({ sequence, event }) => `${sequence} ${event}`),
    ['2 restored', '1 started'],
  );
});

test('a restore leaves no plan behind that could be carried out a second time', async (t) => {
  const { path, copy, reopen } = await replacedStore(
    t,
    (store) => store.plans.request(samplePlan(1), sampleEntry('plan_requested')),
    async () => undefined,
  );
  restoreStore(path, copy);
  assert.equal((await (await reopen()).plans.list(2, 10, 0)).total, 0);
});
