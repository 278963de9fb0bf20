import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { closed } from '../support/proxied.ts';
import { openRaw } from '../support/raw.ts';
import { besiege, inParallel } from '../support/siege.ts';

const HOST = 'Host: localhost\r\n';
const POST = `POST /namespaces HTTP/1.1\r\n${HOST}Authorization: Bearer ${WRITE_TOKEN}\r\nContent-Type: application/json\r\n`;
const BODY = '{"id":"smuggled","labels":{},"annotations":{}}';
const WHOLE = [
  `${POST}Content-Length: ${BODY.length}\r\n\r\n${BODY}`,
  `${POST}Transfer-Encoding: chunked\r\n\r\n${BODY.length.toString(16)}\r\n${BODY}\r\n0\r\n\r\n`,
];

it('a write that ends before its last octet, in order or by a reset, is no write', async (t) => {
  const gateway = await startTestGateway(t);
  const fleet = await gateway.fleet();
  await besiege(gateway, async () => {
    for (const [shape, whole] of WHOLE.entries()) {
      await inParallel(whole.length, 16, async (length) => {
        const socket = await openRaw(gateway);
        let text = '';
        socket.on('error', () => {});
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
        });
        // The early end is a FIN for the even, a reset for the odd ones.
        if (length % 2 === 0) socket.end(whole.slice(0, length));
        else socket.write(whole.slice(0, length), () => setImmediate(() => socket.destroy()));
        await closed(socket);
        assert.doesNotMatch(text, /^HTTP\/1\.1 2/, `shape ${shape}, ${length} octets`);
      });
    }
  });
  assert.equal(await gateway.fleet(), fleet);
});
