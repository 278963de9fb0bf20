import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createConnection } from 'node:net';
import { it } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { openRaw, readAnswers } from '../support/raw.ts';
import { until } from '../support/until.ts';

/** Linux keeps at most 4 MiB of what a connection sends, and little for a peer that never read: the rest waits in the gateway. */
const KERNEL_OCTETS = 6 * 1_024 * 1_024;

const NAMESPACES = Array.from({ length: 64 }, (_, n) => ({
  id: `ns-${n}`,
  labels: {},
  annotations: { text: 'x'.repeat(200_000) },
}));

/** '' for a connection that was taken. */
function connectTo(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1', () => {
      socket.destroy();
      resolve('');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

it('and the answer arrives whole', async (t) => {
  const gateway = await startTestGateway(t, { seed: { namespaces: NAMESPACES } });
  const socket = await openRaw(gateway);
  socket.on('error', () => {});
  const pieces: Buffer[] = [];
  socket.on('data', (piece: Buffer) => pieces.push(piece));
  const head = `GET /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\n\r\n`;
  socket.write(head);
  await once(socket, 'data');
  socket.pause();
  const taken = Buffer.concat(pieces);
  const octets = Number(/content-length: (\d+)/i.exec(taken.toString('latin1'))?.[1]);
  assert.ok(octets - taken.length > KERNEL_OCTETS, `${taken.length} of ${octets} octets are read`);

  const closed = gateway.gateway.close();
  let refused = '';
  await until(async () => {
    refused = await connectTo(gateway.port);
    return refused !== '';
  }, 'a refusal');
  assert.equal(refused, 'ECONNREFUSED');

  // Had the drain waited no more by now, HTTP's own close would have cut this off.
  const end = once(socket, 'close');
  socket.resume();
  await Promise.all([end, closed]);
  const [answer] = readAnswers(Buffer.concat(pieces).toString('latin1'));
  assert.ok(answer, 'the answer was cut off');
  assert.equal(answer.status, 200);
  assert.equal(answer.body.length, octets);
});
