import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readText } from '../../../src/shell/snapshot-files.ts';

test('a path with a line break makes no line of its own', async () => {
  await assert.rejects(readText('/nowhere\nfluxgate: ok', 'CLUSTER_CA_FILE', 10), {
    message: 'CLUSTER_CA_FILE: /nowhere\\u{a}fluxgate: ok does not exist',
  });
});
