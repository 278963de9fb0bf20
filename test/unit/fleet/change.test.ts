import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { applyMergePatch, applyPut } from '../../../src/core/fleet/change.ts';
import { sampleCluster, sampleComponent } from '../../support/fleet.ts';

const current = sampleCluster('east', {
  node_count: 3,
  platform_components: [
    { id: 'a', enabled: true },
    { id: 'b', enabled: true },
  ],
  patches: { a: { k: '1' }, b: { k: '2' } },
});

test('PUT replaces each field that it names and keeps the others', () => {
  const after = applyPut('cluster', current, { node_count: 5, patches: { a: { other: 'x' } } });
  assert.deepEqual(after, { ...current, node_count: 5, patches: { a: { other: 'x' } } });
});

test('PUT with null makes a field absent', () => {
  assert.ok(!Object.hasOwn(applyPut('cluster', current, { node_count: null }), 'node_count'));
});

test('PATCH merges maps, and null removes a key', () => {
  const after = applyMergePatch('cluster', current, {
    patches: { a: { k: null, l: '9' } },
    node_count: null,
  });
  assert.deepEqual(after.patches, { a: { l: '9' }, b: { k: '2' } });
  assert.ok(!Object.hasOwn(after, 'node_count'));
});

for (const [name, apply] of [
  ['PUT', applyPut],
  ['PATCH', applyMergePatch],
] as const) {
  test(`${name}: the patches of a component that it unassigns go with it`, () => {
    const after = apply('cluster', current, { platform_components: [{ id: 'b', enabled: true }] });
    assert.deepEqual(after.patches, { b: { k: '2' } });
  });

  test(`${name}: all components unassigned, all their patches gone`, () => {
    assert.deepEqual(apply('cluster', current, { platform_components: [] }).patches, {});
    assert.deepEqual(apply('cluster', current, { platform_components: null }).patches, {});
  });

  test(`${name}: a body that names patches is taken at its word`, () => {
    const body = { platform_components: [{ id: 'b', enabled: true }], patches: { a: { k: '1' } } };
    assert.ok(Object.hasOwn(apply('cluster', current, body).patches as object, 'a'));
  });

  test(`${name}: another id than the path's is refused, the same is not`, () => {
    assert.deepEqual(apply('cluster', current, { id: 'east' }), current);
    for (const id of ['west', null, 7]) {
      assert.throws(
        () => apply('cluster', current, { id }),
        (error) =>
          error instanceof FluxgateError &&
          error.code === 'validation_error' &&
          error.details?.[0]?.field === '/id',
      );
    }
  });

  test(`${name}: a body that is no object is refused`, () => {
    for (const body of [null, [], 'x', 1, undefined]) {
      assert.throws(() => apply('cluster', current, body), FluxgateError);
    }
  });

  test(`${name}: what is there is not changed`, () => {
    const before = JSON.stringify(current);
    apply('cluster', current, { platform_components: [], cluster_name: 'other' });
    assert.equal(JSON.stringify(current), before);
  });

  test(`${name}: garbage where a list should be is left for the schema`, () => {
    for (const garbage of ['x', 3, [null, 1, 'a'], {}]) {
      assert.deepEqual(
        apply('cluster', current, { platform_components: garbage }).platform_components,
        garbage,
      );
    }
  });
}

test('kinds without patches are changed the same way', () => {
  const component = sampleComponent('a', { depends_on: ['b'] });
  assert.deepEqual(applyMergePatch('platform_component', component, { depends_on: null, oci_tag: 'v2' }), {
    id: 'a',
    component_path: 'components/a',
    component_version: '1.0.0',
    cluster_env_enabled: false,
    oci_url: 'oci://registry.example.com/components/a',
    oci_tag: 'v2',
  });
});
