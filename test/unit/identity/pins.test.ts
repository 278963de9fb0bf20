import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fastCheck from 'fast-check';
import { observeKey, type PinState, type PinVerdict } from '../../../src/core/identity/pins.ts';
import { LIMITS } from '../../../src/core/limits.ts';

const HOUR = 3_600_000;

/** Keys in the order in which they are used, each an hour after the one before unless a pause (ms) is named. */
function play(...uses: readonly (string | number)[]): { verdicts: PinVerdict[]; state: PinState } {
  let state: PinState | undefined;
  let nowMs = 1_000_000;
  const verdicts: PinVerdict[] = [];
  for (const use of uses) {
    if (typeof use === 'number') {
      nowMs += use;
      continue;
    }
    nowMs += HOUR;
    const outcome = observeKey(state, use, nowMs);
    state = outcome.state;
    verdicts.push(outcome.verdict);
  }
  assert.ok(state);
  return { verdicts, state };
}

describe("a cluster's key", () => {
  it('is the first that was seen, then that of each renewal', () => {
    const { verdicts, state } = play('a', 'a', 'b', 'b', 'c');
    assert.deepEqual(verdicts, ['first', 'current', 'promoted', 'current', 'promoted']);
    assert.equal(state.spkiSha256, 'c');
    assert.deepEqual(
      state.retired.map(({ spkiSha256 }) => spkiSha256),
      ['b', 'a'],
    );
    assert.equal(state.conflict, undefined, 'renewals are no conflict');
  });

  it('is remembered as the same object while nothing changes, so that nothing is written', () => {
    const { state } = observeKey(undefined, 'a', 1);
    assert.equal(observeKey(state, 'a', 2).state, state);
  });

  it('lingers in its grace, flagged; and is refused from the moment at which the grace ends', () => {
    const { verdicts, state } = play('a', 'b', 'a', 'a');
    assert.deepEqual(verdicts, ['first', 'promoted', 'lingering', 'lingering']);
    assert.equal(state.conflict?.spkiSha256, 'a');
    assert.equal(state.conflict?.count, 2);
    const retiredMs = state.retired[0]?.retiredMs ?? 0;
    const at = (ms: number): PinVerdict => observeKey(state, 'a', retiredMs + ms).verdict;
    assert.equal(at(LIMITS.pinGraceMs - 1), 'lingering');
    assert.equal(at(LIMITS.pinGraceMs), 'refused');
  });

  it('is refused at once where both are in use: the new, the old, the new, the old', () => {
    const { verdicts, state } = play('a', 'b', 'a', 'b', 'a');
    assert.deepEqual(verdicts, ['first', 'promoted', 'lingering', 'current', 'refused']);
    assert.equal(state.conflict?.newestUsedSince, true);
    assert.equal(state.spkiSha256, 'b', 'a retired key never becomes the current one again');
  });

  it('is still known as retired after further renewals, with its own grace', () => {
    assert.deepEqual(play('a', 'b', 'c', 'a').verdicts.at(-1), 'lingering');
    assert.deepEqual(play('a', 'b', LIMITS.pinGraceMs, 'c', 'a').verdicts.at(-1), 'refused');
    assert.deepEqual(play('a', 'b', LIMITS.pinGraceMs, 'c', 'b').verdicts.at(-1), 'lingering');
  });

  it('is forgotten after as many renewals as are remembered, and not before', () => {
    const renewals = Array.from({ length: LIMITS.retiredKeysMax }, (_, i) => `k${i}`);
    assert.equal(play('a', ...renewals, 'a').verdicts.at(-1), 'lingering');
    assert.equal(play('a', ...renewals, 'z', 'a').verdicts.at(-1), 'promoted');
  });

  it('never comes back, whatever is used in which order: a property', () => {
    const keys = fastCheck.array(fastCheck.constantFrom('a', 'b', 'c', 'd'), { minLength: 1, maxLength: 30 });
    fastCheck.assert(
      fastCheck.property(keys, (uses) => {
        const { verdicts, state } = play(...uses);
        const seen = new Set<string>();
        let current = '';
        for (const [index, use] of uses.entries()) {
          const verdict = verdicts[index];
          if (!seen.has(use)) assert.equal(verdict, index === 0 ? 'first' : 'promoted');
          else if (use === current) assert.equal(verdict, 'current');
          else assert.ok(verdict === 'lingering' || verdict === 'refused', `${use} of ${uses}: ${verdict}`);
          if (!seen.has(use)) current = use;
          seen.add(use);
        }
        assert.equal(state.spkiSha256, current);
        assert.ok(Object.isFrozen(state) && Object.isFrozen(state.retired));
      }),
    );
  });
});
