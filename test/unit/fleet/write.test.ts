import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { UNGUARDED } from '../../../src/core/fleet/commit.ts';
import type { ObjectChange } from '../../../src/core/fleet/plan.ts';
import { createObject, deleteObject, patchObject, putObject } from '../../../src/core/fleet/write.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { fleetSchemas, insertSampleFleet, sampleCluster, sampleComponent } from '../../support/fleet.ts';

const schemas = fleetSchemas();

async function sampleStore(t: TestContext): Promise<Store> {
  const store = await openSqliteStore('sqlite::memory:');
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  return store;
}

function refusal(code: string, message: RegExp, fields: readonly string[] = []): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FluxgateError, String(error));
    assert.equal(error.code, code);
    assert.match(`${error.message} ${JSON.stringify(error.details)}`, message);
    assert.deepEqual(
      (error.details ?? []).map(({ field }) => field),
      fields,
    );
    return true;
  };
}

test('a created object is there, canonical', async (t) => {
  const store = await sampleStore(t);
  const { object: created } = await store.transact((tx) =>
    createObject('namespace', { id: 'new', labels: null }, schemas, tx),
  );
  assert.deepEqual(created, { id: 'new', labels: {}, annotations: {} });
  assert.deepEqual(await store.reader.get('namespace', 'new'), created);
});

test('an id that is taken is a conflict', async (t) => {
  const store = await sampleStore(t);
  await assert.rejects(
    store.transact((tx) => createObject('namespace', { id: 'web' }, schemas, tx)),
    refusal('conflict', /namespace "web" is already there/, ['/id']),
  );
});

test('a cluster_dns that is taken is a conflict, on creation and on change', async (t) => {
  const store = await sampleStore(t);
  const thief = sampleCluster('thief', { cluster_dns: 'east.k8s.example.com' });
  await assert.rejects(
    store.transact((tx) => createObject('cluster', thief, schemas, tx)),
    refusal('conflict', /cluster_dns is taken/, ['/cluster_dns']),
  );
  await assert.rejects(
    store.transact((tx) =>
      putObject('cluster', 'west', { cluster_dns: 'east.k8s.example.com' }, schemas, tx),
    ),
    refusal('conflict', /cluster_dns is taken/, ['/cluster_dns']),
  );
});

test('every reference to what is not there is named', async (t) => {
  const store = await sampleStore(t);
  const body = {
    platform_components: [
      { id: 'a', enabled: true },
      { id: 'zz', enabled: true },
    ],
    namespaces: [{ id: 'yy' }],
  };
  await assert.rejects(
    store.transact((tx) => patchObject('cluster', 'west', body, schemas, tx)),
    refusal('validation_error', /create it first with POST \/platform_components/, [
      '/platform_components/1/id',
      '/namespaces/0/id',
    ]),
  );
});

test('a dependency cycle is refused, naming it', async (t) => {
  const store = await sampleStore(t);
  await assert.rejects(
    store.transact((tx) => patchObject('platform_component', 'a', { depends_on: ['c'] }, schemas, tx)),
    refusal('validation_error', /dependency cycle a → c → b → a/, ['/depends_on/0']),
  );
});

test('an object in use is not deleted, and the answer names who uses it', async (t) => {
  const store = await sampleStore(t);
  await assert.rejects(
    store.transact((tx) => deleteObject('platform_component', 'a', tx)),
    refusal('in_use', /in use by 2 objects: cluster "east", platform component "b"/, [
      '/clusters/east',
      '/platform_components/b',
    ]),
  );
});

test('many users: some are named, all are counted', async (t) => {
  const store = await sampleStore(t);
  await store.transact(async (tx) => {
    for (let n = 10; n < 50; n++)
      await tx.insert('cluster', sampleCluster(`n${n}`, { namespaces: [{ id: 'db' }] }));
  });
  await assert.rejects(
    store.transact((tx) => deleteObject('namespace', 'db', tx)),
    (error) => {
      assert.ok(error instanceof FluxgateError && error.code === 'in_use');
      assert.match(error.message, /in use by 41 objects: cluster "east", cluster "n10", .* and 21 more/);
      assert.equal(error.details?.length, 20);
      return true;
    },
  );
});

test('what nobody uses is deleted and given back', async (t) => {
  const store = await sampleStore(t);
  const before = await store.reader.get('cluster', 'east');
  const { object } = await store.transact((tx) => deleteObject('cluster', 'east', tx));
  assert.deepEqual(object, before);
  assert.equal(await store.reader.get('cluster', 'east'), undefined);
  // What only that cluster used is free now.
  await store.transact((tx) => deleteObject('rolebinding', 'admins', tx));
});

test('what is not there is not found, and PUT does not create it', async (t) => {
  const store = await sampleStore(t);
  const missing = refusal('not_found', /no namespace of this id/);
  await assert.rejects(
    store.transact((tx) => putObject('namespace', 'x', { labels: {} }, schemas, tx)),
    missing,
  );
  await assert.rejects(
    store.transact((tx) => patchObject('namespace', 'x', {}, schemas, tx)),
    missing,
  );
  await assert.rejects(
    store.transact((tx) => deleteObject('namespace', 'x', tx)),
    missing,
  );
  await assert.rejects(
    store.transact((tx) => putObject('namespace', '__proto__', {}, schemas, tx)),
    missing,
  );
});

test('unassigning a component takes its patches along', async (t) => {
  const store = await sampleStore(t);
  const body = { platform_components: [{ id: 'a', enabled: true }] };
  const { object: after } = await store.transact((tx) => putObject('cluster', 'east', body, schemas, tx));
  assert.deepEqual(after.patches, {});
});

test('every change is authorised before it is written, and the review of its plan can stop it', async (t) => {
  const store = await sampleStore(t);
  const seen: ObjectChange[] = [];
  const authorise = (changes: readonly ObjectChange[]): void => {
    seen.push(...changes);
  };
  const terms = { ...UNGUARDED, authorise };
  await store.transact(async (tx) => {
    await createObject('namespace', { id: 'n' }, schemas, tx, terms);
    await patchObject('namespace', 'n', { labels: { a: 'b' } }, schemas, tx, terms);
    await deleteObject('namespace', 'n', tx, terms);
  });
  const plain = { id: 'n', labels: {}, annotations: {} };
  const labelled = { ...plain, labels: { a: 'b' } };
  assert.deepEqual(seen, [
    { kind: 'namespace', id: 'n', before: undefined, after: plain },
    { kind: 'namespace', id: 'n', before: plain, after: labelled },
    { kind: 'namespace', id: 'n', before: labelled, after: undefined },
  ]);
  const refuse = async (): Promise<never> => {
    throw new FluxgateError('forbidden', 'no');
  };
  const stop = { ...UNGUARDED, review: refuse };
  const web = await store.reader.get('namespace', 'web');
  await assert.rejects(
    store.transact((tx) => patchObject('namespace', 'web', { labels: null }, schemas, tx, stop)),
    /no/,
  );
  await assert.rejects(
    store.transact((tx) => createObject('namespace', { id: 'm' }, schemas, tx, stop)),
    /no/,
  );
  await assert.rejects(
    store.transact((tx) => deleteObject('cluster', 'west', tx, stop)),
    /no/,
  );
  assert.deepEqual(await store.reader.get('namespace', 'web'), web);
  assert.equal(await store.reader.get('namespace', 'm'), undefined);
  assert.notEqual(await store.reader.get('cluster', 'west'), undefined);
});

test('a change that gives an object the same content is a change all the same', async (t) => {
  const store = await sampleStore(t);
  const component = sampleComponent('a');
  const { object } = await store.transact((tx) =>
    putObject('platform_component', 'a', component, schemas, tx),
  );
  assert.deepEqual(object, component);
});
