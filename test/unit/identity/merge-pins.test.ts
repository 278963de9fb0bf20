import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { mergePins } from '../../../src/core/identity/merge-pins.ts';
import { observeKey, type PinState } from '../../../src/core/identity/pins.ts';

/** What a process knows that saw these keys, one after the other; times in minutes. */
function saw(...requests: readonly (readonly [key: string, minute: number])[]): PinState {
  let state: PinState | undefined;
  for (const [key, minute] of requests) state = observeKey(state, key, minute * 60_000).state;
  assert.ok(state !== undefined);
  return state;
}

describe('what two processes know of one cluster', () => {
  it('is what one would know that saw both: two first keys are a renewal', () => {
    assert.deepEqual(mergePins(saw(['a', 1]), saw(['b', 2])), saw(['a', 1], ['b', 2]));
    assert.deepEqual(mergePins(saw(['b', 2]), saw(['a', 1])), saw(['a', 1], ['b', 2]));
  });

  it('is what the one knows, where the other knows nothing more: the same object', () => {
    const knows = saw(['a', 1], ['b', 2], ['a', 3]);
    assert.equal(mergePins(knows, saw(['b', 2])), knows);
    assert.equal(mergePins(knows, saw(['a', 1])), knows);
    assert.equal(mergePins(knows, knows), knows);
  });

  it('is no renewal where the key that one of them takes for the first was left behind: it came back', () => {
    const knows = saw(['a', 1], ['b', 2]);
    assert.deepEqual(mergePins(knows, saw(['a', 3])), saw(['a', 1], ['b', 2], ['a', 3]));
    assert.deepEqual(mergePins(saw(['a', 3]), knows), saw(['a', 1], ['b', 2], ['a', 3]));
  });

  it('keeps a conflict that either saw, and who used the newest key since', () => {
    const lingering = saw(['a', 1], ['b', 2], ['a', 3]);
    const bothInUse = saw(['a', 1], ['b', 2], ['a', 3], ['b', 4]);
    assert.equal(mergePins(saw(['b', 2]), lingering).conflict?.newestUsedSince, false);
    assert.equal(mergePins(lingering, bothInUse).conflict?.newestUsedSince, true);
    assert.equal(mergePins(bothInUse, lingering).conflict?.newestUsedSince, true);
  });

  it('does not depend on who tells whom, or how often', () => {
    const history = fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 0, max: 30 })), {
      minLength: 1,
      maxLength: 6,
    });
    const state = history.map((requests) => saw(...requests.toSorted(([, x], [, y]) => x - y)));
    fc.assert(
      fc.property(state, state, (a, b) => {
        const merged = mergePins(a, b);
        assert.deepEqual(merged, mergePins(b, a));
        assert.deepEqual(mergePins(merged, a), merged);
        assert.deepEqual(mergePins(merged, b), merged);
        assert.ok(!merged.retired.some(({ spkiSha256 }) => spkiSha256 === merged.spkiSha256));
      }),
    );
  });
});
