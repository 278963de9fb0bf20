import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { UNGUARDED } from '../../../src/core/fleet/commit.ts';
import type { RecordedTransactor } from '../../../src/core/fleet/history.ts';
import { createPlanMemory } from '../../../src/core/fleet/plan-memory.ts';
import { type ObjectTerms, patchObject, setClusterState } from '../../../src/core/fleet/write.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { fleetSchemas, insertSampleFleet, sampleCluster } from '../../support/fleet.ts';

const VERSION = { component_version: '2.0.0' };

interface Bench {
  readonly store: Store;
  /** Patches component c with all that is remembered, and says how often clusters were looked for. */
  patch(terms?: Partial<ObjectTerms>, body?: object): ReturnType<typeof patched>;
  /** What is to be called later, and was not called off. */
  readonly later: Set<() => void>;
}

async function patched(store: Store, terms: ObjectTerms, body: object) {
  let looks = 0;
  const written = await store.transact((tx) => {
    const counted: RecordedTransactor = {
      ...tx,
      clustersUsing: (...given) => {
        looks++;
        return tx.clustersUsing(...given);
      },
    };
    return patchObject('platform_component', 'c', body, fleetSchemas(), counted, terms);
  });
  return { ...written, looks };
}

async function bench(t: TestContext): Promise<Bench> {
  const store = await openSqliteStore('sqlite::memory:');
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  const later = new Set<() => void>();
  const memory = createPlanMemory((forget) => {
    later.add(forget);
    return () => later.delete(forget);
  });
  return {
    store,
    later,
    patch: (terms = {}, body = VERSION) =>
      patched(store, { ...UNGUARDED, dryRun: true, memory, ...terms }, body),
  };
}

const newcomer = sampleCluster('north', { platform_components: [{ id: 'c', enabled: true }] });

test('a plan that was shown is not made again for the write that confirms it, nor for its next page', async (t) => {
  const { store, patch } = await bench(t);
  const shown = await patch();
  assert.equal(shown.looks, 1);
  assert.equal((await patch()).looks, 0);
  const confirmed = await patch({ dryRun: false, pruneGuard: true, confirmPlan: shown.plan.hash });
  assert.equal(confirmed.looks, 0);
  assert.ok(confirmed.carriedOut);
  assert.equal((await store.reader.get('platform_component', 'c'))?.component_version, '2.0.0');
});

test('after any other revision it is made again, and the confirmation of the one before does not fit', async (t) => {
  const { store, patch } = await bench(t);
  const shown = await patch();
  await store.transact((tx) => tx.insert('cluster', newcomer));
  await assert.rejects(patch({ dryRun: false, confirmPlan: shown.plan.hash }), { code: 'prune_guard' });
  const anew = await patch();
  assert.deepEqual(
    anew.plan.clusters.map(({ id }) => id),
    ['east', 'north'],
  );
  await store.transact((tx) => setClusterState('north', 'frozen', tx));
  assert.deepEqual(
    (await patch()).plan.clusters.map(({ id }) => id),
    ['east'],
  );
});

test('other changes are planned, and take the place of those before', async (t) => {
  const { patch } = await bench(t);
  const shown = await patch();
  const other = await patch({}, { component_version: '3.0.0' });
  assert.equal(other.looks, 1);
  assert.notEqual(other.plan.hash, shown.plan.hash);
  assert.equal((await patch()).looks, 1);
});

test('what was carried out is no plan any more, and what nobody came back for is forgotten', async (t) => {
  const { patch, later } = await bench(t);
  await patch({ dryRun: false });
  const back = { component_version: '1.0.0' };
  assert.equal((await patch({}, back)).looks, 1);
  assert.equal((await patch({}, back)).looks, 0);
  for (const forget of later) forget();
  assert.equal((await patch({}, back)).looks, 1);
});

test('a plan that another takes the place of is let go at once, and its time is not the time of the other', async (t) => {
  const { patch, later } = await bench(t);
  let before: (() => void) | undefined;
  for (const component_version of ['2.0.0', '3.0.0', '4.0.0']) {
    await patch({}, { component_version });
    assert.equal(later.size, 1, 'timers that hold a plan');
    assert.ok(before === undefined || !later.has(before));
    [before] = later;
  }
});

test('whatever waits to forget a plan that is not remembered any more does not hold it', async (t) => {
  setFlagsFromString('--expose-gc');
  const { store } = await bench(t);
  const timers: (() => void)[] = [];
  const memory = createPlanMemory((forget) => {
    timers.push(forget);
    return () => timers.splice(timers.indexOf(forget), 1);
  });
  const plans: WeakRef<object>[] = [];
  for (const component_version of ['2.0.0', '3.0.0', '4.0.0']) {
    const { plan } = await patched(store, { ...UNGUARDED, dryRun: true, memory }, { component_version });
    plans.push(new WeakRef(plan));
  }
  // A reference that was looked at holds until the end of the turn.
  await new Promise((resolve) => setImmediate(resolve));
  (runInNewContext('gc') as () => void)();
  assert.deepEqual(
    plans.map((plan) => plan.deref() !== undefined),
    [false, false, true],
  );
});

test('a plan that goes by what no revision tells is not kept: a name that came to be served meanwhile', async (t) => {
  const { store } = await bench(t);
  const memory = createPlanMemory(() => () => {});
  const rename = () =>
    store.transact((tx) =>
      patchObject('cluster', 'west', { cluster_dns: 'new.k8s.example.com' }, fleetSchemas(), tx, {
        ...UNGUARDED,
        dryRun: true,
        memory,
      }),
    );
  assert.equal((await rename()).plan.clusters[0]?.revived, undefined);
  await store.ratchet([{ clusterDns: 'new.k8s.example.com', certificateSha256: 'a'.repeat(64), sinceMs: 1 }]);
  assert.equal((await rename()).plan.clusters[0]?.revived, true);
});

test('what a rule refuses is refused each time', async (t) => {
  const { patch } = await bench(t);
  const cycle = { oci_tag: 'v2', depends_on: ['b', 'a'] };
  await assert.rejects(patch({}, cycle), { code: 'validation_error' });
  await assert.rejects(patch({}, cycle), { code: 'validation_error' });
});
