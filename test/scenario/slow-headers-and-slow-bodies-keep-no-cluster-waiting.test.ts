import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { closed } from '../support/proxied.ts';
import { openRaw } from '../support/raw.ts';
import { besiege } from '../support/siege.ts';

const HEAD = 'GET /health HTTP/1.1\r\nHost: localhost\r\n';
const POST = `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\nContent-Type: application/json\r\n`;

/** One octet each half second, for ever: a minute of it would be a request. */
async function drip(
  gateway: Parameters<typeof openRaw>[0],
  beginning: string,
  octet: string,
): Promise<string> {
  const socket = await openRaw(gateway);
  let text = '';
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.write(beginning);
  const trickle = setInterval(() => {
    if (socket.writable) socket.write(octet);
  }, 500);
  await closed(socket);
  clearInterval(trickle);
  return text;
}

it('slow headers and slow bodies end in 408, and every cluster is served meanwhile', async (t) => {
  const gateway = await startTestGateway(t);
  const fleet = await gateway.fleet();
  await besiege(gateway, async () => {
    const answers = await Promise.all([
      ...Array.from({ length: 60 }, () => drip(gateway, `${HEAD}X-Slow: `, 'a')),
      ...Array.from({ length: 60 }, () => drip(gateway, HEAD, 'X: y\r\n')),
      ...Array.from({ length: 30 }, () => drip(gateway, `${POST}Content-Length: 1000\r\n\r\n{`, ' ')),
      ...Array.from({ length: 30 }, () =>
        drip(gateway, `${POST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n \r\n'),
      ),
    ]);
    for (const answer of answers) assert.match(answer, /^HTTP\/1\.1 (408|400) /);
    assert.ok(answers.filter((answer) => answer.startsWith('HTTP/1.1 408')).length >= 120);
  });
  assert.equal(await gateway.fleet(), fleet);
});
