import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { it } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway } from '../support/gateway.ts';
import { closed, openTcp } from '../support/proxied.ts';
import { besiege, gauge } from '../support/siege.ts';
import { until } from '../support/until.ts';

const STRANGER = '127.0.0.2';
const REFUSED = 'fluxgate_connections_refused_total';

const openMany = (port: number, count: number, address: string): Promise<readonly Socket[]> =>
  Promise.all(Array.from({ length: count }, () => openTcp(port, address)));

it('of all connections, a quarter is for strangers; the rest is kept for the clusters, who are served', async (t) => {
  const gateway = await startTestGateway(t, { environment: { CONNECTIONS_MAX: '100' } });
  const share = 100 * LIMITS.strangerConnectionsShare;
  await besiege(gateway, async () => {
    const sockets = await openMany(gateway.port, 150, STRANGER);
    const ended = (): number => sockets.filter((socket) => socket.closed || socket.destroyed).length;
    for (const socket of sockets) socket.on('error', () => {}).resume();
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
    const sockets = await openMany(gateway.port, LIMITS.strangerConnectionsPerAddressMax + over, STRANGER);
    for (const socket of sockets) socket.on('error', () => {}).resume();
    await until(
      async () => (await gauge(gateway, REFUSED, 'reason="address_connections"')) === over,
      'those beyond its share are ended',
    );
    assert.equal((await gateway.send({ path: '/health', localAddress: '127.0.0.3' })).status, 200);
    for (const socket of sockets) socket.destroy();
    await Promise.all(sockets.map(closed));
  });
});
