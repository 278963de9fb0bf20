import assert from 'node:assert/strict';
import { chmod, mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { LAUNCHER, startCommandLine } from '../support/command-line.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { sendJson, startHostileServer } from '../support/hostile-server.ts';
import { spawned } from '../support/spawned.ts';

describe('credentials', () => {
  it('are kept in a file of their owner alone, shown by nothing, and go to the gateway they are for', async (t) => {
    const line = await startCommandLine(t);
    const { directory, gateway } = line;
    const { API_URL = '', API_CA_FILE = '', API_CERT_FILE = '', API_KEY_FILE = '' } = line.environment;
    const config = join(directory, '.config/fluxgate/config.yaml');
    const bare = (args: readonly string[], more: Readonly<Record<string, string>> = {}) =>
      spawned(t, [LAUNCHER, ...args], { environment: { HOME: directory, ...more } }).ended;
    const fed = (args: readonly string[], input: string) =>
      spawned(t, ['/bin/sh', '-c', `printf %s '${input}' | "$0" "$@"`, LAUNCHER, ...args], {
        environment: { HOME: directory },
      }).ended;
    const said: string[] = [];
    const keep = <T extends { stdout: string; stderr: string }>(ended: T): T => {
      said.push(ended.stdout, ended.stderr);
      return ended;
    };

    const nothing = await bare(['cluster', 'list']);
    assert.equal(nothing.code, 78);
    assert.match(nothing.stderr, /say which gateway: --url .*, API_URL, or a context/);

    const set = ['context', 'set'];
    assert.equal(
      (
        await bare([
          ...set,
          'cert',
          '--url',
          API_URL,
          '--ca',
          API_CA_FILE,
          '--cert',
          API_CERT_FILE,
          '--key',
          API_KEY_FILE,
        ])
      ).code,
      0,
    );
    const token = keep(
      await fed([...set, 'token', '--url', API_URL, '--ca', API_CA_FILE, '--token-stdin'], WRITE_TOKEN),
    );
    assert.equal(token.code, 0, token.stderr);
    assert.equal((await stat(config)).mode & 0o777, 0o600);
    assert.match(await readFile(config, 'utf8'), new RegExp(WRITE_TOKEN));
    keep(await bare(['context', 'show', 'token', '-o', 'json']));
    keep(await bare(['context', 'list', '-o', 'yaml']));
    assert.equal((await bare(['context', 'use', 'nowhere'])).code, 4);

    // The current one by certificate, another by flag and by variable.
    assert.equal((await bare(['cluster', 'list'])).code, 0);
    assert.equal((await bare(['--context', 'token', 'cluster', 'list'])).code, 0);
    assert.equal((await bare(['namespace', 'list'], { API_CONTEXT: 'token' })).code, 0);
    const by = gateway.log
      .filter(({ operation }) => operation !== undefined)
      .map(({ principal }) => String(principal));
    assert.deepEqual(
      [by[0], by[1]?.startsWith('writer:'), by[2]?.startsWith('writer:')],
      ['operator:sam@example.com', true, true],
    );
    // flag > environment > context, and whoever says who is asking says it alone.
    assert.equal((await bare(['cluster', 'list'], { API_URL: 'https://localhost:1' })).code, 69);
    assert.equal(
      (await bare(['cluster', 'list', '--url', API_URL], { API_URL: 'https://localhost:1' })).code,
      0,
    );
    assert.equal(
      (await bare(['cluster', 'list'], { API_TOKEN: 'unknown' })).code,
      3,
      'not the certificate of the context',
    );
    const file = join(directory, 'token');
    await writeFile(file, `${WRITE_TOKEN}\n`, { mode: 0o600 });
    assert.equal((await line.run(['cluster', 'list', '--token-file', file])).code, 0);
    assert.match(
      String(gateway.log.findLast(({ operation }) => operation !== undefined)?.principal),
      /^writer:/,
    );

    // A token that is kept for one gateway is not shown to another, not even one that proves itself.
    const other = await startHostileServer(t, gateway.pki, (_request, response) => sendJson(response, []));
    const strayed = keep(await bare(['--context', 'token', 'cluster', 'list', '--url', other.url]));
    assert.equal(strayed.code, 78);
    assert.match(strayed.stderr, /the token of context token is for https:\/\/localhost:\d+, not for/);
    assert.equal(other.requests.length, 0);

    // On the command line a token is visible: taken, as flux-resourceset-cli does, with a warning, and never repeated.
    const argv = await bare([
      '--api-url',
      API_URL,
      '--ca',
      API_CA_FILE,
      '--api-token',
      WRITE_TOKEN,
      'namespace',
      'unassign',
      'podinfo',
      '--cluster',
      'demo-cluster-01',
    ]);
    assert.equal(argv.code, 6);
    assert.match(keep(argv).stderr, /a token on the command line is in the list of processes/);
    assert.match(argv.stderr, /--api-token TOKEN .*--plan-hash/);

    for (const mode of [0o640, 0o604, 0o666]) {
      await chmod(config, mode);
      const loose = keep(await bare(['cluster', 'list']));
      assert.deepEqual([loose.code, /others than you can read it: chmod 600/.test(loose.stderr)], [78, true]);
    }
    await chmod(config, 0o600);
    await writeFile(config, `contexts:\n  a: { token: "${WRITE_TOKEN}\n`, { mode: 0o600 });
    const broken = keep(await bare(['cluster', 'list']));
    assert.deepEqual([broken.code, /is not YAML, line \d/.test(broken.stderr)], [78, true]);
    await writeFile(config, `contexts:\n  a: { tokn: "${WRITE_TOKEN}" }\n`, { mode: 0o600 });
    assert.match(keep(await bare(['cluster', 'list'])).stderr, /context a knows no tokn/);

    const all = said.join('\n');
    assert.ok(!all.includes(WRITE_TOKEN), 'nothing that was printed holds the token');

    // FLUXGATE_CONFIG says where, relative paths in the file are meant from the file, and a gateway's start minds neither.
    const place = join(directory, 'kept');
    await mkdir(place);
    await writeFile(join(place, 'ca.pem'), gateway.serverCaPem);
    await writeFile(
      join(place, 'config.yaml'),
      `current: x\ncontexts:\n  x: { url: "${API_URL}", ca: ca.pem, token_file: ../token }\n`,
      { mode: 0o600 },
    );
    const FLUXGATE_CONFIG = join(place, 'config.yaml');
    assert.equal((await bare(['cluster', 'list'], { FLUXGATE_CONFIG })).code, 0);
    const start = await bare(['serve'], { FLUXGATE_CONFIG });
    assert.equal(start.code, 78);
    assert.doesNotMatch(start.stderr, /FLUXGATE_CONFIG/);
  });
});
