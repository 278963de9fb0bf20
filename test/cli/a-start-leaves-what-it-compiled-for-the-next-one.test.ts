import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fluxgate } from '../support/spawned.ts';
import { serveEnvironment } from './serve-environment.ts';

/** Entries in all directories of the cache; each Node with other options has one of its own. */
function compiled(cache: string): number {
  return readdirSync(cache, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
    .length;
}

test('the process that is replaced by the one in the sandbox keeps what it compiled', async (t) => {
  const { environment, directory } = await serveEnvironment(t);
  const cache = join(directory, 'compiled');
  // Granted to nobody in the sandbox, so that all that is in it comes from the process before.
  const gateway = fluxgate(t, ['serve'], { environment: { ...environment, NODE_COMPILE_CACHE: cache } });
  await gateway.said('"msg":"serving"');
  const first = compiled(cache);
  assert.ok(first > 20, `${first} files`);
  gateway.child.kill('SIGTERM');
  await gateway.ended;
  assert.equal(compiled(cache), first);
});
