import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { longestSilent } from '../../../src/core/liveness/longest-silent.ts';

type Heard = readonly [name: string, lastMs: number];

it('names those that were heard of longest ago, that one first, and no more than there are', () => {
  const heard: readonly Heard[] = [
    ['lately', 90],
    ['longest ago', 7],
    ['some time ago', 30],
  ];
  assert.deepEqual(longestSilent(heard, 2), ['longest ago', 'some time ago']);
  assert.deepEqual(longestSilent(heard, 9), ['longest ago', 'some time ago', 'lately']);
  assert.deepEqual(longestSilent(new Map(heard).entries(), 1), ['longest ago'], 'of what can be walked once');
  assert.deepEqual(longestSilent(heard, 0), []);
});

const named = (times: readonly number[]): readonly Heard[] => times.map((ms, n) => [`c${n}`, ms]);

/** Those of the same time in the order in which they come. */
const bySorting = (heard: readonly Heard[], count: number): readonly string[] =>
  heard
    .toSorted(([, a], [, b]) => a - b)
    .slice(0, count)
    .map(([name]) => name);

it('are those that sorting all of them would name, in the same order', () => {
  fc.assert(
    fc.property(
      // Few times, so that many were heard of at the same one.
      fc.array(
        fc.oneof(fc.integer({ min: 0, max: 9 }), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true })),
      ),
      fc.integer({ min: 0, max: 12 }),
      (times, count) => {
        assert.deepEqual(longestSilent(named(times), count), bySorting(named(times), count));
      },
    ),
    { numRuns: 2_000 },
  );
});

it('looks at each once, and sorts few: what comes after the longest silent is passed by', () => {
  const times = Array.from({ length: 20_000 }, (_, n) => (n * 7_919) % 20_011);
  let read = 0;
  const heard = named(times).map(([name, ms]): Heard => {
    const one = [name, ms] as const;
    Object.defineProperty(one, 1, {
      get() {
        read++;
        return ms;
      },
    });
    return one;
  });
  assert.deepEqual(longestSilent(heard, 100), bySorting(named(times), 100));
  // Sorting reads each some thirty times.
  assert.ok(read < 2 * heard.length, `${read}`);
});
