import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { LAUNCHER } from '../support/command-line.ts';
import { sendJson, startHostileServer } from '../support/hostile-server.ts';
import { createTestPki } from '../support/pki.ts';
import { type Ended, spawned } from '../support/spawned.ts';
import { inTerminal, NO_TERMINAL } from '../support/terminal.ts';

const TOKEN = 'a-token-that-must-stay-here-0003';
/** Clears the screen, sets the title, goes back over what was written, turns the text around. */
const EVIL = 'x\u001b[2J\u001b]0;owned\u0007\r\u009b31m\u202egnp\u2028y';
const OBEYED = /(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u;
const HASH = 'a'.repeat(64);
const ESCAPE = String.fromCharCode(27);
const OWN_COLOURS = new RegExp(`${ESCAPE}\\[\\d*m`, 'g');

async function client(t: TestContext) {
  const pki = await createTestPki();
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-hostile-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const ca = join(directory, 'ca.pem');
  await writeFile(ca, pki.serverCa.pem);
  const environment = { HOME: directory, API_CA_FILE: ca, API_TOKEN: TOKEN };
  return {
    pki,
    directory,
    environment,
    run: (url: string, args: readonly string[]): Promise<Ended> =>
      spawned(t, [LAUNCHER, ...args, '--url', url], { environment }).ended,
  };
}

describe('a hostile answer', () => {
  it('is shown and never obeyed, whatever the format, in names, errors, plans and headers', async (t) => {
    const { pki, run, environment } = await client(t);
    const cluster = { id: EVIL, cluster_dns: EVIL, environment: EVIL, labels: { [EVIL]: EVIL } };
    const plan = {
      plan_hash: HASH,
      needs_confirmation: true,
      reasons: [{ rule: EVIL, clusters: 1 }],
      clusters_affected: 1,
      environments: { [EVIL]: 1 },
      inputs: { added: 0, removed: 1, disabled: 0, enabled: 0, changed: 0 },
      objects_changed: 1,
      warnings_total: 0,
      objects: [
        { kind: EVIL, id: EVIL, change: 'replaced', fields: [{ field: EVIL, before: [EVIL], after: [] }] },
      ],
      clusters: [],
      warnings: [{ cluster: EVIL, route: EVIL, measure: EVIL, value: 1, limit: 1 }],
    };
    const error = { error: EVIL, message: EVIL, request_id: EVIL, details: [{ field: EVIL, problem: EVIL }] };
    const { url } = await startHostileServer(t, pki, ({ url: path = '', method }, response) => {
      if (method === 'DELETE')
        sendJson(
          response,
          path.includes('dry_run') ? plan : { ...error, error: 'prune_guard', plan },
          path.includes('dry_run') ? 200 : 409,
        );
      else if (path.startsWith('/clusters?')) sendJson(response, [cluster], 200, { 'x-total-count': '1' });
      else if (path.startsWith('/clusters')) sendJson(response, cluster);
      else if (path.startsWith('/revisions'))
        sendJson(response, [{ revision: EVIL, author: EVIL, reason: EVIL }]);
      else if (path.startsWith('/audit')) sendJson(response, [{ at: EVIL, event: EVIL, reason: EVIL }]);
      else sendJson(response, error, 403);
    });
    const asked: readonly (readonly string[])[] = [
      ['cluster', 'list'],
      ['cluster', 'list', '-o', 'json'],
      ['cluster', 'list', '-o', 'yaml'],
      ['cluster', 'list', '-o', 'name'],
      ['cluster', 'get', 'x'],
      ['cluster', 'delete', 'x'],
      ['namespace', 'list'],
      ['revision', 'list'],
      ['audit', 'tail'],
      ['doctor'],
    ];
    for (const args of asked) {
      const { stdout, stderr } = await run(url, args);
      assert.doesNotMatch(stdout + stderr, OBEYED, args.join(' '));
      assert.match(stdout + stderr, /gnp/, `${args.join(' ')}: it is told all the same`);
    }
    const json = await run(url, ['cluster', 'list', '-o', 'json']);
    assert.deepEqual(JSON.parse(json.stdout), [cluster], 'escaped, and still the same value');
    if (NO_TERMINAL === false) {
      const seen = await inTerminal(t, [LAUNCHER, 'cluster', 'list', '--url', url], { environment }).ended;
      assert.doesNotMatch(
        seen.stdout.replaceAll(OWN_COLOURS, '').replaceAll('\r\n', '\n'),
        OBEYED,
        'nothing but our own colours',
      );
    }
  });

  it('puts nothing into a command to copy but a hash, and reaches no other path by the name of an object', async (t) => {
    const { pki, run } = await client(t);
    const plan_hash = `${HASH};reboot`;
    const plan = { plan_hash, needs_confirmation: true, reasons: [], environments: {}, inputs: {} };
    const { url, requests } = await startHostileServer(t, pki, ({ url: path = '' }, response) => {
      if (path.includes('dry_run')) sendJson(response, plan);
      else sendJson(response, { error: 'prune_guard', message: 'no', request_id: '$(reboot)', plan }, 409);
    });
    for (const args of [
      ['cluster', 'delete', 'x'],
      ['plan', 'cluster', 'delete', 'x'],
      ['cluster', 'get', 'x'],
    ]) {
      const { code, stdout, stderr } = await run(url, args);
      assert.ok(code === 69 || code === 5, `${code}`);
      assert.doesNotMatch(stdout + stderr, /reboot;|;reboot|--request-id \$/);
    }
    const before = requests.length;
    for (const id of ['.', '..', '']) assert.equal((await run(url, ['cluster', 'delete', id])).code, 78);
    assert.equal(requests.length, before);
    await run(url, ['cluster', 'get', '../namespaces/x?y#z']);
    assert.equal(requests.at(-1)?.url, '/clusters/..%2Fnamespaces%2Fx%3Fy%23z');
  });

  it('gets no credential by a redirect, to wherever, and a server that is not proven gets none at all', async (t) => {
    const { pki, run } = await client(t);
    const thief = await startHostileServer(t, pki, (_request, response) => sendJson(response, []));
    let status = 301;
    const { url, requests } = await startHostileServer(t, pki, (_request, response) => {
      response.writeHead(status, { location: `${thief.url}/clusters` }).end();
    });
    for (status of [302, 307]) {
      const { code, stderr } = await run(url, ['cluster', 'list']);
      assert.equal(code, 69);
      assert.match(stderr, /answers with a redirect \(HTTP 30\d\)/);
    }
    assert.equal(requests.length, 2);
    assert.equal(thief.requests.length, 0);
    const stranger = await startHostileServer(t, await createTestPki(), (_request, response) =>
      sendJson(response, []),
    );
    const unproven = await run(stranger.url, ['cluster', 'list']);
    assert.equal(unproven.code, 69);
    assert.match(unproven.stderr, /under no CA that is trusted here: name its CA with --ca FILE/);
    assert.equal(stranger.requests.length, 0);
    const elsewhere = await run(url.replace('localhost', '127.0.0.2'), ['cluster', 'list']);
    assert.equal(elsewhere.code, 69);
    const plain = await run('http://127.0.0.1:1', ['cluster', 'list']);
    assert.deepEqual([plain.code, /credentials go over TLS only/.test(plain.stderr)], [78, true]);
    for (const odd of ['https://user:pass@localhost', `${url}/path`]) {
      assert.equal((await run(odd, ['cluster', 'list'])).code, 78, odd);
    }
  });

  it('ends the command when it is endless, and a list that claims to be endless ends as well', async (t) => {
    const { pki, run } = await client(t);
    const chunk = Buffer.alloc(1024 * 1024, ' ');
    let poured = 0;
    const giant = await startHostileServer(t, pki, (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      const pour = (): void => {
        while (!response.destroyed && response.write(chunk)) poured++;
        if (!response.destroyed) response.once('drain', pour);
      };
      pour();
    });
    const ended = await run(giant.url, ['cluster', 'list']);
    assert.equal(ended.code, 69);
    assert.match(ended.stderr, /the answer is larger than 67108864 bytes/);
    assert.ok(poured < 128, `${poured} MiB were taken`);
    const answers: readonly [unknown, RegExp][] = [
      [{}, /of another form than a gateway sends/],
      ['text', /of another form than a gateway sends/],
      [null, /of another form than a gateway sends/],
    ];
    for (const [body, says] of answers) {
      const odd = await startHostileServer(t, pki, (_request, response) => sendJson(response, body));
      const { code, stderr } = await run(odd.url, ['cluster', 'list']);
      assert.deepEqual([code, says.test(stderr)], [69, true], stderr);
    }
    const page = await startHostileServer(t, pki, (_request, response) =>
      response.writeHead(200, { 'content-type': 'text/html' }).end('<html>sign in</html>'),
    );
    const html = await run(page.url, ['cluster', 'list']);
    assert.deepEqual([html.code, /not JSON. Is that a gateway of Fluxgate\?/.test(html.stderr)], [69, true]);
    const empty = await startHostileServer(t, pki, (_request, response) =>
      sendJson(response, [], 200, { 'x-total-count': '99999999' }),
    );
    assert.equal((await run(empty.url, ['cluster', 'list'])).code, 0);
    assert.equal(empty.requests.length, 1);
  });

  it('writes no file outside the directory of an export', async (t) => {
    const { pki, run, directory } = await client(t);
    const dir = join(directory, 'fleet');
    for (const path of [
      '../evil.yaml',
      'clusters/../../evil.yaml',
      '/tmp/evil.yaml',
      'clusters/a/b.yaml',
      'hooks/post-checkout.yaml',
      'clusters/evil.sh',
    ]) {
      const { url } = await startHostileServer(t, pki, (_request, response) =>
        sendJson(response, { revision: 1, files: { [path]: 'id: evil\n' } }),
      );
      const { code, stderr } = await run(url, ['export', '--dir', dir]);
      assert.deepEqual([code, /the gateway sent the path/.test(stderr)], [78, true], path);
      assert.ok(!existsSync(dir), path);
    }
    assert.deepEqual(await readdir(directory), ['ca.pem']);
    const { url } = await startHostileServer(t, pki, (_request, response) =>
      sendJson(response, { revision: 1, files: { 'clusters/a.yaml': 7 } }),
    );
    assert.equal((await run(url, ['export', '--dir', dir])).code, 78);
  });
});
