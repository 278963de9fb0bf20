import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { before, describe, it } from 'node:test';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const HOST = 'Host: localhost\r\n';
const AUTH = `Authorization: Bearer ${WRITE_TOKEN}\r\n`;
const JSON_TYPE = 'Content-Type: application/json\r\n';
const CLOSE = 'Connection: close\r\n';
const POST = `POST /namespaces HTTP/1.1\r\n${HOST}${AUTH}${JSON_TYPE}`;
const BODY = '{"id":"smuggled"}';
/** What an attacker would like to be taken for a request of its own. */
const HIDDEN = `DELETE /rolebindings/developers-view HTTP/1.1\r\n${HOST}${AUTH}\r\n`;

/** Octets, and the statuses that come back before the connection ends. */
const CASES: readonly (readonly [what: string, octets: string, statuses: readonly number[]])[] = [
  [
    'Content-Length and Transfer-Encoding',
    `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    [400],
  ],
  [
    'Transfer-Encoding and Content-Length',
    `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${HIDDEN}`,
    [400],
  ],
  [
    'two Content-Lengths that differ',
    `${POST}Content-Length: 17\r\nContent-Length: 0\r\n\r\n${BODY}${HIDDEN}`,
    [400],
  ],
  ['two equal Content-Lengths', `${POST}Content-Length: 17\r\nContent-Length: 17\r\n\r\n${BODY}`, [400]],
  ['a list as Content-Length', `${POST}Content-Length: 17, 17\r\n\r\n${BODY}`, [400]],
  ['a signed Content-Length', `${POST}Content-Length: +17\r\n\r\n${BODY}`, [400]],
  ['a negative Content-Length', `${POST}Content-Length: -1\r\n\r\n${BODY}`, [400]],
  ['a hexadecimal Content-Length', `${POST}Content-Length: 0x11\r\n\r\n${BODY}`, [400]],
  ['an overflowing Content-Length', `${POST}Content-Length: 18446744073709551633\r\n\r\n${BODY}`, [400]],
  ['an empty Content-Length', `${POST}Content-Length: \r\n\r\n${BODY}`, [400]],
  ['chunked, but not last', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n`, [400]],
  ['an unknown Transfer-Encoding', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n`, [400]],
  [
    'chunked twice',
    `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    [400],
  ],
  ['Transfer-Encoding with a vertical tab', `${POST}Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n`, [400]],
  ['a chunk size that is no number', `${POST}Transfer-Encoding: chunked\r\n\r\nzz\r\n\r\n`, [400]],
  ['a chunk that ends in a bare LF', `${POST}Transfer-Encoding: chunked\r\n\r\n11\n${BODY}\n0\n\n`, [400]],
  [
    'a bare LF in a chunk extension',
    `${POST}Transfer-Encoding: chunked\r\n\r\n11;a\n${BODY}\r\n0\r\n\r\n`,
    [400],
  ],
  [
    'a bare CR in a chunk extension',
    `${POST}Transfer-Encoding: chunked\r\n\r\n11;a\rb\r\n${BODY}\r\n0\r\n\r\n`,
    [400],
  ],
  [
    'chunk extensions of 17 KiB',
    `${POST}Transfer-Encoding: chunked\r\n\r\n11;${'a'.repeat(17_000)}\r\n${BODY}\r\n0\r\n\r\n`,
    [400],
  ],
  [
    'a chunk size of more than 64 bits',
    `${POST}Transfer-Encoding: chunked\r\n\r\n10000000000000011\r\n${BODY}\r\n0\r\n\r\n`,
    [400],
  ],
  [
    'a chunk that is longer than it says',
    `${POST}Transfer-Encoding: chunked\r\n\r\n10\r\n${BODY}\r\n0\r\n\r\n${HIDDEN}`,
    [400],
  ],
  [
    'a last chunk without its end',
    `${POST}Transfer-Encoding: chunked\r\n\r\n11\r\n${BODY}\r\n0\r\nX\r\n\r\n`,
    [400],
  ],
  ['a header line that ends in a bare LF', `GET /health HTTP/1.1\r\nHost: localhost\nX: y\r\n\r\n`, [400]],
  ['a header that ends in a bare CR', `GET /health HTTP/1.1\r\nHost: localhost\rX: y\r\n\r\n`, [400]],
  ['a folded header', `GET /health HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`, [400]],
  ['a space before the colon', `GET /health HTTP/1.1\r\n${HOST}X : a\r\n\r\n`, [400]],
  ['a space before the first header', `GET /health HTTP/1.1\r\n Host: localhost\r\n\r\n`, [400]],
  ['a header without a name', `GET /health HTTP/1.1\r\n${HOST}: a\r\n\r\n`, [400]],
  ['a header without a colon', `GET /health HTTP/1.1\r\n${HOST}nonsense\r\n\r\n`, [400]],
  ['a NUL in a header', `GET /health HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`, [400]],
  ['a header of 17 KiB', `GET /health HTTP/1.1\r\n${HOST}X: ${'a'.repeat(17_000)}\r\n\r\n`, [431]],
  [
    '17 KiB of headers',
    `GET /health HTTP/1.1\r\n${HOST}${`X: ${'a'.repeat(290)}\r\n`.repeat(60)}\r\n`,
    [431],
  ],
  ['an unknown method', `BREW /health HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ['a method in lower case', `get /health HTTP/1.1\r\n${HOST}\r\n`, [400]],
  ['HTTP/2 in plain text', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400]],
  ['HTTP/1.2', `GET /health HTTP/1.2\r\n${HOST}\r\n`, [400]],
  ['HTTP/3.7', `GET /health HTTP/3.7\r\n${HOST}\r\n`, [400]],
  ['a word after the version', `GET /health HTTP/1.1 x\r\n${HOST}\r\n`, [400]],
  ['garbage', '\x00\x01\x02\x03\xff\xfe garbage\r\n\r\n', [400]],
  ['a TLS record inside TLS', '\x16\x03\x01\x00\xa5\x01\x00\x00\xa1\x03\x03\r\n\r\n', [400]],
  ['HTTP/1.0 without Host', 'GET /health HTTP/1.0\r\n\r\n', [400]],
  ['HTTP/1.0 with Host', `GET /health HTTP/1.0\r\n${HOST}\r\n`, [200]],
  ['TRACE', `TRACE /health HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, [405]],
  ['OPTIONS', `OPTIONS /health HTTP/1.1\r\n${HOST}${CLOSE}\r\n`, [405]],
  [
    'an upgrade to h2c',
    `GET /health HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
    [200],
  ],
  [
    'a WebSocket',
    `GET /clusters HTTP/1.1\r\n${HOST}Connection: Upgrade, close\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`,
    [401],
  ],
  [
    'a method override',
    `GET /rolebindings/developers-view HTTP/1.1\r\n${HOST}${AUTH}${CLOSE}X-HTTP-Method-Override: DELETE\r\n\r\n`,
    [200],
  ],
  [
    'a GET with a body',
    `GET /clusters HTTP/1.1\r\n${HOST}${AUTH}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    [400],
  ],
  [
    'a GET with a chunked body',
    `GET /clusters HTTP/1.1\r\n${HOST}${AUTH}${CLOSE}Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n${HIDDEN}`,
    [400],
  ],
  [
    'a refused POST with a body',
    `POST /namespaces HTTP/1.1\r\n${HOST}${JSON_TYPE}Content-Length: ${HIDDEN.length}\r\n\r\n${HIDDEN}`,
    [401],
  ],
];

describe('octets that are not one well-formed request', () => {
  const gateway = shareGateway();
  let fleetBefore = '';
  before(async () => {
    fleetBefore = await gateway().fleet();
  });

  for (const [what, octets, statuses] of CASES) {
    it(`${what}: ${statuses.join()}`, async () => {
      const { answers, ended } = await exchange(gateway(), octets);
      assert.deepEqual(
        answers.map(({ status }) => status),
        statuses,
      );
      assert.equal(ended, true, 'whatever follows is not read');
      for (const { headers, body, status } of answers) {
        assert.match(String(headers['x-request-id']), /^[0-9a-f]{24}$/);
        if (status >= 400) assert.equal(JSON.parse(body).request_id, headers['x-request-id']);
      }
    });
  }

  it('judges pipelined requests each on its own, in order', async () => {
    const ask = (path: string, token?: string): string =>
      `GET ${path} HTTP/1.1\r\n${HOST}${token === undefined ? '' : `Authorization: Bearer ${token}\r\n`}\r\n`;
    const octets = [
      ask('/clusters', WRITE_TOKEN),
      ask('/clusters'),
      ask('/clusters', 'unknown'),
      ask('/health'),
      ask('/clusters', WRITE_TOKEN),
      ask('/%2e', WRITE_TOKEN),
    ].join('');
    const { answers } = await exchange(gateway(), octets, { answers: 6 });
    assert.deepEqual(
      answers.map(({ status }) => status),
      [200, 401, 401, 200, 200, 400],
    );
  });

  it('answers nothing to CONNECT but the end of the connection, and tunnels nothing', async () => {
    const { octets, ended } = await exchange(
      gateway(),
      `CONNECT localhost:22 HTTP/1.1\r\n${HOST}\r\n${HIDDEN}`,
    );
    assert.doesNotMatch(octets, /^HTTP\/1\.1 [23]/);
    assert.equal(ended, true);
  });

  it('answers nothing to plain HTTP on the TLS port', async () => {
    const received = await new Promise<string>((resolve) => {
      let text = '';
      const socket = createConnection(gateway().port, '127.0.0.1', () => {
        socket.write(`GET /health HTTP/1.1\r\n${HOST}\r\n`);
      });
      socket.on('data', (chunk) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.on('close', () => resolve(text));
    });
    assert.doesNotMatch(received, /HTTP/);
  });

  it('still serves, and the fleet is as it was', async () => {
    assert.equal(await gateway().fleet(), fleetBefore);
  });
});
