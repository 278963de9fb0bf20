import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { describe, it, type TestContext } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { collect, openRaw } from '../support/raw.ts';
import { fluxgate, type Spawned } from '../support/spawned.ts';
import { serveEnvironment, servingPort } from './serve-environment.ts';

const TOKEN = 'write-token-of-this-test-0003';
const BODY = '{"id":"slow"}';

interface Held {
  readonly gateway: Spawned;
  /** Let in, and waiting for a body that has not come. */
  readonly socket: TLSSocket;
  readonly clusterCaFile: string;
}

/** A gateway that serves, with a request in flight. */
async function heldInRequest(t: TestContext): Promise<Held> {
  const { environment, pki } = await serveEnvironment(t);
  const gateway = fluxgate(t, ['serve'], {
    environment: { ...environment, API_MODE: 'crud', AUTH_TOKEN: 'read', CRUD_AUTH_TOKEN: TOKEN },
  });
  await gateway.said('"msg":"serving"');
  const endpoint = { port: servingPort(gateway.stdout()), serverCaPem: pki.serverCa.pem };
  const socket = await openRaw(endpoint);
  socket.on('error', () => {});
  const admitted = once(socket, 'data');
  socket.write(
    `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${TOKEN}\r\nExpect: 100-continue\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n`,
  );
  assert.match(String(await admitted), /^HTTP\/1\.1 100 /);
  return { gateway, socket, clusterCaFile: environment['CLUSTER_CA_FILE'] ?? '' };
}

const messagesOf = (stdout: string): string[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { msg: string }).msg);

describe('serve, asked to stop', () => {
  it('reloads no more, whatever the files say, answers what it began, and ends with 0', async (t) => {
    const { gateway, socket, clusterCaFile } = await heldInRequest(t);
    const answer = collect(socket);
    gateway.child.kill('SIGTERM');
    await gateway.said('"msg":"draining');
    await writeFile(clusterCaFile, 'broken');
    for (let i = 0; i < 5; i++) gateway.child.kill('SIGHUP');
    // By then a watcher that was still there would have noticed the file.
    await new Promise((resolve) => setTimeout(resolve, 2_000));
    socket.write(BODY);
    assert.deepEqual(
      (await answer).answers.map(({ status }) => status),
      [201],
    );
    const { code, signal, stdout, stderr } = await gateway.ended;
    assert.deepEqual([code, signal, stderr], [0, null, '']);
    const messages = messagesOf(stdout);
    assert.ok(!messages.some((message) => message.startsWith('reload')), messages.join('; '));
    assert.equal(messages.at(-1), 'stopped');
  });

  it('cuts off a request that never ends, writes its line, and ends with 0 within ten seconds', async (t) => {
    const { gateway, socket } = await heldInRequest(t);
    const cut = once(socket, 'close');
    const asked = performance.now();
    gateway.child.kill('SIGTERM');
    const { code, signal, stdout, stderr } = await gateway.ended;
    assert.ok(performance.now() - asked < 10_000, `${performance.now() - asked} ms`);
    await cut;
    assert.deepEqual([code, signal, stderr], [0, null, '']);
    const messages = messagesOf(stdout);
    assert.equal(messages.at(-1), 'stopped');
    assert.match(stdout, /"operation":"createNamespace".*"msg":"(answered with an error|could not answer)"/);
  });
});
