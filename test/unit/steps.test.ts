import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { filterInSteps, finish, jsonInSteps, mapInSteps, sortInSteps } from '../../src/core/steps.ts';

const RUN = { seed: 11, numRuns: 300 } as const;

const written = (value: unknown): string => Buffer.concat(finish(jsonInSteps(value))).toString('utf8');

interface Item {
  readonly key: number;
  readonly place: number;
}

describe('work in steps', () => {
  it('sorts as Array.sort does, stably, however many runs there are', () => {
    for (const length of [0, 1, 2, 4_095, 4_096, 4_097, 8_192, 20_481]) {
      const items: Item[] = Array.from({ length }, (_, place) => ({ key: (place * 7_919) % 1_009, place }));
      const compare = (a: Item, b: Item): number => a.key - b.key;
      const before = [...items];
      assert.deepEqual(finish(sortInSteps(items, compare)), items.toSorted(compare), String(length));
      assert.deepEqual(items, before, 'a copy');
    }
  });

  it('writes JSON as JSON.stringify does', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.array(fc.jsonValue({ maxDepth: 2 })), (value, many) => {
        const long = Array.from({ length: 70 }, (_, i) => many[i % Math.max(many.length, 1)] ?? i);
        for (const one of [value, { value, many: long, absent: undefined }, long]) {
          assert.equal(written(one), JSON.stringify(one));
        }
      }),
      RUN,
    );
    const large = { names: Array.from({ length: 5_000 }, (_, i) => `ü${i}`), text: 'x'.repeat(200_000) };
    assert.equal(written(large), JSON.stringify(large));
    assert.ok(finish(jsonInSteps(large)).length > 1);
    const withHole = [...Array.from({ length: 70 }, () => 1), undefined];
    assert.equal(written(withHole), JSON.stringify(withHole));
  });

  it('yields between items, so that nobody waits for all of them', () => {
    const count = (steps: Generator<void, unknown>): number => {
      let yields = 0;
      while (steps.next().done !== true) yields++;
      return yields;
    };
    const items = Array.from({ length: 10_000 }, (_, i) => i);
    assert.equal(count(mapInSteps(items, String)), items.length);
    assert.equal(count(filterInSteps(items, () => true)), items.length);
    assert.ok(count(sortInSteps(items, (a, b) => b - a)) >= 5);
    assert.ok(count(jsonInSteps({ names: items })) >= items.length);
  });
});
