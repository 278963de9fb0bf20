import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { READ_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const PATH = '/api/v2/flux/clusters/demo-cluster-01.k8s.example.com/namespaces';

/** Host header lines, SNI, and the status of a poll that is good otherwise. */
const CASES: readonly (readonly [
  what: string,
  hosts: readonly string[],
  serverName: string,
  status: number,
])[] = [
  ['the same name', ['localhost'], 'localhost', 200],
  ['the same name with a port', ['localhost:8443'], 'localhost', 200],
  ['another case', ['LOCALHOST'], 'localhost', 200],
  ['a trailing dot', ['localhost.'], 'localhost', 200],
  ['a trailing dot and a port', ['localhost.:8443'], 'localhost', 200],
  ['no SNI, as for an IP address', ['127.0.0.1'], '', 200],
  ['no SNI, any name', ['internal-api.example.com'], '', 200],
  ['an IPv6 address without SNI', ['[::1]:8443'], '', 200],
  ['another host', ['attacker.example'], 'localhost', 421],
  ['another host with the name before it', ['localhost.attacker.example'], 'localhost', 421],
  ['another host with the name after it', ['x.localhost'], 'localhost', 421],
  ['an address where a name was the SNI', ['127.0.0.1'], 'localhost', 421],
  ['two trailing dots', ['localhost..'], 'localhost', 421],
  ['an empty Host', [''], 'localhost', 400],
  ['user info', ['a@localhost'], 'localhost', 400],
  ['a path', ['localhost/x'], 'localhost', 400],
  ['a port that is no number', ['localhost:x'], 'localhost', 400],
  ['a list', ['localhost, attacker.example'], 'localhost', 400],
  ['two Host headers', ['localhost', 'attacker.example'], 'localhost', 400],
  ['two equal Host headers', ['localhost', 'localhost'], 'localhost', 400],
  ['a space', ['local host'], 'localhost', 400],
  ['an escape', ['localhos%74'], 'localhost', 400],
];

describe('the Host header', () => {
  const gateway = shareGateway();

  for (const [what, hosts, serverName, status] of CASES) {
    it(`${what}: ${status}`, async () => {
      const lines = hosts.map((host) => `Host: ${host}\r\n`).join('');
      const request = `GET ${PATH} HTTP/1.1\r\n${lines}Authorization: Bearer ${READ_TOKEN}\r\nConnection: close\r\n\r\n`;
      const { answers } = await exchange(gateway(), request, { serverName });
      assert.deepEqual(
        answers.map((answer) => answer.status),
        [status],
      );
      assert.match(String(answers[0]?.headers['x-request-id']), /^[0-9a-f]{24}$/);
    });
  }

  it('is checked before any credential is looked at', async () => {
    const request = `GET ${PATH} HTTP/1.1\r\nHost: attacker.example\r\nAuthorization: Bearer unknown\r\nConnection: close\r\n\r\n`;
    const { answers } = await exchange(gateway(), request);
    assert.equal(answers[0]?.status, 421);
  });
});
