import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { UNGUARDED } from '../../../src/core/fleet/commit.ts';
import { createObject, deleteObject, patchObject, putObject } from '../../../src/core/fleet/write.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import {
  fleetSchemas,
  sampleCluster,
  sampleComponent,
  sampleNamespace,
  sampleRolebinding,
} from '../../support/fleet.ts';

const schemas = fleetSchemas();
const on = (id: string) => ({ id, enabled: true });
const off = (id: string) => ({ id, enabled: false });

/** Component a; b, which depends on a; cluster x with both, y with a only. Namespaces n0 to n104. */
async function store(t: TestContext): Promise<Store> {
  const opened = await openSqliteStore('sqlite::memory:');
  t.after(() => opened.close());
  await opened.transact(async (tx) => {
    await tx.insert('platform_component', sampleComponent('a'));
    await tx.insert('platform_component', sampleComponent('b', { depends_on: ['a'] }));
    await tx.insert('platform_component', sampleComponent('c'));
    for (let n = 0; n < 105; n++) await tx.insert('namespace', sampleNamespace(`n${n}`));
    await tx.insert('cluster', sampleCluster('x', { platform_components: [on('a'), on('b')] }));
    await tx.insert('cluster', sampleCluster('y', { platform_components: [on('a')] }));
  });
  return opened;
}

function refused(message: RegExp, ...fields: readonly string[]): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof FluxgateError, String(error));
    assert.equal(error.code, 'validation_error');
    assert.match(`${error.message} ${JSON.stringify(error.details)}`, message);
    assert.deepEqual(
      (error.details ?? []).map(({ field }) => field),
      fields,
    );
    return true;
  };
}

const namespaces = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `n${n}` }));

test('a component is not enabled without its dependency, nor over a disabled one', async (t) => {
  const { transact } = await store(t);
  const put = (id: string, components: object) =>
    transact((tx) => putObject('cluster', id, { platform_components: components }, schemas, tx));
  await assert.rejects(
    put('y', [on('b')]),
    refused(/"b\W+ is enabled and depends on \W+a/, '/platform_components/0'),
  );
  await assert.rejects(put('y', [off('a'), on('b')]), refused(/is disabled/, '/platform_components/1'));
  await put('y', [on('a'), on('b')]);
  await put('y', [off('b')]);
});

test('a dependency is not disabled under its dependants', async (t) => {
  const { transact } = await store(t);
  const body = { platform_components: [off('a'), on('b')] };
  await assert.rejects(
    transact((tx) => putObject('cluster', 'x', body, schemas, tx)),
    refused(/\W+b\W+ is enabled and depends on \W+a\W+, which is disabled/, '/platform_components/1'),
  );
});

test('a dependency that the catalogue gains is refused for the clusters that lack it, which are named', async (t) => {
  const { transact } = await store(t);
  await assert.rejects(
    transact((tx) => patchObject('platform_component', 'a', { depends_on: ['c'] }, schemas, tx)),
    refused(
      /\(2 problems\): "x", "y"/,
      '/clusters/x/platform_components/0',
      '/clusters/y/platform_components/0',
    ),
  );
});

test('a URL that the catalogue gains is refused for the clusters whose own tag is none of its kind, which are named', async (t) => {
  const { transact } = await store(t);
  const from = 'https://charts.example.com';
  await transact((tx) =>
    tx.insert('platform_component', sampleComponent('chart', { oci_url: from, oci_tag: '1.0.0' })),
  );
  await transact((tx) =>
    tx.insert(
      'cluster',
      sampleCluster('z', { platform_components: [{ ...on('chart'), oci_tag: '1.0.0+1' }] }),
    ),
  );
  const oci_url = 'oci://registry.example.com/chart';
  await assert.rejects(
    transact((tx) => patchObject('platform_component', 'chart', { oci_url }, schemas, tx)),
    refused(/\(1 problems\): "z"/, '/clusters/z/platform_components/0/oci_tag'),
  );
});

test('what was so before a write is no fault of it', async (t) => {
  const opened = await store(t);
  await opened.transact((tx) =>
    tx.insert('cluster', sampleCluster('old', { platform_components: [on('b')] })),
  );
  await opened.transact((tx) => patchObject('cluster', 'old', { node_count: 3 }, schemas, tx));
});

test('the 101st namespace is refused, unless the cluster says that its Flux reads more', async (t) => {
  const { transact } = await store(t);
  const put = (body: object) => transact((tx) => putObject('cluster', 'x', body, schemas, tx));
  const { plan } = await put({ namespaces: namespaces(100) });
  assert.deepEqual(plan.warnings, [
    { cluster: 'x', route: 'namespaces', measure: 'inputs', value: 100, limit: 100 },
  ]);
  await assert.rejects(put({ namespaces: namespaces(101) }), refused(/has 101 entries/, '/namespaces'));
  await put({ namespaces: namespaces(101), filter_limit: 200 });
  await assert.rejects(put({ filter_limit: null }), refused(/reads the first 100/, '/namespaces'));
  assert.equal((await put({ namespaces: namespaces(79), filter_limit: null })).plan.warnings.length, 0);
});

test('800 KiB rendered is the most, also when it is the catalogue that grows', async (t) => {
  const opened = await store(t);
  // Two of them are nearly all that Kubernetes lets one object have.
  const huge = (count: number) => ({
    annotations: Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, 'x'.repeat(125_000)])),
  });
  const grow = (id: string, count: number) =>
    opened.transact((tx) => patchObject('namespace', id, huge(count), schemas, tx));
  await opened.transact((tx) => putObject('cluster', 'x', { namespaces: namespaces(4) }, schemas, tx));
  await grow('n0', 2);
  await grow('n1', 2);
  assert.equal((await grow('n2', 1)).plan.warnings.length, 0);
  const { plan } = await grow('n2', 2);
  assert.deepEqual(
    plan.warnings.map(({ cluster, measure }) => `${cluster} ${measure}`),
    ['x bytes'],
  );
  await assert.rejects(
    grow('n3', 1),
    refused(/would be answered with 8\d{5} bytes/, '/clusters/x/namespaces'),
  );
});

test('detaching takes an object out of its users, with what hangs on it, in one plan', async (t) => {
  const opened = await store(t);
  await opened.transact(async (tx) => {
    const refs = { patches: { a: { k: 'v' } }, secret_refs: { a: { s: { name: 'n', key: 'k' } } } };
    await tx.insert('cluster', sampleCluster('z', { platform_components: [on('a'), on('c')], ...refs }));
  });
  const { plan } = await opened.transact((tx) =>
    deleteObject('platform_component', 'a', tx, UNGUARDED, true),
  );
  assert.deepEqual(
    plan.clusters.map(({ id }) => id),
    ['x', 'y', 'z'],
  );
  const z = await opened.reader.get('cluster', 'z');
  assert.deepEqual(z, sampleCluster('z', { platform_components: [on('c')] }));
  assert.deepEqual((await opened.reader.get('platform_component', 'b'))?.depends_on, []);
  assert.equal(await opened.reader.get('platform_component', 'a'), undefined);
});

test('a created cluster is held to the same rules', async (t) => {
  const { transact } = await store(t);
  const body = sampleCluster('new', { platform_components: [on('b')] });
  await assert.rejects(
    transact((tx) => createObject('cluster', body, schemas, tx)),
    refused(/depends on/, '/platform_components/0'),
  );
  await transact((tx) => createObject('rolebinding', sampleRolebinding('r'), schemas, tx));
});
