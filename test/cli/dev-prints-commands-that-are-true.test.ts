import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readdir, readFile, stat } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fluxgate, PROJECT, type Spawned, spawned } from '../support/spawned.ts';
import { projectCopy } from './project-copy.ts';

const CURL = spawnSync('curl', ['--version']).error === undefined;

interface Shown {
  /** The comment above the command: it ends in the status. */
  readonly what: string;
  readonly status: string;
  readonly command: string;
}

function shownCommands(stdout: string): readonly Shown[] {
  const found = [...stdout.matchAll(/^# (?<what>.*): (?<status>\d{3})\n(?<commands>(?:curl .*\n)+)/gm)];
  return found.flatMap(({ groups: { what = '', status = '', commands = '' } = {} }) =>
    commands
      .trimEnd()
      .split('\n')
      .map((command) => ({ what, status, command })),
  );
}

/** Everything but the code, and its content. */
async function mintedFiles(project: string): Promise<ReadonlyMap<string, string>> {
  const files = new Map<string, string>();
  for (const name of (await readdir(join(project, 'certs-dev'))).sort()) {
    if (/\.(ts|md)$/.test(name)) continue;
    files.set(name, await readFile(join(project, 'certs-dev', name), 'utf8'));
  }
  return files;
}

async function everyCommandIsTrue(
  t: TestContext,
  dev: Spawned,
  directory: string,
): Promise<readonly Shown[]> {
  const shown = shownCommands(dev.stdout());
  assert.equal(shown.length, 7);
  for (const { what, status, command } of shown) {
    const { stdout, stderr } = await spawned(t, ['/bin/sh', '-c', command], { directory }).ended;
    assert.equal(stdout.trimEnd().split('\n').at(-1), status, `${what}\n${command}\n${stdout}${stderr}`);
  }
  return shown;
}

describe('npm start', () => {
  it('mints, serves, prints commands that do what they say; keeps all of it at the next start', {
    skip: CURL ? false : 'there is no curl on this machine',
  }, async (t) => {
    const project = await projectCopy(t);
    const environment = { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: 'off' };
    assert.equal((await mintedFiles(project)).size, 0);

    const first = fluxgate(t, ['dev'], { directory: project, environment });
    await first.said('Ctrl-C stops it.');
    const shown = await everyCommandIsTrue(t, first, project);
    for (const { command } of shown) assert.ok(!command.includes(project), `not readable: ${command}`);
    first.child.kill('SIGINT');
    const { code, stdout, stderr } = await first.ended;
    assert.deepEqual([code, stderr], [0, '']);
    const minted = await mintedFiles(project);
    for (const name of ['read-token', 'write-token']) {
      const token = minted.get(name)?.trim();
      assert.ok(token !== undefined && token.length >= 32 && !stdout.includes(token), name);
    }
    for (const name of minted.keys()) {
      if (!/\.key$|-token$/.test(name)) continue;
      assert.equal((await stat(join(project, 'certs-dev', name))).mode & 0o777, 0o600, name);
    }

    // From elsewhere, where paths are absolute and have to be quoted; npm keeps its own directory, so the store is named.
    const database = { DATABASE_URL: `sqlite://${project}/data/fluxgate.db` };
    const main = join(project, 'src/main.ts');
    const second = spawned(t, [process.execPath, main, 'dev'], {
      directory: PROJECT,
      environment: { ...environment, ...database },
    });
    await second.said('Ctrl-C stops it.');
    await everyCommandIsTrue(t, second, '/');
    second.child.kill('SIGINT');
    assert.equal((await second.ended).code, 0);
    assert.deepEqual(await mintedFiles(project), minted);
    assert.doesNotMatch(second.stdout(), /minted|renewed|seeded/);
  });

  it('mints nothing where its port is taken, so that no gateway that runs reloads', async (t) => {
    const project = await projectCopy(t);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const taken = `127.0.0.1:${(other.address() as AddressInfo).port}`;
    for (const environment of [
      { LISTEN_ADDR: taken, ADMIN_ADDR: 'off' },
      { LISTEN_ADDR: '127.0.0.1:0', ADMIN_ADDR: taken },
    ]) {
      const { code, stderr } = await fluxgate(t, ['dev'], { directory: project, environment }).ended;
      assert.equal(code, 78);
      assert.match(
        stderr,
        /_ADDR: cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\): something else does already/,
      );
    }
    assert.equal((await mintedFiles(project)).size, 0);
  });
});
