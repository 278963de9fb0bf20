import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { READ_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const HOST = 'Host: localhost\r\n';

/** What node:http answers by itself, or leaves out, unless it is told not to. */
const CASES: readonly (readonly [what: string, octets: string, statuses: readonly number[]])[] = [
  ['no Host header', 'GET /health HTTP/1.1\r\nConnection: close\r\n\r\n', [400]],
  [
    'an expectation that is not 100-continue',
    `GET /health HTTP/1.1\r\n${HOST}Connection: close\r\nExpect: something\r\n\r\n`,
    [400, 417],
  ],
  ['a request line without a version', `GET /health\r\n${HOST}\r\n`, [400]],
  [
    'a request line without a version that ends in a bare LF',
    `GET /health\nX: y HTTP/1.1\r\n${HOST}\r\n`,
    [400],
  ],
  [
    '65 headers',
    `GET /health HTTP/1.1\r\n${HOST}Connection: close\r\n${'X: y\r\n'.repeat(63)}\r\n`,
    [400, 431],
  ],
  [
    'a second Host after 64 headers',
    `GET /health HTTP/1.1\r\n${HOST}Connection: close\r\n${'X: y\r\n'.repeat(70)}Host: attacker.example\r\n\r\n`,
    [400, 431],
  ],
  [
    'a second Authorization after 64 headers',
    `GET /api/v2/flux/clusters HTTP/1.1\r\n${HOST}Authorization: Bearer ${READ_TOKEN}\r\n${'X: y\r\n'.repeat(70)}Authorization: Bearer x\r\n\r\n`,
    [400, 401, 431],
  ],
];

describe('what node:http would decide by itself', () => {
  const gateway = shareGateway();

  for (const [what, octets, allowed] of CASES) {
    it(`is refused with an error of ours and a line in the log: ${what}`, async () => {
      const { answers } = await exchange(gateway(), octets);
      assert.equal(answers.length, 1);
      const { status, headers, body } = answers[0] ?? { status: 0, headers: {}, body: '' };
      assert.ok(allowed.includes(status), `${status} ${body}`);
      const id = headers['x-request-id'];
      assert.match(String(id), /^[0-9a-f]{24}$/);
      assert.equal(JSON.parse(body).request_id, id);
      assert.ok(gateway().log.some((line) => line['request_id'] === id));
    });
  }

  it('takes 64 headers', async () => {
    const octets = `GET /health HTTP/1.1\r\n${HOST}Connection: close\r\n${'X: y\r\n'.repeat(62)}\r\n`;
    assert.equal((await exchange(gateway(), octets)).answers[0]?.status, 200);
  });
});
