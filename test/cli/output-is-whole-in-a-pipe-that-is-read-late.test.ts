import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { send } from '../support/client.ts';
import { LAUNCHER } from '../support/command-line.ts';
import { freePort, PROJECT, spawned } from '../support/spawned.ts';
import { serveEnvironment } from './serve-environment.ts';

/** 64 KiB fit into a pipe; with this path a request's line has more than 512 octets. */
const REQUESTS = 250;
const PATH = '/no-such-path'.repeat(19);

describe('the log', () => {
  it('has every line to the last, though nobody read the pipe until the gateway was stopping', async (t) => {
    const { directory, environment, pki } = await serveEnvironment(t);
    const pipe = join(directory, 'log');
    execFileSync('mkfifo', [pipe]);
    const port = await freePort();
    const reader = spawned(t, [
      '/bin/sh',
      '-c',
      `exec < '${pipe}'; until [ -e '${directory}/stopping' ]; do sleep 0.1; done; cat`,
    ]);
    const gateway = spawned(
      t,
      ['/bin/sh', '-c', `exec "$0" "$@" > '${pipe}'`, process.execPath, `${PROJECT}src/main.ts`, 'serve'],
      { environment: { ...environment, LISTEN_ADDR: `127.0.0.1:${port}` } },
    );
    const endpoint = { port, serverCaPem: pki.serverCa.pem };
    const ask = (): Promise<number> =>
      send(endpoint, { path: PATH }).then(
        ({ status }) => status,
        () => 0,
      );
    while ((await ask()) !== 404) await new Promise((resolve) => setTimeout(resolve, 50));
    for (let n = 1; n < REQUESTS; n++) assert.equal(await ask(), 404);
    gateway.child.kill('SIGTERM');
    execFileSync('touch', [`${directory}/stopping`]);
    const ended = await gateway.ended;
    assert.deepEqual([ended.code, ended.stderr], [0, '']);
    const lines = (await reader.ended).stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { msg: string; path?: string });
    assert.equal(lines.filter(({ path }) => path === PATH).length, REQUESTS);
    assert.equal(lines.at(-1)?.msg, 'stopped');
  });
});

describe('a pipe that nobody reads', () => {
  it('ends the command without a word', async (t) => {
    const { child, ended } = spawned(t, [LAUNCHER, 'completion', 'bash']);
    child.stdout?.destroy();
    const { code, signal, stderr } = await ended;
    assert.deepEqual([code, signal, stderr], [1, null, '']);
  });
});
