import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { findCycle, insertionOrder, type NamedObject } from '../../../src/core/fleet/dependencies.ts';
import type { FleetKind, FleetObjects, PlatformComponent } from '../../../src/core/fleet/objects.ts';
import { sampleCluster, sampleComponent } from '../../support/fleet.ts';

function reader(components: readonly PlatformComponent[]): {
  get<K extends FleetKind>(kind: K, id: string): Promise<FleetObjects[K] | undefined>;
} {
  const byId = new Map(components.map((component) => [component.id, component]));
  return { get: async (_kind, id) => byId.get(id) as never };
}

/** `{ a: ['b'] }` is: a depends on b. */
function graph(edges: Readonly<Record<string, readonly string[]>>): PlatformComponent[] {
  return Object.entries(edges).map(([id, depends_on]) => sampleComponent(id, { depends_on }));
}

function named(components: readonly PlatformComponent[]): NamedObject[] {
  return components.map((object) => ({ kind: 'platform_component', object }));
}

test('a cycle is named from the written object and back to it', async () => {
  const there = graph({ b: ['x', 'c'], c: ['d', 'a'], d: [], x: ['d'], a: [] });
  const a = sampleComponent('a', { depends_on: ['d', 'b'] });
  assert.deepEqual(await findCycle('platform_component', a, reader(there)), ['a', 'b', 'c', 'a']);
});

test('a diamond is no cycle', async () => {
  const there = graph({ b: ['d'], c: ['d'], d: [] });
  const a = sampleComponent('a', { depends_on: ['b', 'c'] });
  assert.equal(await findCycle('platform_component', a, reader(there)), undefined);
});

test('what the store holds under the written id does not count', async () => {
  const there = graph({ a: ['b'], b: [] });
  const b = sampleComponent('b', { depends_on: ['c'] });
  assert.equal(await findCycle('platform_component', b, reader([...there, ...graph({ c: [] })])), undefined);
});

test('kinds that do not refer to themselves are not walked', async () => {
  const never = { get: () => assert.fail('read') };
  const cluster = sampleCluster('x', { platform_components: [{ id: 'a', enabled: true }] });
  assert.equal(await findCycle('cluster', cluster, never), undefined);
});

test('a chain as long as a catalogue is walked without exhausting the stack', async () => {
  const chain = Object.fromEntries(
    Array.from({ length: 5_000 }, (_, i) => [`n${i}`, i === 0 ? [] : [`n${i - 1}`]]),
  );
  const components = graph(chain);
  const top = sampleComponent('top', { depends_on: ['n4999'] });
  assert.equal(await findCycle('platform_component', top, reader(components)), undefined);
  assert.equal(insertionOrder(named(components).reverse()).ordered.length, 5_000);
});

test('a walk is bounded', async () => {
  const endless = {
    get: async (_kind: FleetKind, id: string) => sampleComponent(id, { depends_on: [`${id}x`] }) as never,
  };
  const start = sampleComponent('a', { depends_on: ['b'] });
  await assert.rejects(findCycle('platform_component', start, endless), /more than 10000/);
});

const edges = fc
  .integer({ min: 1, max: 12 })
  .chain((size) =>
    fc.array(fc.tuple(fc.nat(size - 1), fc.nat(size - 1)), { maxLength: 24 }).map((list) => ({ size, list })),
  );

function components(size: number, list: readonly (readonly [number, number])[]): PlatformComponent[] {
  return Array.from({ length: size }, (_, i) =>
    sampleComponent(`c${i}`, {
      depends_on: [...new Set(list.filter(([from]) => from === i).map(([, to]) => `c${to}`))],
    }),
  );
}

test('without cycles, every object comes once and after all that it refers to', () => {
  fc.assert(
    fc.property(edges, ({ size, list }) => {
      // From higher to lower only: such a graph has no cycle.
      const all = components(
        size,
        list.filter(([from, to]) => from > to),
      );
      const { ordered, cycles } = insertionOrder(named(all).reverse());
      assert.deepEqual(cycles, []);
      const ids = ordered.map(({ object }) => object.id);
      assert.deepEqual([...ids].sort(), all.map(({ id }) => id).sort());
      for (const { id, depends_on } of all) {
        for (const target of depends_on)
          assert.ok(ids.indexOf(target) < ids.indexOf(id), `${target} before ${id}`);
      }
    }),
    { seed: 1, numRuns: 300 },
  );
});

test('a cycle is reported if and only if there is one, and each report is true', () => {
  fc.assert(
    fc.property(edges, ({ size, list }) => {
      const all = components(size, list);
      const byId = new Map(all.map((component) => [component.id, component.depends_on]));
      const reaches = (from: string, to: string, seen = new Set<string>()): boolean =>
        (byId.get(from) ?? []).some(
          (next) => next === to || (!seen.has(next) && reaches(next, to, seen.add(next))),
        );
      const circular = all.some(({ id }) => reaches(id, id));
      const { ordered, cycles } = insertionOrder(named(all));
      assert.equal(cycles.length > 0, circular);
      for (const { path } of cycles) {
        assert.equal(path[0], path.at(-1));
        for (const [i, id] of path.entries()) if (i > 0) assert.ok(byId.get(path[i - 1] ?? '')?.includes(id));
      }
      for (const { object } of ordered) assert.ok(!reaches(object.id, object.id));
    }),
    { seed: 2, numRuns: 300 },
  );
});
