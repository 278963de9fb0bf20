import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { get } from 'node:https';
import type { Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { createSecureContext, type TLSSocket } from 'node:tls';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { createListener } from '../../../src/shell/tls/listener.ts';
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

/** A listener whose answers end their connections; `seen` is given the server's side of each. */
async function start(t: TestContext, seen: (socket: TLSSocket) => void): Promise<() => Promise<void>> {
  const pki = await createTestPki();
  const material = {
    certificateChain: { name: 'TLS_CERT_FILE', text: pki.server.chainPem },
    privateKey: { name: 'TLS_KEY_FILE', text: pki.server.keyPem },
    authorities: [],
    minVersion: 'TLSv1.3',
  } as const;
  const context = createSecureContext(contextOptions(material, pki.clusterBundlePem));
  const listener = createListener(context, { trustedProxies: undefined, connectionsMax: 10 }, GATE, {
    request(request, response) {
      seen(request.socket as TLSSocket);
      response.writeHead(200, { Connection: 'close' }).end('{}');
    },
    malformed: (_error, socket) => void socket.destroy(),
    handshakeDone() {},
    handshakeFailed() {},
    proxyHeaderRefused() {},
    dropped() {},
  });
  const { port } = await listener.listen({ host: '127.0.0.1', port: 0 });
  t.after(() => listener.drain());
  return async () => {
    const asked = get({
      host: '127.0.0.1',
      port,
      ca: pki.serverCa.pem,
      servername: 'localhost',
      agent: false,
    });
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
