import assert from 'node:assert/strict';
import { it } from 'node:test';
import { longestSilent } from '../../../src/core/liveness/longest-silent.ts';

it('names those that were heard of longest ago, that one first, and no more than there are', () => {
  const heard = [
    ['lately', 90],
    ['longest ago', 7],
    ['some time ago', 30],
  ] as const;
  assert.deepEqual(longestSilent(heard, 2), ['longest ago', 'some time ago']);
  assert.deepEqual(longestSilent(heard, 9), ['longest ago', 'some time ago', 'lately']);
  assert.deepEqual(longestSilent(new Map(heard).entries(), 1), ['longest ago'], 'of what can be walked once');
});
