import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { PROJECT } from '../support/spawned.ts';
import { temporaryDirectory } from '../unit/store/temporary.ts';

test('bin/fluxgate of a fresh clone is one line, exit 78, and no stack of Node', (t) => {
  const clone = realpathSync(temporaryDirectory(t));
  mkdirSync(join(clone, 'bin'));
  cpSync(join(PROJECT, 'bin/fluxgate'), join(clone, 'bin/fluxgate'));
  const { status, stderr } = spawnSync(join(clone, 'bin/fluxgate'), ['serve'], { encoding: 'utf8' });
  assert.deepEqual(
    [status, stderr],
    [78, `fluxgate: its dependencies are not installed: run npm ci in ${clone}\n`],
  );
});
