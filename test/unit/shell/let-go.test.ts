import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectTcp, createServer as createTcpServer, type Socket } from 'node:net';
import { it } from 'node:test';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { letGo } from '../../../src/shell/tls/let-go.ts';
import { createTestPki } from '../../support/pki.ts';

/** The server's side of a TLS connection that both sides have ended, and the TCP socket below it. */
async function ended(): Promise<{ socket: TLSSocket; under: Socket }> {
  const pki = await createTestPki();
  const { chainPem, keyPem } = pki.server;
  const server = createServer({ cert: chainPem, key: keyPem }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const connection = once(server, 'connection') as Promise<[Socket]>;
  const secure = once(server, 'secureConnection') as Promise<[TLSSocket]>;
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  const [[under], [socket]] = await Promise.all([connection, secure]);
  const closed = Promise.all([once(socket, 'close'), once(under, 'close')]);
  under.on('close', letGo);
  socket.on('close', letGo);
  socket.resume();
  client.end('bye');
  socket.end('bye');
  client.resume();
  await closed;
  server.close();
  return { socket, under };
}

it('a socket that was let go says of itself that it is closed', async () => {
  const { socket, under } = await ended();
  for (const one of [socket, under]) {
    const { destroyed, closed, errored, readable, writable, writableLength } = one;
    assert.deepEqual(
      { destroyed, closed, errored, readable, writable, writableLength },
      { destroyed: true, closed: true, errored: null, readable: false, writable: false, writableLength: 0 },
    );
  }
});

it('what is written to a socket that was let go is refused, and changes nothing for the others', async () => {
  const [{ socket, under }, other] = [await ended(), await ended()];
  for (const one of [socket, under]) {
    const error = await new Promise<Error | null | undefined>((resolve) => one.write('late', resolve));
    assert.equal((error as NodeJS.ErrnoException).code, 'ERR_STREAM_DESTROYED');
    one.end('later');
    one.destroy(new Error('again'));
    one.on('readable', () => {});
    one.removeAllListeners('readable');
    one.resume();
    one.push('octets');
    one.setTimeout(1);
  }
  await new Promise((resolve) => setTimeout(resolve, 20));
  for (const one of [other.socket, other.under]) {
    assert.equal(one.errored, null);
    assert.equal(one.readableLength, 0);
    assert.equal(one.read(), null);
  }
});

it('a socket that was let go holds nothing of its connection', async () => {
  const { socket, under } = await ended();
  const kept = (one: Socket): unknown[] =>
    Object.values(one).filter((value) => value === under || value === socket);
  assert.deepEqual(kept(socket), []);
  assert.equal((socket as unknown as { _tlsOptions: unknown })._tlsOptions, null);
  for (const state of ['_readableState', '_writableState'] as const) {
    const stateOf = (one: Socket): unknown => (one as unknown as Record<typeof state, object>)[state];
    assert.equal(stateOf(socket), stateOf(under), state);
  }
});

it('a socket without TLS is let go as well', async () => {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connectTcp(port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  socket.on('close', letGo);
  const closed = once(socket, 'close');
  client.destroy();
  socket.resume();
  socket.end();
  await closed;
  assert.equal(socket.destroyed, true);
  assert.equal('_tlsOptions' in socket, false);
  server.close();
});
