import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { closed } from '../support/proxied.ts';
import { openRaw, readAnswers } from '../support/raw.ts';
import { besiege, inParallel } from '../support/siege.ts';

const MEBIBYTE = 1_048_576;
const POST = `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\nContent-Type: application/json\r\n`;
const KIBIBYTE_OF_HEADERS = `X-Endless: ${'a'.repeat(1_000)}\r\n`.repeat(16);

/** Writes pieces as long as the gateway takes them, up to 64 MiB; what was answered, and how much was taken. */
async function pour(
  gateway: TestGateway,
  beginning: string,
  piece: string,
): Promise<{ statuses: number[]; octets: number }> {
  const socket = await openRaw(gateway);
  let text = '';
  let octets = 0;
  socket.on('error', () => {});
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.write(beginning);
  while (!socket.destroyed && socket.writable && octets < 64 * MEBIBYTE) {
    octets += piece.length;
    const room = socket.write(piece);
    await new Promise<void>((resolve) => {
      if (room) setImmediate(resolve);
      else {
        socket.once('drain', () => resolve());
        socket.once('close', () => resolve());
      }
    });
  }
  await closed(socket);
  return { statuses: readAnswers(text).map(({ status }) => status), octets };
}

const chunk = (size: number): string => `${size.toString(16)}\r\n${' '.repeat(size)}\r\n`;

it('endless headers, targets, bodies and trailers are cut off, and every cluster is served meanwhile', async (t) => {
  const gateway = await startTestGateway(t);
  const fleet = await gateway.fleet();
  const shapes: readonly (readonly [beginning: string, piece: string, status: number])[] = [
    ['GET /health HTTP/1.1\r\nHost: localhost\r\n', KIBIBYTE_OF_HEADERS, 431],
    ['GET /health HTTP/1.1\r\nHost: localhost\r\nX: ', 'a'.repeat(16_000), 431],
    ['GET /', 'a'.repeat(16_000), 431],
    [`${POST}Content-Length: ${1024 * MEBIBYTE}\r\n\r\n`, ' '.repeat(65_536), 413],
    [`${POST}Transfer-Encoding: chunked\r\n\r\n`, chunk(65_536), 413],
    [`${POST}Transfer-Encoding: chunked\r\n\r\n1;`, 'a'.repeat(16_000), 400],
    [`${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n`, KIBIBYTE_OF_HEADERS, 431],
  ];
  await besiege(gateway, async () => {
    await inParallel(shapes.length * 8, 8, async (index) => {
      const [beginning, piece, status] = shapes[index % shapes.length] ?? ['', '', 0];
      const { statuses, octets } = await pour(gateway, beginning, piece);
      const what = JSON.stringify((beginning + piece).slice(-60));
      // A reset may overtake the answer: then there is none. There is never another one, nor two.
      assert.ok(statuses.length <= 1, what);
      if (statuses.length === 1) assert.ok([status, 400].includes(statuses[0] ?? 0), `${what}: ${statuses}`);
      assert.ok(octets < 16 * MEBIBYTE, `${what}: ${octets} octets were taken`);
    });
  });
  assert.equal(await gateway.fleet(), fleet);
});
