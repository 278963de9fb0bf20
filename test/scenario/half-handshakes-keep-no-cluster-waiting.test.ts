import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { it } from 'node:test';
import { connect } from 'node:tls';
import { startTestGateway } from '../support/gateway.ts';
import { closed, openTcp } from '../support/proxied.ts';
import { besiege, gauge } from '../support/siege.ts';

/** What a real client says first. */
async function clientHello(): Promise<Buffer> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const hello = new Promise<Buffer>((resolve) => {
    server.once('connection', (socket) => {
      socket.on('error', () => {});
      socket.once('data', (octets) => {
        resolve(Buffer.from(octets));
        socket.destroy();
      });
    });
  });
  const client = connect({ host: '127.0.0.1', port: address.port, servername: 'localhost' });
  client.on('error', () => {});
  const octets = await hello;
  client.destroy();
  server.close();
  return octets;
}

it('handshakes that stop half-way, or trickle, are ended, and every cluster is served meanwhile', async (t) => {
  const gateway = await startTestGateway(t);
  const hello = await clientHello();
  await besiege(gateway, async () => {
    const sockets = await Promise.all(Array.from({ length: 300 }, () => openTcp(gateway.port)));
    const trickles: NodeJS.Timeout[] = [];
    for (const [index, socket] of sockets.entries()) {
      socket.on('error', () => {});
      // A third says nothing after the first flight, a third stops inside it, a third says an octet now and then.
      if (index % 3 === 0) socket.write(hello);
      else if (index % 3 === 1) socket.write(hello.subarray(0, hello.length / 2));
      else {
        let at = 0;
        trickles.push(
          setInterval(() => {
            if (socket.writable && at < 60) socket.write(hello.subarray(at, ++at));
          }, 250),
        );
      }
    }
    await Promise.all(sockets.map(closed));
    for (const trickle of trickles) clearInterval(trickle);
  });
  assert.equal(await gauge(gateway, 'fluxgate_tls_handshakes_unfinished'), 0);
});
