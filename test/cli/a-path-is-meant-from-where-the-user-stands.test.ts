import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { startCommandLine } from '../support/command-line.ts';
import { spawned } from '../support/spawned.ts';
import { projectCopy } from './project-copy.ts';

it('a path is meant from where the user stands, by npm as well, which goes to the package', async (t) => {
  const line = await startCommandLine(t);
  const project = await projectCopy(t);
  const below = join(project, 'src/cli');
  const npm = (directory: string, ...args: readonly string[]) =>
    spawned(t, ['npm', 'run', '-s', 'fluxgate', '--', ...args], {
      directory,
      environment: { ...line.environment, npm_config_update_notifier: 'false' },
    }).ended;
  const exported = await npm(below, 'export', '--dir', join(project, 'the fleet'));
  assert.deepEqual([exported.code, exported.stderr], [0, '']);
  for (const directory of [below, project]) {
    const dir = directory === project ? 'the fleet' : '../../the fleet';
    const { code, stdout, stderr } = await npm(directory, 'import', '--dir', dir, '--mode', 'merge');
    assert.deepEqual([code, stdout, stderr], [0, 'nothing was different\n', '']);
  }
  const stored = await npm(below, 'cluster', 'apply', '-f', '../../the fleet/clusters/demo-cluster-01.yaml');
  assert.deepEqual([stored.code, stored.stdout], [0, 'cluster/demo-cluster-01 unchanged\n'], stored.stderr);
  const absent = await npm(below, 'import', '--dir', '../fleet', '--mode', 'merge');
  assert.equal(absent.code, 78);
  assert.equal(absent.stderr, `fluxgate: ${join(project, 'src/fleet')}: there is no such directory\n`);
  const nowhere = await npm(below, 'cluster', 'apply', '-f', '../x.yaml');
  assert.deepEqual(
    [nowhere.code, nowhere.stderr],
    [78, `fluxgate: -f: ${join(project, 'src/x.yaml')} does not exist\n`],
  );
});
