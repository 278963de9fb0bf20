import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { LIMITS } from '../../../src/core/limits.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { insertSampleFleet, sampleNamespace } from '../../support/fleet.ts';
import { temporaryDatabase } from './temporary.ts';

/** Two processes on one file: what is remembered by the first must not outlive what the second commits. */
async function openTwice(t: TestContext): Promise<readonly [Store, Store]> {
  const { url } = temporaryDatabase(t);
  const [one, other] = [await openSqliteStore(url), await openSqliteStore(url)] as const;
  t.after(() => Promise.all([one.close(), other.close()]));
  await one.transact(insertSampleFleet);
  return [one, other];
}

test('what is looked at again is the same object, until a revision comes', async (t) => {
  const [store] = await openTwice(t);
  const first = await store.reader.get('namespace', 'web');
  assert.ok(first);
  assert.equal(await store.reader.get('namespace', 'web'), first);
  await store.transact((tx) => tx.insert('namespace', sampleNamespace('another')));
  const again = await store.reader.get('namespace', 'web');
  assert.notEqual(again, first);
  assert.deepEqual(again, first);
});

test('what another process changed, removed or made is there at the next look', async (t) => {
  const [store, other] = await openTwice(t);
  const labels = async (): Promise<unknown> => (await store.reader.get('namespace', 'web'))?.labels;
  await labels();
  await other.transact((tx) =>
    tx.replace('namespace', sampleNamespace('web', { labels: { team: 'other' } })),
  );
  assert.deepEqual(await labels(), { team: 'other' });
  await other.transact((tx) => tx.insert('namespace', sampleNamespace('new')));
  await store.reader.get('namespace', 'new');
  await other.transact((tx) => tx.remove('namespace', 'new'));
  assert.equal(await store.reader.get('namespace', 'new'), undefined);
  await other.transact((tx) => tx.insert('namespace', sampleNamespace('new')));
  assert.equal((await store.reader.get('namespace', 'new'))?.id, 'new');
});

test('one of a kind is not taken for one of another of the same id', async (t) => {
  const [store] = await openTwice(t);
  await store.transact((tx) => tx.insert('namespace', sampleNamespace('east')));
  const cluster = await store.reader.get('cluster', 'east');
  const namespace = await store.reader.get('namespace', 'east');
  assert.ok(cluster !== undefined && 'cluster_dns' in cluster);
  assert.ok(namespace !== undefined && !('cluster_dns' in namespace));
});

test('no more is kept than there is room for, and what was looked at last stays', async (t) => {
  const [store] = await openTwice(t);
  const size = LIMITS.lookedAtCharacters / 8;
  const ids = Array.from({ length: 12 }, (_, n) => `large-${n}`);
  await store.transact(async (tx) => {
    for (const id of ids)
      await tx.insert('namespace', sampleNamespace(id, { annotations: { text: 'x'.repeat(size) } }));
  });
  const first = new Map<string, unknown>();
  for (const id of ids) first.set(id, await store.reader.get('namespace', id));
  const kept = [];
  for (const id of ids.toReversed())
    if ((await store.reader.get('namespace', id)) === first.get(id)) kept.push(id);
  assert.ok(kept.length > 0 && kept.length <= 8, `${kept.length} are kept`);
  assert.equal(kept[0], ids.at(-1));
});
