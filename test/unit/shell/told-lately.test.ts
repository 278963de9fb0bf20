import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LIMITS } from '../../../src/core/limits.ts';
import { createToldLately } from '../../../src/shell/told-lately.ts';

test('what another worker told is awaited for four times as long as it may take to write it, and no longer', () => {
  let nowMs = 1_000;
  const told = createToldLately({ now: () => nowMs });
  told.add('a');
  nowMs += LIMITS.sightingsFlushMs;
  told.add('b');
  assert.deepEqual(['a', 'b', 'c'].map(told.has), [true, true, false]);
  nowMs += 3 * LIMITS.sightingsFlushMs - 1;
  assert.equal(told.has('a'), true);
  nowMs += 1;
  assert.deepEqual(['a', 'b'].map(told.has), [false, true]);
  // Told again, with another certificate.
  told.add('a');
  assert.equal(told.has('a'), true);
});
