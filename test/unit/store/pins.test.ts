/** What a frozen cluster is served hangs on no revision: however much of the past is cut off, it stays. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import SqliteDatabase from 'better-sqlite3';
import type { ChangeOrigin, RecordedTransactor } from '../../../src/core/fleet/history.ts';
import { deleteObject, patchObject, setClusterState } from '../../../src/core/fleet/write.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { fleetSchemas, insertSampleFleet } from '../../support/fleet.ts';
import { temporaryDatabase } from './temporary.ts';

const DNS = 'east.k8s.example.com';
const AGE_MS = LIMITS.revisionsKeptMs + 1;

test('history is cut off, and neither the pin nor what it shows goes with it', async (t) => {
  const { path, url } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  t.after(() => store.close());
  let atMs = Date.now();
  const write = (work: (tx: RecordedTransactor) => Promise<unknown>): Promise<unknown> => {
    const origin: ChangeOrigin = { author: 'test', action: 'write', atMs };
    return store.transact(work, origin);
  };
  const state = (to: 'frozen' | 'active') => write((tx) => setClusterState('east', to, tx));
  const version = (component_version: string) =>
    write((tx) => patchObject('platform_component', 'c', { component_version }, fleetSchemas(), tx));
  const pinned = async () => (await store.reader.clusterInputs(DNS, 'platform_component'))?.pinned;
  const pastPins = (): unknown => {
    const database = new SqliteDatabase(path, { readonly: true });
    try {
      return database.prepare('SELECT count(*) FROM past_pins').pluck().get();
    } finally {
      database.close();
    }
  };

  await write(insertSampleFleet);
  await state('frozen');
  const served = await pinned();
  assert.match(served ?? '', /"component_version":"1\.0\.0"/);
  await version('2.0.0');

  atMs += AGE_MS;
  await version('3.0.0');
  const { oldest, newest } = await store.history.range();
  assert.deepEqual([oldest, newest], [4, 4], 'the freeze itself is cut off');
  assert.equal(await pinned(), served);
  assert.equal((await store.history.clusterAt('east', newest))?.pinned?.platform_component, served);

  await state('active');
  assert.equal(pastPins(), 1, 'kept while a revision shows it');
  assert.equal((await store.history.clusterAt('east', newest))?.pinned?.platform_component, served);
  assert.equal((await store.history.clusterAt('east', newest + 1))?.pinned, undefined);
  atMs += AGE_MS;
  await version('4.0.0');
  assert.equal(pastPins(), 0, 'and no longer');

  await state('frozen');
  await write((tx) => deleteObject('cluster', 'east', tx));
  assert.match(
    (await store.reader.formerAnswers('east', (await store.history.range()).newest))?.platform_component ??
      '',
    /"4\.0\.0"/,
  );
  assert.equal(await store.reader.pinnedAnswers('east'), undefined);
});
