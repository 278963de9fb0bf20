import assert from 'node:assert/strict';
import { it } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway } from '../support/gateway.ts';
import { closed, openTcp } from '../support/proxied.ts';
import { besiege, gauge, inParallel } from '../support/siege.ts';
import { until } from '../support/until.ts';

const GARBAGE = [
  'GET / HTTP/1.1\r\n\r\n',
  '\x16\x03\x01\xff\xff\x01\x00\xff\xfc\x03\x03',
  '\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00',
  '\x15\x03\x03\x00\x02\x02\x28',
  '\x80\x2e\x01\x00\x02',
  '\0'.repeat(512),
  'SSH-2.0-garbage\r\n',
];
const FLOOD = 6_000;

it('a flood of garbage costs its address its share, the log few lines, and no cluster a poll', async (t) => {
  const gateway = await startTestGateway(t);
  await besiege(gateway, async () => {
    await inParallel(FLOOD, 100, async (index) => {
      // From an address that has nothing to do with the fleet's.
      const socket = await openTcp(gateway.port, '127.0.0.66').catch(() => undefined);
      if (socket === undefined) return;
      socket.on('error', () => {});
      socket.end(Buffer.from(GARBAGE[index % GARBAGE.length] ?? '', 'latin1'));
      await closed(socket);
    });
  });
  const refused = await gauge(gateway, 'fluxgate_connections_refused_total', 'address_handshakes');
  assert.ok(refused > FLOOD / 4, `${refused} were turned away before TLS`);
  for (const msg of ['TLS handshake failed', 'connection refused']) {
    const lines = gateway.log.filter((line) => line.msg === msg).length;
    assert.ok(lines <= LIMITS.strangerLines.burst + LIMITS.strangerLines.perSecond * 60, `${lines} lines`);
  }
  const counted = (): boolean => gateway.log.some(({ msg }) => msg.startsWith('left out of the log'));
  await until(counted, 'what was left out is counted', LIMITS.leftOutLinesMs + 5_000);
});

it('the same flood from the clusters’ own address costs them no poll either', async (t) => {
  const gateway = await startTestGateway(t);
  await besiege(gateway, async () => {
    await inParallel(FLOOD / 2, 50, async (index) => {
      const socket = await openTcp(gateway.port).catch(() => undefined);
      if (socket === undefined) return;
      socket.on('error', () => {});
      socket.end(Buffer.from(GARBAGE[index % GARBAGE.length] ?? '', 'latin1'));
      await closed(socket);
    });
  });
});
