import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const PATH = '/api/v2/flux/clusters/demo-cluster-01.k8s.example.com/platform-components';
const basic = (pair: string): string => `Basic ${Buffer.from(pair).toString('base64')}`;

/** Header values, and the status of a poll that carries them. */
const CASES: readonly (readonly [what: string, authorization: string, status: number])[] = [
  ['the read token', `Bearer ${READ_TOKEN}`, 200],
  ['the write token', `Bearer ${WRITE_TOKEN}`, 200],
  ['a scheme in another case', `bearer ${READ_TOKEN}`, 200],
  ['Basic NAME:TOKEN', basic(`flux:${READ_TOKEN}`), 200],
  ['Basic without a name', basic(`:${READ_TOKEN}`), 200],
  ['an unknown token', 'Bearer not-a-token-of-this-gateway', 401],
  ['the token and one character more', `Bearer ${READ_TOKEN}x`, 401],
  ['the token without its last character', `Bearer ${READ_TOKEN.slice(0, -1)}`, 401],
  ['the token in upper case', `Bearer ${READ_TOKEN.toUpperCase()}`, 401],
  ['no token after the scheme', 'Bearer', 401],
  ['two tokens', `Bearer ${READ_TOKEN} ${READ_TOKEN}`, 401],
  ['two tokens with a comma', `Bearer ${READ_TOKEN},${WRITE_TOKEN}`, 401],
  ['a token without a scheme', READ_TOKEN, 401],
  ['another scheme', `Token ${READ_TOKEN}`, 401],
  ['an empty value', '', 401],
  ['Basic that is not base64', `Basic ${READ_TOKEN}!`, 401],
  ['Basic without a colon', basic(READ_TOKEN), 401],
  ['Basic with a wrong token', basic('flux:wrong'), 401],
  ['Basic with name and token exchanged', basic(`${READ_TOKEN}:flux`), 401],
  ['Basic with an empty token', basic('flux:'), 401],
  ['10,000 characters', `Bearer ${'a'.repeat(10_000)}`, 401],
];

describe('without a certificate', () => {
  const gateway = shareGateway();

  it('no credential is 401, with a challenge', async () => {
    const answer = await gateway().send({ path: PATH });
    assert.equal(answer.status, 401);
    assert.match(String(answer.headers['www-authenticate']), /^Bearer /);
  });

  for (const [what, authorization, status] of CASES) {
    it(`${what} is ${status}`, async () => {
      const answer = await gateway().send({ path: PATH, headers: { authorization } });
      assert.equal(answer.status, status, answer.body.toString());
    });
  }

  it('two Authorization headers are 401, even when both are good', async () => {
    const header = `Authorization: Bearer ${READ_TOKEN}\r\n`;
    for (const lines of [header, header + header, `${header}Authorization: Bearer x\r\n`]) {
      const request = `GET ${PATH} HTTP/1.1\r\nHost: localhost\r\n${lines}\r\n`;
      const { answers } = await exchange(gateway(), request);
      const expected = lines === header ? 200 : 401;
      assert.deepEqual(
        answers.map(({ status }) => status),
        [expected],
      );
    }
  });

  it('a certificate decides alone: with a good one, a bad token is not looked at', async () => {
    const certificate = await gateway().pki.cluster('demo-cluster-01.k8s.example.com');
    const answer = await gateway().send({ path: PATH, certificate, token: 'nonsense' });
    assert.equal(answer.status, 200);
    const elsewhere = PATH.replace('01', '02');
    const refused = await gateway().send({ path: elsewhere, certificate, token: READ_TOKEN });
    assert.equal(refused.status, 403, 'nor does a good one help it');
  });
});
