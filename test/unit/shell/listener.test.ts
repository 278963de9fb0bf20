import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { Socket } from 'node:net';
import { describe, it, mock, type TestContext } from 'node:test';
import { connect, createSecureContext, type TLSSocket } from 'node:tls';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { LIMITS } from '../../../src/core/limits.ts';
import { createListener, type Listener, type ListenerEvents } from '../../../src/shell/tls/listener.ts';
import { contextOptions } from '../../../src/shell/tls/secure-context.ts';
import { createTestPki } from '../../support/pki.ts';
import { until } from '../../support/until.ts';

const GATE = {
  connectionsElsewhere: 0,
  enter: () => true,
  shaken() {},
  left() {},
  unfinished: () => ({ entitled: 0, stranger: 0 }),
  stop() {},
};

interface Listening {
  readonly port: number;
  readonly ca: string;
  readonly listener: Listener;
}

async function listening(t: TestContext, request: ListenerEvents['request']): Promise<Listening> {
  const pki = await createTestPki();
  const material = {
    certificateChain: { name: 'TLS_CERT_FILE', text: pki.server.chainPem },
    privateKey: { name: 'TLS_KEY_FILE', text: pki.server.keyPem },
    authorities: [],
    minVersion: 'TLSv1.3',
  } as const;
  const context = createSecureContext(contextOptions(material, pki.clusterBundlePem));
  const listener = createListener(context, { trustedProxies: undefined, connectionsMax: 10 }, GATE, {
    request,
    malformed: (_error, socket) => void socket.end('HTTP/1.1 400 no\r\n\r\n'),
    handshakeDone() {},
    handshakeFailed() {},
    proxyHeaderRefused() {},
    dropped() {},
  });
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => listener.drain());
  return { port, ca: pki.serverCa.pem, listener };
}

/** A listener whose answers end their connections; `seen` is given the server's side of each. */
async function start(t: TestContext, seen: (socket: TLSSocket) => void): Promise<() => Promise<void>> {
  const { port, ca, listener } = await listening(t, (request, response) => {
    seen(request.socket as TLSSocket);
    response.writeHead(200, { Connection: 'close' }).end('{}');
  });
  return async () => {
    const asked = get({ host: '127.0.0.1', port, ca, servername: 'localhost', agent: false });
    const [response] = (await once(asked, 'response')) as [IncomingMessage];
    assert.equal(response.statusCode, 200);
    response.resume();
    await once(response, 'close');
    await until(() => listener.openConnections === 0, 'the end of the connection');
  };
}

describe('a connection that is closed', () => {
  it('is heard of no more, but an error that comes late ends nothing', async (t) => {
    const sockets: Socket[] = [];
    const visit = await start(t, (socket) => {
      const { _parent: under } = socket as unknown as { readonly _parent: Socket };
      sockets.push(socket, under);
    });
    await visit();
    assert.equal(sockets.length, 2);
    await until(() => sockets.every(({ closed }) => closed), 'the end of both sockets');
    for (const socket of sockets) {
      assert.deepEqual(socket.eventNames(), ['error']);
      socket.emit('error', new Error('late'));
    }
  });

  it('keeps nothing from the collection of young objects that only listened to it', async (t) => {
    setFlagsFromString('--expose-gc');
    const gc = runInNewContext('gc') as (how?: { readonly type: 'minor' }) => void;
    const heap = (): number =>
      getHeapSpaceStatistics()
        .filter(({ space_name: name }) => name === 'old_space' || name === 'new_space')
        .reduce((sum, { space_used_size: used }) => sum + used, 0);
    // The rest is this client's own: some 20 KB a connection.
    const OCTETS = 160_000;
    const visit = await start(t, (socket) => {
      // In two, for V8 has what is larger apart from the young.
      const held = [0, 1].map(() => new Array<number>(OCTETS / 2 / 8).fill(0));
      socket.on('end', () => held.length);
    });
    for (let warm = 0; warm < 5; warm++) await visit();
    gc();
    const before = heap();
    const CONNECTIONS = 40;
    for (let connection = 0; connection < CONNECTIONS; connection++) await visit();
    // Young ones survive twice before they are old.
    for (let collection = 0; collection < 3; collection++) gc({ type: 'minor' });
    const kept = (heap() - before) / CONNECTIONS;
    assert.ok(kept < OCTETS / 2, `${Math.round(kept)} octets a connection`);
  });
});

describe('a connection that does nothing', () => {
  it('is bound at the next look, for each request anew, and ends when its time is over', async (t) => {
    mock.timers.enable({ apis: ['setInterval'] });
    t.after(() => mock.timers.reset());
    const look = (): void => mock.timers.tick(LIMITS.socketIdleLookMs);
    const answers: (() => void)[] = [];
    const sockets = new Set<Socket>();
    const { port, ca } = await listening(t, ({ socket }, response) => {
      sockets.add(socket);
      answers.push(() => response.end('{}'));
    });
    const client = connect({ host: '127.0.0.1', port, ca, servername: 'localhost' });
    await once(client, 'secureConnect');
    client.resume();
    const ask = async (): Promise<Socket> => {
      const before = answers.length;
      client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await until(() => answers.length > before, 'the request');
      const [socket] = sockets;
      assert.ok(socket);
      return socket;
    };
    const socket = await ask();
    assert.equal(socket.timeout ?? 0, 0, 'a request that is answered at once sets no timer');
    look();
    assert.equal(socket.timeout, LIMITS.socketIdleTimeoutMs, 'while its answer is awaited');
    for (let more = 0; more < 2 * (LIMITS.socketIdleTimeoutMs / LIMITS.socketIdleLookMs); more++) look();
    assert.equal(socket.destroyed, false, 'however long that takes');
    answers.at(-1)?.();
    const kept = (): boolean =>
      socket.timeout !== undefined && socket.timeout < LIMITS.socketIdleTimeoutMs && socket.timeout > 0;
    await until(kept, 'the time for which Node keeps it open');
    const between = socket.timeout;
    look();
    assert.equal(socket.timeout, between, 'between two requests that time holds');
    await ask();
    assert.equal(socket.timeout, 0, 'which Node takes off for the next one');
    look();
    assert.equal(socket.timeout, LIMITS.socketIdleTimeoutMs, 'and it is bound anew');
    socket.emit('timeout');
    await once(client, 'close');
    assert.equal(sockets.size, 1);
  });

  for (const [what, octets] of [
    ['nothing', ''],
    ['empty lines', '\r\n'],
    ['CONNECT, and stays', 'CONNECT a:1 HTTP/1.1\r\nHost: localhost\r\n\r\n'],
  ] as const) {
    it(`ends after a minute without a request, whoever sends ${what}`, async (t) => {
      mock.timers.enable({ apis: ['setInterval'] });
      t.after(() => mock.timers.reset());
      const looks = (count: number): void => {
        for (let look = 0; look < count; look++) mock.timers.tick(LIMITS.socketIdleLookMs);
      };
      const { port, ca, listener } = await listening(t, (_request, response) => void response.end('{}'));
      const patient = { host: '127.0.0.1', port, ca, servername: 'localhost', allowHalfOpen: true };
      const client = connect(patient);
      client.on('error', () => undefined);
      await once(client, 'secureConnect');
      const answered = once(client.resume(), 'data');
      client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await answered;
      looks(LIMITS.socketIdleTimeoutMs / LIMITS.socketIdleLookMs - 1);
      const again = once(client, 'data');
      client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
      await again;
      if (octets !== '') client.write(octets);
      looks(LIMITS.socketIdleTimeoutMs / LIMITS.socketIdleLookMs);
      await new Promise((resolve) => setTimeout(resolve, 20));
      assert.equal(listener.openConnections, 1, 'a request begins the minute anew');
      looks(1);
      await until(() => listener.openConnections === 0, 'the end of the connection');
      client.destroy();
    });
  }
});
