import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FluxgateError } from '../../../src/core/errors.ts';
import { checkObject, inspectObject } from '../../../src/core/fleet/check-object.ts';
import type { FleetKind } from '../../../src/core/fleet/objects.ts';
import { fleetSchemas, sampleCluster, sampleComponent } from '../../support/fleet.ts';

const schemas = fleetSchemas();
const component = sampleComponent('traefik');
const assigned = { platform_components: [{ id: 'a', enabled: true }] };

function problemsOf(kind: FleetKind, raw: unknown): readonly string[] {
  const checked = inspectObject(kind, schemas, raw);
  return checked.ok ? [] : checked.problems.map(({ field, problem }) => `${field} ${problem}`);
}

/** One line each: what is wrong, and how its one detail starts. */
const REFUSED: readonly (readonly [string, FleetKind, unknown, string])[] = [
  ['no object', 'cluster', [], '/ must be an object'],
  [
    'upper case in cluster_dns',
    'cluster',
    { ...sampleCluster('x'), cluster_dns: 'X.example.com' },
    '/cluster_dns must',
  ],
  [
    'trailing dot in cluster_dns',
    'cluster',
    { ...sampleCluster('x'), cluster_dns: 'x.example.' },
    '/cluster_dns must',
  ],
  // The schema's pattern takes it: only the rule knows that it is an address.
  [
    'an address as cluster_dns',
    'cluster',
    { ...sampleCluster('x'), cluster_dns: '10.0.0.1' },
    '/cluster_dns must be a canonical DNS name',
  ],
  [
    'unknown environment',
    'cluster',
    { ...sampleCluster('x'), environment: 'test' },
    '/environment must be one of dev, qa, uat, prod',
  ],
  ['unknown field', 'cluster', { ...sampleCluster('x'), colour: 'red' }, '/colour is not a known field'],
  [
    'required field null',
    'cluster',
    { ...sampleCluster('x'), cluster_name: null },
    '/cluster_name is required',
  ],
  [
    'a component twice',
    'cluster',
    {
      ...sampleCluster('x'),
      platform_components: [
        { id: 'a', enabled: true },
        { id: 'a', enabled: false },
      ],
    },
    '/platform_components/1/id must not repeat',
  ],
  [
    'a namespace twice',
    'cluster',
    { ...sampleCluster('x'), namespaces: [{ id: 'a' }, { id: 'a' }] },
    '/namespaces/1/id must not repeat',
  ],
  [
    'a rolebinding twice',
    'cluster',
    { ...sampleCluster('x'), rolebindings: [{ id: 'a' }, { id: 'b' }, { id: 'a' }] },
    '/rolebindings/2/id must not repeat',
  ],
  [
    'patches of an unassigned component',
    'cluster',
    { ...sampleCluster('x'), ...assigned, patches: { b: { k: 'v' } } },
    '/patches/b must name a component of platform_components',
  ],
  [
    'patches of a component named like an inherited key',
    'cluster',
    { ...sampleCluster('x'), ...assigned, patches: { constructor: { k: 'v' } } },
    '/patches/constructor must name',
  ],
  [
    'patch key with a space',
    'cluster',
    { ...sampleCluster('x'), ...assigned, patches: { a: { 'k k': 'v' } } },
    '/patches/a/k k has a key that must match',
  ],
  [
    'patch key __proto__',
    'cluster',
    { ...sampleCluster('x'), ...assigned, patches: { a: JSON.parse('{"__proto__":"v"}') as unknown } },
    '/patches/a/__proto__ has a key that must match',
  ],
  [
    'patch value null',
    'cluster',
    { ...sampleCluster('x'), ...assigned, patches: { a: { k: null } } },
    '/patches/a/k must be a string',
  ],
  [
    'line break in a patch',
    'cluster',
    { ...sampleCluster('x'), ...assigned, patches: { a: { k: 'v\nw' } } },
    '/patches/a/k must match',
  ],
  [
    'NUL in a name',
    'cluster',
    { ...sampleCluster('x'), cluster_name: 'a\u0000b' },
    '/cluster_name must match',
  ],
  [
    'Unicode line separator',
    'cluster',
    { ...sampleCluster('x'), vm_image: 'a\u2028b' },
    '/vm_image must match',
  ],
  [
    'half a surrogate pair',
    'rolebinding',
    { id: 'r', role: 'view', subjects: [{ kind: 'User', name: 'a\ud800' }] },
    '/subjects/0/name must match',
  ],
  [
    'a dependency twice',
    'platform_component',
    { ...component, depends_on: ['a', 'a'] },
    '/depends_on/1 must not repeat',
  ],
  [
    'a dependency on itself',
    'platform_component',
    { ...component, depends_on: ['traefik'] },
    '/depends_on/0 must not be the component itself',
  ],
  [
    'path out of the source',
    'platform_component',
    { ...component, component_path: '../../etc' },
    '/component_path must match',
  ],
  [
    'ServiceAccount without namespace',
    'rolebinding',
    { id: 'r', role: 'view', subjects: [{ kind: 'ServiceAccount', name: 'x' }] },
    '/subjects/0/namespace is required for a ServiceAccount',
  ],
  [
    'ServiceAccount with namespace null',
    'rolebinding',
    { id: 'r', role: 'view', subjects: [{ kind: 'ServiceAccount', name: 'x', namespace: null }] },
    '/subjects/0/namespace is required',
  ],
  [
    'label that is no string',
    'namespace',
    { id: 'n', labels: { version: 1 } },
    '/labels/version must be a string',
  ],
];

describe('what is not an object of the fleet is refused, naming the field', () => {
  for (const [what, kind, raw, start] of REFUSED) {
    test(what, () => {
      const problems = problemsOf(kind, raw);
      assert.ok(
        problems.some((problem) => problem.startsWith(start)),
        `${start}… in ${JSON.stringify(problems)}`,
      );
    });
  }
});

test('a refusal is a validation_error with the details', () => {
  assert.throws(
    () => checkObject('namespace', schemas, { id: 'N', x: 1 }),
    (error) =>
      error instanceof FluxgateError &&
      error.code === 'validation_error' &&
      error.details?.length === 2 &&
      /namespace is not valid/.test(error.message),
  );
});

test('details never repeat the value that was sent', () => {
  const secret = 'hunter2 hunter2';
  const problems = problemsOf('cluster', {
    ...sampleCluster('x'),
    environment: secret,
    id: secret,
    node_count: secret,
  });
  assert.equal(problems.length, 3);
  assert.ok(!JSON.stringify(problems).includes(secret));
});

test('absent and null are the same, and get their defaults', () => {
  const bare = { id: 'x', cluster_name: 'x', cluster_dns: 'x.example.com', environment: 'qa' };
  const nulls = {
    ...bare,
    node_count: null,
    vm_image: null,
    platform_components: null,
    namespaces: null,
    patches: null,
  };
  const expected =
    '{"id":"x","cluster_name":"x","cluster_dns":"x.example.com","environment":"qa","platform_components":[],' +
    '"namespaces":[],"rolebindings":[],"patches":{}}';
  assert.equal(JSON.stringify(checkObject('cluster', schemas, bare)), expected);
  assert.equal(JSON.stringify(checkObject('cluster', schemas, nulls)), expected);
  const entry = {
    ...bare,
    platform_components: [{ id: 'a', enabled: true, oci_tag: null, component_path: null }],
  };
  assert.deepEqual(checkObject('cluster', schemas, entry).platform_components, [{ id: 'a', enabled: true }]);
  const { cluster_env_enabled: _, depends_on: __, ...least } = component;
  assert.deepEqual(checkObject('platform_component', schemas, least), component);
  assert.equal(
    JSON.stringify(checkObject('namespace', schemas, { id: 'n', labels: null })),
    '{"id":"n","labels":{},"annotations":{}}',
  );
});

test('the order of keys in what was sent leaves no trace', () => {
  const one = checkObject('cluster', schemas, {
    ...sampleCluster('x', {
      platform_components: [
        { id: 'a', enabled: true },
        { id: 'b', enabled: true },
      ],
    }),
    patches: { b: { z: '1', a: '2' }, a: { k: 'v' } },
  });
  const other = checkObject('cluster', schemas, {
    patches: { a: { k: 'v' }, b: { a: '2', z: '1' } },
    platform_components: [
      { enabled: true, id: 'a' },
      { enabled: true, id: 'b' },
    ],
    environment: 'dev',
    cluster_dns: 'x.k8s.example.com',
    cluster_name: 'x',
    id: 'x',
  });
  assert.equal(JSON.stringify(one), JSON.stringify(other));
});

test('a checked object is frozen all the way down and shares nothing with what was sent', () => {
  const raw = { ...component, depends_on: ['a'] };
  const object = checkObject('platform_component', schemas, raw);
  raw.depends_on.push('b');
  assert.deepEqual(object.depends_on, ['a']);
  assert.throws(() => (object.depends_on as string[]).push('c'), TypeError);
});
