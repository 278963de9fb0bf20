import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { PROJECT } from '../support/spawned.ts';
import { temporaryDirectory } from '../unit/store/temporary.ts';

function freshClone(t: TestContext): string {
  const clone = realpathSync(temporaryDirectory(t));
  for (const file of ['bin/fluxgate', 'package.json', 'src/main.ts']) {
    cpSync(join(PROJECT, file), join(clone, file));
  }
  return clone;
}

test('bin/fluxgate of a fresh clone is one line, exit 78, and no stack of Node', (t) => {
  const clone = freshClone(t);
  const { status, stderr } = spawnSync(join(clone, 'bin/fluxgate'), ['serve'], { encoding: 'utf8' });
  assert.deepEqual(
    [status, stderr],
    [78, `fluxgate: its dependencies are not installed: run npm ci in ${clone}\n`],
  );
});

test('and so is every npm script that is for more than work on the sources', (t) => {
  const clone = freshClone(t);
  for (const script of ['start', 'serve', 'demo', 'fluxgate', 'certs-dev', 'test']) {
    const { status, stdout, stderr } = spawnSync('npm', ['run', '-s', script], {
      cwd: clone,
      env: { PATH: process.env['PATH'], HOME: clone, npm_config_update_notifier: 'false' },
      encoding: 'utf8',
    });
    assert.deepEqual(
      [script, status, stdout, stderr],
      [script, 78, '', `fluxgate: its dependencies are not installed: run npm ci in ${clone}\n`],
    );
  }
});
