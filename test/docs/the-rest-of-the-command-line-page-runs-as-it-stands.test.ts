import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { readPage, runBlocks } from './page-blocks.ts';

test('the blocks of docs/cli.md from Git on run as they stand, in their order', async (t) => {
  const [, rest = ''] = readPage('docs/cli.md').split('\n## The fleet in Git');
  const directory = await runBlocks(t, rest);
  assert.match(await readFile(join(directory, 'audit.jsonl'), 'utf8'), /token_revoked/);
  assert.match(await readFile(join(directory, 'reader.token'), 'utf8'), /^fxgr_\w+\n$/);
});
