import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { test } from 'node:test';
import { promisify } from 'node:util';

const MODULE = new URL('../../../src/shell/keep-tick-shape.ts', import.meta.url);
const PROGRAM = `
import { executionAsyncResource } from 'node:async_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { keepTickShape } from ${JSON.stringify(MODULE)};
const kept = await keepTickShape(process.nextTick);
await turn();
gc();
await turn();
const later = await new Promise((resolve) => process.nextTick(() => resolve(executionAsyncResource())));
console.log(JSON.stringify([Object.keys(kept), later === kept, %HaveSameMap(kept, later)]));
`;

test('what is kept has the shape of what process.nextTick makes, also behind a collection of all memory', async () => {
  const options = ['--allow-natives-syntax', '--expose-gc', '--input-type=module', '--eval', PROGRAM];
  const { stdout } = await promisify(execFile)(process.execPath, options);
  assert.deepEqual(JSON.parse(stdout), [['callback', 'args'], false, true]);
});
