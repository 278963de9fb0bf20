import assert from 'node:assert/strict';
import { test } from 'node:test';
import { StartupError } from '../../../src/core/errors.ts';
import { resourceOf } from '../../../src/core/policy/entities.ts';
import { type Operation, readOperations } from '../../../src/core/policy/operations.ts';
import { OPERATIONS } from './shipped.ts';

const described = { operationId: 'getThing', 'x-fluxgate-audience': 'public' };

test('the table has id, method, path, audience and kind', () => {
  assert.deepEqual(OPERATIONS.get('patchNamespace'), {
    operationId: 'patchNamespace',
    method: 'PATCH',
    path: '/namespaces/{id}',
    audience: 'operator',
    kind: 'namespace',
    about: undefined,
  });
  assert.equal(OPERATIONS.get('getHealth')?.kind, undefined);
  assert.equal(OPERATIONS.get('toString'), undefined);
  assert.ok(
    Object.isFrozen(OPERATIONS) && Object.isFrozen(OPERATIONS.all) && OPERATIONS.all.every(Object.isFrozen),
  );
});

const REFUSED: readonly [string, unknown, RegExp][] = [
  [
    'no audience',
    { '/a': { get: { operationId: 'getA' } } },
    /GET \/a: x-fluxgate-audience must be one of public/,
  ],
  [
    'an unknown audience',
    { '/a': { get: { ...described, 'x-fluxgate-audience': 'internal' } } },
    /x-fluxgate-audience must be one of/,
  ],
  [
    'an id that is taken',
    { '/a': { get: described }, '/b': { put: described } },
    /PUT \/b: operationId getThing is taken by GET \/a/,
  ],
  ['no id', { '/a': { get: { 'x-fluxgate-audience': 'public' } } }, /operationId must be/],
  [
    'an unknown kind',
    { '/a': { get: { ...described, 'x-fluxgate-kind': 'secret' } } },
    /x-fluxgate-kind must be/,
  ],
  [
    'an operator route that does not say what it is about',
    { '/a': { get: { ...described, 'x-fluxgate-audience': 'operator' } } },
    /x-fluxgate-about must be one of fleet, trust/,
  ],
  [
    'a subject where there is a kind',
    {
      '/a': {
        get: {
          ...described,
          'x-fluxgate-audience': 'operator',
          'x-fluxgate-kind': 'cluster',
          'x-fluxgate-about': 'trust',
        },
      },
    },
    /x-fluxgate-about must be/,
  ],
  [
    'an unknown subject',
    { '/a': { get: { ...described, 'x-fluxgate-about': 'gateway' } } },
    /x-fluxgate-about must be/,
  ],
  ['a method that is not gated', { '/a': { trace: described } }, /TRACE \/a: must be one of GET/],
  ['an operation that is nothing', { '/a': { get: null } }, /operationId must be/],
  ['no operations', {}, /no operation/],
];

for (const [what, paths, message] of REFUSED) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => readOperations({ paths }),
      (error) => error instanceof StartupError && message.test(error.message),
    );
  });
}

test('what is no document has no operations', () => {
  for (const document of [undefined, null, 'text', 7, {}]) {
    assert.throws(() => readOperations(document), StartupError);
  }
});

test('parameters and notes of a path are no operations', () => {
  const item = { parameters: [], summary: 's', description: 'd', servers: [], 'x-note': 1, get: described };
  assert.equal(readOperations({ paths: { '/a': item } }).all.length, 1);
});

const DEV = { environment: 'dev', labels: ['team=a'] };

test('each operation asks for one resource, made of the names in its path', () => {
  const operation = (id: string): Operation => {
    const found = OPERATIONS.get(id);
    assert.ok(found);
    return found;
  };
  const fleetOf = (objectKind: string): object => ({ kind: 'fleet', objectKind, place: DEV });
  const names = { clusterDns: 'a.example.com', id: 'x', ratcheted: true, revoked: false, place: DEV };
  assert.deepEqual(resourceOf(operation('getOpenapi'), names), { kind: 'gateway' });
  assert.deepEqual(resourceOf(operation('listFluxClusters'), names), fleetOf('cluster'));
  assert.deepEqual(resourceOf(operation('listClusters'), names), fleetOf('cluster'));
  assert.deepEqual(resourceOf(operation('createNamespace'), names), fleetOf('namespace'));
  assert.deepEqual(resourceOf(operation('getRolebindingInputs'), names), {
    kind: 'cluster_inputs',
    dns: 'a.example.com',
    ratcheted: true,
    revoked: false,
    place: DEV,
  });
  assert.deepEqual(resourceOf(operation('liftRevocation'), names), { kind: 'trust' });
  assert.deepEqual(resourceOf(operation('bulkChange'), names), {
    kind: 'fleet',
    objectKind: '',
    place: { environment: '', labels: [] },
  });
  assert.deepEqual(resourceOf(operation('deletePlatformComponent'), names), {
    kind: 'object',
    objectKind: 'platform_component',
    id: 'x',
    place: DEV,
  });
  assert.throws(
    () => resourceOf(operation('getRolebindingInputs'), { clusterDns: 'a.example.com' }),
    /ratchet/,
  );
  assert.throws(
    () => resourceOf(operation('getRolebindingInputs'), { clusterDns: 'a.example.com', ratcheted: true }),
    /revoked/,
  );
  assert.throws(() => resourceOf(operation('getRolebindingInputs'), { ratcheted: true }), /cluster_dns/);
  assert.throws(() => resourceOf(operation('getCluster'), {}), /the id/);
});
