import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { QUESTION } from '../../bench/capacity.ts';
import { GOALS } from '../../bench/harness/goals.ts';
import { blockOf } from '../../bench/harness/pages.ts';
import { PROJECT } from '../support/spawned.ts';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

it('the page of figures has every goal, and whether it is met', () => {
  const block = blockOf(read('docs/performance.md'), 'bench');
  for (const { what } of GOALS) {
    const row = block.split('\n').find((line) => line.startsWith(`| ${what} |`));
    assert.match(row ?? '', /\| (met|MISSED|not measured) \|$/, what);
  }
});

it('the page of capacity has every fleet that is asked about', () => {
  const block = blockOf(read('docs/capacity.md'), 'capacity');
  for (const clusters of QUESTION.fleets)
    assert.ok(block.includes(`\n| ${clusters.toLocaleString('en-GB')} | `), String(clusters));
});
