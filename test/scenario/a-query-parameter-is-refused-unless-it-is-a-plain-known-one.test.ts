import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

describe('query parameters', () => {
  const gateway = shareGateway();

  it('are taken in decimal', async () => {
    for (const query of ['limit=10', 'offset=0', 'limit=1&offset=2']) {
      const answer = await gateway().send({ path: `/clusters?${query}`, token: WRITE_TOKEN });
      assert.equal(answer.status, 200, query);
    }
  });

  for (const query of [
    'limit=1e3',
    'limit=0x10',
    'limit=0b1',
    'limit=+1',
    'limit=%201',
    'limit=1.0',
    'offset=1e1',
    '__proto__=1',
    'constructor=1',
    'toString=1',
  ]) {
    it(`are 400 in any other form: ${query}`, async () => {
      const answer = await gateway().send({ path: `/clusters?${query}`, token: WRITE_TOKEN });
      assert.equal(answer.status, 400);
    });
  }
});
