import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { serveEnvironment, servingPort } from '../cli/serve-environment.ts';
import { fluxgate } from '../support/spawned.ts';

/** How many tickets a client was sent by the end of an answer, which are behind the handshake and before any answer. */
async function ticketsOf(t: TestContext, variables: Readonly<Record<string, string>>): Promise<number> {
  const { environment, pki } = await serveEnvironment(t);
  const gateway = fluxgate(t, ['serve'], { environment: { ...environment, ...variables } });
  await gateway.said('"msg":"serving"');
  const port = servingPort(gateway.stdout());
  let tickets = 0;
  const socket = connect({ host: '127.0.0.1', port, ca: pki.serverCa.pem, servername: 'localhost' });
  socket.on('session', () => tickets++);
  await once(socket, 'secureConnect');
  socket.end('GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  let answer = '';
  for await (const octets of socket) answer += octets;
  assert.match(answer, /^HTTP\/1\.1 200 /);
  return tickets;
}

it('none, by one process and by workers', async (t) => {
  assert.equal(await ticketsOf(t, {}), 0);
  assert.equal(await ticketsOf(t, { WORKERS: '2' }), 0);
});

it('a client sees those that are made where OpenSSL is configured by somebody else, or there is no sandbox', async (t) => {
  assert.equal(await ticketsOf(t, { OPENSSL_CONF: '/dev/null' }), 2);
  assert.equal(await ticketsOf(t, { NODE_OPTIONS: '--openssl-config=/dev/null' }), 2);
  assert.equal(await ticketsOf(t, { SANDBOX: 'off' }), 2);
});
