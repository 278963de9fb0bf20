import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { it, type TestContext } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway } from '../support/gateway.ts';
import { closed, openTcp } from '../support/proxied.ts';
import { besiege, gauge } from '../support/siege.ts';
import { until } from '../support/until.ts';

const STRANGER = '127.0.0.2';
const REFUSED = 'fluxgate_connections_refused_total';

/** Fewer at a time than the kernel's queue takes (511): what it drops looks open here, and never is there. */
const AT_ONCE = 100;

async function openMany(t: TestContext, port: number, count: number): Promise<readonly Socket[]> {
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  while (sockets.length < count) {
    const next = Math.min(AT_ONCE, count - sockets.length);
    const opened = await Promise.all(Array.from({ length: next }, () => openTcp(port, STRANGER)));
    for (const socket of opened) sockets.push(socket.on('error', () => {}).resume());
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return sockets;
}

it('of all connections, a quarter is for strangers; the rest is kept for the clusters, who are served', async (t) => {
  const gateway = await startTestGateway(t, { environment: { CONNECTIONS_MAX: '100' } });
  const share = 100 * LIMITS.strangerConnectionsShare;
  await besiege(gateway, async () => {
    const sockets = await openMany(t, gateway.port, 150);
    const ended = (): number => sockets.filter((socket) => socket.closed || socket.destroyed).length;
    await until(() => ended() >= 150 - share, 'the others are ended');
    assert.equal(ended(), 150 - share);
    assert.equal(await gauge(gateway, REFUSED, 'reason="strangers"'), 150 - share);
    for (const socket of sockets) socket.destroy();
  });
});

it('one stranger’s address holds its share of them, and another stranger gets in', async (t) => {
  const gateway = await startTestGateway(t);
  const over = 40;
  await besiege(gateway, async () => {
    const sockets = await openMany(t, gateway.port, LIMITS.strangerConnectionsPerAddressMax + over);
    await until(
      async () => (await gauge(gateway, REFUSED, 'reason="address_connections"')) === over,
      'those beyond its share are ended',
    );
    assert.equal((await gateway.send({ path: '/health', localAddress: '127.0.0.3' })).status, 200);
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map(closed));
  });
});
