import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

const MODULE = new URL('../../../src/shell/compile-cache.ts', import.meta.url).href;

test('what had to be compiled is kept, and said to be; what was kept before is not', (t) => {
  const directory = mkdtempSync(join(tmpdir(), 'fluxgate-compiled-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  const more = join(directory, 'more.mjs');
  writeFileSync(more, 'export const more = () => 1;');
  const started = (...files: readonly string[]): string => {
    const code = `
      const { keepCompiled } = await import(${JSON.stringify(MODULE)});
      for (const file of ${JSON.stringify(files)}) await import(file);
      console.log(keepCompiled(), keepCompiled());`;
    const { stdout } = spawnSync(process.execPath, ['--input-type=module', '-e', code], {
      encoding: 'utf8',
      env: { PATH: process.env['PATH'], NODE_COMPILE_CACHE: join(directory, 'cache') },
    });
    return stdout.trim();
  };
  assert.equal(started(), 'true false');
  assert.equal(started(), 'false false');
  assert.equal(started(more), 'true false');
  assert.equal(started(more), 'false false');
});
