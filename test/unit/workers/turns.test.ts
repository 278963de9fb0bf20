import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createTurns } from '../../../src/core/workers/turns.ts';

function granted() {
  const grants: string[] = [];
  const turns = createTurns((worker, id) => void grants.push(`${worker}.${id}`));
  return { turns, grants };
}

it('grants one turn at a time, in the order in which they were asked for', () => {
  const { turns, grants } = granted();
  turns.want(1, 7);
  turns.want(2, 7);
  turns.want(1, 8);
  assert.deepEqual(grants, ['1.7']);
  turns.over(1, 7);
  assert.deepEqual(grants, ['1.7', '2.7']);
  turns.over(2, 7);
  turns.over(1, 8);
  assert.deepEqual(grants, ['1.7', '2.7', '1.8']);
  turns.want(2, 9);
  assert.equal(grants.at(-1), '2.9');
});

it('gives nothing away for a turn that is not the first, or that nobody has', () => {
  const { turns, grants } = granted();
  turns.want(1, 1);
  turns.want(2, 2);
  turns.want(3, 3);
  turns.over(2, 2);
  turns.over(3, 99);
  turns.over(9, 1);
  assert.deepEqual(grants, ['1.1']);
  turns.over(1, 1);
  assert.deepEqual(grants, ['1.1', '3.3']);
});

it('goes on when the one whose turn it is, is gone, and forgets what it still wanted', () => {
  const { turns, grants } = granted();
  turns.want(1, 1);
  turns.want(1, 2);
  turns.want(2, 3);
  turns.gone(1);
  assert.deepEqual(grants, ['1.1', '2.3']);
  turns.gone(2);
  turns.want(3, 4);
  assert.deepEqual(grants, ['1.1', '2.3', '3.4']);
});
