import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { InputChange, RoutePlan } from '../../../src/core/fleet/plan.ts';
import { RoutesAlike } from '../../../src/core/fleet/plan-by-catalogue.ts';
import { planChanges } from '../../../src/core/fleet/plan-changes.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import { insertSampleFleet, sampleCluster, sampleComponent } from '../../support/fleet.ts';

const CHANGED: InputChange = { id: 'c', change: 'changed', fields: [] };
const ROUTE: RoutePlan = {
  route: 'platform-components',
  inputs_before: 3,
  inputs_after: 3,
  reordered: false,
  inputs: [CHANGED],
};

test('lists of routes are held together where all that they say is equal, and only there', () => {
  const others: readonly (readonly RoutePlan[])[] = [
    [{ ...ROUTE, route: 'namespaces' }],
    [{ ...ROUTE, inputs_before: 4 }],
    [{ ...ROUTE, inputs_after: 4 }],
    [{ ...ROUTE, reordered: true }],
    [{ ...ROUTE, inputs: [] }],
    [{ ...ROUTE, inputs: [{ ...CHANGED, id: 'd' }] }],
    [{ ...ROUTE, inputs: [CHANGED, { ...CHANGED, id: 'd' }] }],
    [ROUTE, { ...ROUTE, route: 'namespaces' }],
    [],
  ];
  const alike = new RoutesAlike();
  const first = [ROUTE];
  assert.equal(alike.held(first), first);
  for (const other of others) assert.equal(alike.held(other), other);
  assert.equal(alike.held([{ ...ROUTE, inputs: [CHANGED] }]), first);
});

test('where lists differ without end, they are not kept without end', () => {
  const alike = new RoutesAlike();
  for (let n = 0; n < 1_000; n++) alike.held([{ ...ROUTE, inputs_before: n }]);
  const [late, equal] = [[{ ...ROUTE, inputs_before: 1_000 }], [{ ...ROUTE, inputs_before: 1_000 }]] as const;
  assert.equal(alike.held(late), late);
  assert.equal(alike.held(equal), equal);
});

test('clusters that a change of the catalogue changes alike hold one list in its plan', async (t) => {
  const store = await openSqliteStore('sqlite::memory:');
  t.after(() => store.close());
  await store.transact(insertSampleFleet);
  const plan = await store.transact(async (tx) => {
    for (const id of ['k1', 'k2'])
      await tx.insert('cluster', sampleCluster(id, { platform_components: [{ id: 'c', enabled: true }] }));
    const before = await tx.get('platform_component', 'c');
    const after = sampleComponent('c', { component_version: '9.9.9' });
    const change = { kind: 'platform_component', id: 'c', before, after } as const;
    return (await planChanges([change], tx, () => undefined)).plan;
  });
  const [one, other] = plan.clusters.filter(({ id }) => id.startsWith('k'));
  assert.equal(one?.routes[0]?.inputs[0]?.change, 'changed');
  assert.equal(one?.routes, other?.routes);
});
