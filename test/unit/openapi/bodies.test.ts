import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileSchemas } from '../../../src/core/fleet/schemas.ts';
import { DOCUMENT } from './document.ts';

const SCHEMAS = compileSchemas(DOCUMENT);

const isValid = (schema: string, value: unknown): boolean => SCHEMAS.check(schema, value).length === 0;

const CLUSTER = { id: 'a', cluster_name: 'a', cluster_dns: 'a.example', environment: 'dev' };

test('created: the minimum is enough, null is absent, what is required is required', () => {
  assert.ok(isValid('Cluster', CLUSTER));
  const optional = Object.keys(DOCUMENT.components.schemas.Cluster?.properties ?? {}).filter(
    (key) => !(key in CLUSTER),
  );
  assert.equal(optional.length, 11);
  for (const key of optional) assert.ok(isValid('Cluster', { ...CLUSTER, [key]: null }), key);
  for (const key of Object.keys(CLUSTER)) {
    assert.ok(!isValid('Cluster', { ...CLUSTER, [key]: null }), `${key}: null`);
    assert.ok(
      !isValid('Cluster', Object.fromEntries(Object.entries(CLUSTER).filter(([other]) => other !== key))),
      key,
    );
  }
  for (const key of ['_id', 'ID', 'owner', 'constructor'])
    assert.ok(!isValid('Cluster', { ...CLUSTER, [key]: 'a' }), key);
  assert.ok(
    !isValid('Cluster', JSON.parse(JSON.stringify(CLUSTER).replace('{', '{"__proto__":{},'))),
    '__proto__',
  );
  for (const body of [[], 'a', null, 7, [CLUSTER]])
    assert.ok(!isValid('Cluster', body), JSON.stringify(body));
});

test('replaced: nothing is required, and null is only for what may be absent', () => {
  assert.ok(isValid('ClusterPut', {}));
  for (const key of ['node_count', 'vm_image', 'k0s_version'])
    assert.ok(isValid('ClusterPut', { [key]: null }), key);
  for (const key of ['cluster_dns', 'platform_components', 'namespaces', 'rolebindings', 'patches']) {
    assert.ok(!isValid('ClusterPut', { [key]: null }), key);
  }
  assert.ok(!isValid('NamespacePut', { labels: null }));
  assert.ok(!isValid('PlatformComponentPut', { depends_on: null }));
});

test('patched: null removes whatever may be absent, at every depth', () => {
  for (const patch of [
    {},
    { node_count: null, platform_components: null, patches: null },
    { patches: { a: null, b: { c: null, d: 'x' } } },
  ]) {
    assert.ok(isValid('ClusterMergePatch', patch), JSON.stringify(patch));
  }
  for (const patch of [
    { id: null },
    { cluster_dns: null },
    { patches: { a: { b: 1 } } },
    { patches: { a: { 'b c': null } } },
    { namespaces: [null] },
    { owner: null },
  ]) {
    assert.ok(!isValid('ClusterMergePatch', patch), JSON.stringify(patch));
  }
  assert.ok(isValid('NamespaceMergePatch', { labels: { a: null }, annotations: null }));
  assert.ok(!isValid('RolebindingMergePatch', { subjects: null }));
});

test('a list is bounded', () => {
  const references = (length: number): unknown => ({
    namespaces: Array.from({ length }, (_, i) => ({ id: `n${i}` })),
  });
  assert.ok(isValid('ClusterPut', references(5000)));
  assert.ok(!isValid('ClusterPut', references(5001)));
});
