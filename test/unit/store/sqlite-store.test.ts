import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import type { ErrorCode } from '../../../src/core/errors.ts';
import { FluxgateError } from '../../../src/core/errors.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { insertSampleFleet, sampleCluster, sampleComponent, sampleNamespace } from '../../support/fleet.ts';
import { temporaryDatabase } from './temporary.ts';

const EVERYTHING = { filters: {}, limit: 100, offset: 0 };

function refusal(code: ErrorCode): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FluxgateError, String(error));
    assert.equal(error.code, code);
    // SQLite's words are for the log: an answer has none of them.
    assert.doesNotMatch(
      `${error.message} ${JSON.stringify(error.details)}`,
      /sqlite|constraint|insert into|objects\.|refs/i,
    );
    return true;
  };
}

for (const [place, urlOf] of [
  ['in a file', (t: TestContext) => temporaryDatabase(t).url],
  ['in memory', () => 'sqlite::memory:'],
] as const) {
  describe(place, () => {
    const open = async (t: TestContext): Promise<Store> => {
      const store = await openSqliteStore(urlOf(t));
      t.after(() => store.close());
      return store;
    };
    const openSample = async (t: TestContext): Promise<Store> => {
      const store = await open(t);
      await store.transact(insertSampleFleet);
      return store;
    };

    test('inputs come in the order of the cluster’s document', async (t) => {
      const store = await openSample(t);
      const inputs = await store.reader.clusterInputs('east.k8s.example.com', 'platform_component');
      assert.equal(inputs?.cluster.id, 'east');
      assert.deepEqual(
        inputs?.entries.map(({ id }) => id),
        ['c', 'a'],
      );
      const namespaces = await store.reader.clusterInputs('east.k8s.example.com', 'namespace');
      assert.deepEqual(
        namespaces?.entries.map(({ id }) => id),
        ['web', 'db'],
      );
      assert.deepEqual(
        (await store.reader.clusterInputs('west.k8s.example.com', 'rolebinding'))?.entries,
        [],
      );
    });

    test('a cluster that is not there is not an empty one', async (t) => {
      const store = await openSample(t);
      for (const dns of ['', 'east', 'EAST.k8s.example.com', 'east.k8s.example.com.']) {
        assert.equal(await store.reader.clusterInputs(dns, 'namespace'), undefined);
      }
    });

    test('what is handed out is frozen: a reader cannot change what another gets', async (t) => {
      const store = await openSample(t);
      const inputs = await store.reader.clusterInputs('east.k8s.example.com', 'platform_component');
      assert.throws(() => Object.assign(inputs?.cluster ?? {}, { cluster_dns: 'x' }), TypeError);
      assert.throws(() => Object.assign(inputs?.entries[0] ?? {}, { id: 'x' }), TypeError);
      const page = await store.reader.list('namespace', EVERYTHING);
      assert.throws(() => Object.assign(page.items[0]?.labels ?? {}, { x: 'y' }), TypeError);
    });

    test('lists: ordered by id, filtered, cut, counted in full', async (t) => {
      const store = await openSample(t);
      await store.transact(async (tx) => {
        for (const id of ['b10', 'b2', 'a-1', 'a1'])
          await tx.insert('cluster', sampleCluster(id, { environment: 'qa' }));
      });
      const ids = async (query: Partial<typeof EVERYTHING>): Promise<[string[], number]> => {
        const page = await store.reader.list('cluster', { ...EVERYTHING, ...query });
        return [page.items.map(({ id }) => id), page.total];
      };
      assert.deepEqual(await ids({}), [['a-1', 'a1', 'b10', 'b2', 'east', 'west'], 6]);
      assert.deepEqual(await ids({ limit: 2, offset: 1 }), [['a1', 'b10'], 6]);
      assert.deepEqual(await ids({ offset: 6 }), [[], 6]);
      assert.deepEqual(await ids({ filters: { environment: 'qa' }, limit: 3 }), [['a-1', 'a1', 'b10'], 4]);
      assert.deepEqual(await ids({ filters: { environment: 'qa', cluster_dns: 'b2.k8s.example.com' } }), [
        ['b2'],
        1,
      ]);
      assert.deepEqual(await ids({ filters: { environment: "qa' OR 1=1 --" } }), [[], 0]);
      const components = await store.reader.list('platform_component', {
        ...EVERYTHING,
        filters: { component_version: '1.0.0' },
      });
      assert.equal(components.total, 3);
    });

    test('read to their end: what a list has, page after page, whichever filters', async (t) => {
      const store = await openSample(t);
      await store.transact(async (tx) => {
        for (const id of ['b10', 'b2', 'a-1', 'a1'])
          await tx.insert('cluster', sampleCluster(id, { environment: 'qa', labels: { ring: id } }));
      });
      for (const filters of [
        {},
        { environment: 'qa' },
        { label: 'ring=b2' },
        { environment: 'uat' },
      ] as Record<string, string>[]) {
        const { items } = await store.reader.list('cluster', { ...EVERYTHING, filters });
        for (const limit of [1, 2, 3, 100]) {
          const read: unknown[] = [];
          for (let after = ''; ; ) {
            const page = await store.reader.following('cluster', { filters, after, limit });
            read.push(...page);
            assert.ok(read.length <= items.length, 'nothing comes twice');
            const last = page.at(-1);
            if (last === undefined) break;
            after = last.id;
          }
          assert.deepEqual(read, items);
        }
      }
    });

    test('a filter that the kind does not declare is an error, not ignored', async (t) => {
      const store = await openSample(t);
      await assert.rejects(
        store.reader.list('namespace', { ...EVERYTHING, filters: { environment: 'qa' } }),
        refusal('unavailable'),
      );
    });

    test('users of an object: each once, in the order of their making, bounded and counted', async (t) => {
      const store = await openSample(t);
      assert.deepEqual(await store.reader.usersOf('platform_component', 'a', 10), {
        items: [
          { kind: 'platform_component', id: 'b' },
          { kind: 'cluster', id: 'east' },
        ],
        total: 2,
      });
      assert.deepEqual((await store.reader.usersOf('platform_component', 'a', 1)).items.length, 1);
      assert.deepEqual(await store.reader.usersOf('cluster', 'east', 10), { items: [], total: 0 });
    });

    test('an id is taken once for each kind', async (t) => {
      const store = await openSample(t);
      await store.transact((tx) => tx.insert('namespace', sampleNamespace('a')));
      await assert.rejects(
        store.transact((tx) => tx.insert('namespace', sampleNamespace('web'))),
        refusal('conflict'),
      );
    });

    test('a cluster_dns is taken once', async (t) => {
      const store = await openSample(t);
      const double = sampleCluster('double', { cluster_dns: 'east.k8s.example.com' });
      await assert.rejects(
        store.transact((tx) => tx.insert('cluster', double)),
        refusal('conflict'),
      );
      await assert.rejects(
        store.transact((tx) => tx.replace('cluster', { ...double, id: 'west' })),
        refusal('conflict'),
      );
    });

    test('a dangling reference is refused, the removal of what is referred to likewise', async (t) => {
      const store = await openSample(t);
      const dangling = sampleComponent('d', { depends_on: ['nowhere'] });
      await assert.rejects(
        store.transact((tx) => tx.insert('platform_component', dangling)),
        refusal('validation_error'),
      );
      await assert.rejects(
        store.transact((tx) => tx.remove('namespace', 'web')),
        refusal('in_use'),
      );
      await assert.rejects(
        store.transact((tx) => tx.remove('namespace', 'nothing')),
        refusal('not_found'),
      );
      await assert.rejects(
        store.transact((tx) => tx.replace('namespace', sampleNamespace('nothing'))),
        refusal('not_found'),
      );
    });

    test('replaced: old references are gone, new ones hold', async (t) => {
      const store = await openSample(t);
      await store.transact((tx) =>
        tx.replace('cluster', sampleCluster('east', { namespaces: [{ id: 'db' }] })),
      );
      await store.transact((tx) => tx.remove('namespace', 'web'));
      await assert.rejects(
        store.transact((tx) => tx.remove('namespace', 'db')),
        refusal('in_use'),
      );
      const inputs = await store.reader.clusterInputs('east.k8s.example.com', 'namespace');
      assert.deepEqual(
        inputs?.entries.map(({ id }) => id),
        ['db'],
      );
    });

    test('replaced: a list that is as long as it was may mention others, or the same in another order', async (t) => {
      const store = await openSample(t);
      const assigning = (...ids: string[]) =>
        sampleCluster('east', { platform_components: ids.map((id) => ({ id, enabled: true })) });
      for (const ids of [['c', 'a'], ['b', 'a'], ['a', 'b'], ['a', 'b', 'c'], ['c', 'b', 'a'], ['b']]) {
        await store.transact((tx) => tx.replace('cluster', assigning(...ids)));
        const inputs = await store.reader.clusterInputs('east.k8s.example.com', 'platform_component');
        assert.deepEqual(
          inputs?.entries.map(({ id }) => id),
          ids,
        );
        for (const id of ['a', 'b', 'c']) {
          const users = await store.reader.clustersUsing('platform_component', id, '', 10);
          assert.deepEqual(
            users.map((user) => user.id),
            ids.includes(id) ? ['east'] : [],
          );
        }
      }
    });

    test('a cluster that changes its cluster_dns is found by the new one only', async (t) => {
      const store = await openSample(t);
      await store.transact((tx) =>
        tx.replace('cluster', sampleCluster('west', { cluster_dns: 'new.k8s.example.com' })),
      );
      assert.equal(await store.reader.clusterInputs('west.k8s.example.com', 'namespace'), undefined);
      assert.equal(
        (await store.reader.clusterInputs('new.k8s.example.com', 'namespace'))?.cluster.id,
        'west',
      );
    });

    test('seeded once: a store that was emptied stays empty', async (t) => {
      const store = await open(t);
      assert.equal(await store.isInitialised(), false);
      assert.equal(await store.initialise(insertSampleFleet), true);
      assert.equal(await store.isInitialised(), true);
      await store.transact(async (tx) => {
        for (const id of ['east', 'west']) await tx.remove('cluster', id);
      });
      assert.equal(await store.initialise(() => assert.fail('loaded again')), false);
    });

    test('a seed that fails leaves the store as it was: not initialised', async (t) => {
      const store = await open(t);
      const failing = store.initialise(async (tx) => {
        await insertSampleFleet(tx);
        throw new Error('half way');
      });
      await assert.rejects(failing, /half way/);
      assert.equal(await store.isInitialised(), false);
      assert.equal((await store.reader.list('cluster', EVERYTHING)).total, 0);
    });

    test('the first write ever initialises; a transaction that only reads, or rolls back, does not', async (t) => {
      const store = await open(t);
      await store.transact(async (tx) => void (await tx.get('cluster', 'x')));
      await store.ratchet([{ clusterDns: 'x', certificateSha256: '00', sinceMs: 1 }]);
      const failing = store.transact(async (tx) => {
        await tx.insert('namespace', sampleNamespace('n'));
        throw new Error('no');
      });
      await assert.rejects(failing, /no/);
      assert.equal(await store.isInitialised(), false);
      await store.transact((tx) => tx.insert('namespace', sampleNamespace('n')));
      assert.equal(await store.initialise(insertSampleFleet), false);
    });

    test('an empty seed initialises too', async (t) => {
      const store = await open(t);
      assert.equal(await store.initialise(async () => {}), true);
      assert.equal(await store.isInitialised(), true);
    });

    test('the ratchet turns once, for good, and outlives its cluster', async (t) => {
      const store = await openSample(t);
      assert.equal(await store.reader.isRatcheted('west.k8s.example.com'), false);
      const entry = { clusterDns: 'west.k8s.example.com', certificateSha256: 'aa', sinceMs: 1 };
      await store.ratchet([entry, { ...entry, clusterDns: 'x' }]);
      await store.ratchet([{ ...entry, certificateSha256: 'bb', sinceMs: 2 }]);
      await store.transact((tx) => tx.remove('cluster', 'west'));
      assert.equal(await store.reader.isRatcheted('west.k8s.example.com'), true);
      assert.equal(await store.reader.isRatcheted('east.k8s.example.com'), false);
    });

    test('ready while open, unavailable when closed', async (t) => {
      const store = await openSqliteStore(urlOf(t));
      await store.check();
      await store.close();
      await store.close();
      await assert.rejects(store.check(), refusal('unavailable'));
      await assert.rejects(store.reader.get('cluster', 'x'), refusal('unavailable'));
      await assert.rejects(store.transact(insertSampleFleet), refusal('unavailable'));
    });
  });
}
