import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { boundedMemory } from '../../src/core/bounded-memory.ts';

/** What it is held against: a list, the least lately used first. */
function asList(max: number) {
  let list: [number, number][] = [];
  const without = (key: number): [number, number][] => list.filter(([known]) => known !== key);
  return {
    get(key: number): number | undefined {
      const found = list.find(([known]) => known === key);
      if (found !== undefined) list = [...without(key), found];
      return found?.[1];
    },
    set(key: number, value: number): void {
      list = [...without(key), [key, value] as [number, number]].slice(-max);
    },
    delete(key: number): void {
      list = without(key);
    },
    keys: (): readonly number[] => list.map(([key]) => key).sort((a, b) => a - b),
  };
}

const KEYS = 12;
const asked = fc.record({
  what: fc.constantFrom('get', 'peek', 'set', 'delete' as const),
  key: fc.nat({ max: KEYS - 1 }),
  value: fc.nat(),
});

test('whatever is asked of it, it has those entries that were used last, and no more than it may', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 6 }),
      fc.array(asked, { minLength: 20, maxLength: 300 }),
      (max, asks) => {
        const memory = boundedMemory<number, number>(max);
        const list = asList(max);
        for (const { what, key, value } of asks) {
          if (what === 'get') assert.equal(memory.get(key), list.get(key));
          if (what === 'peek') assert.equal(memory.peek(key) !== undefined, list.keys().includes(key));
          if (what === 'set') {
            memory.set(key, value);
            list.set(key, value);
          }
          if (what === 'delete') {
            memory.delete(key);
            list.delete(key);
          }
          const known = Array.from({ length: KEYS }, (_, one) => one).filter((one) => memory.has(one));
          assert.deepEqual(known, list.keys());
          assert.equal(memory.size, known.length);
        }
      },
    ),
  );
});

test('what was used a million times takes no more than what was used once', () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const memory = boundedMemory<number, true>(1_000);
  const useAll = (times: number): number => {
    for (let time = 0; time < times; time++) {
      for (let key = 0; key < 1_000; key++) memory.set(key, true);
      for (let key = 0; key < 1_000; key++) memory.get(key);
    }
    collect();
    return process.memoryUsage().heapUsed;
  };
  const before = useAll(10);
  // 50 MB and more, where each table that the Map has outgrown is kept.
  assert.ok(useAll(1_000) - before < 5_000_000);
  assert.equal(memory.size, 1_000);
});

test('a large memory that is full gives way a little, of what was used longest ago', () => {
  const memory = boundedMemory<number, true>(1_280);
  for (let key = 0; key < 1_280; key++) memory.set(key, true);
  memory.get(0);
  memory.set(1_280, true);
  assert.equal(memory.size, 1_261);
  assert.deepEqual(
    [memory.has(0), memory.has(20), memory.has(21), memory.has(1_280)],
    [true, false, true, true],
  );
});
