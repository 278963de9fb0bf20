import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { throughProxy } from '../support/proxied.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const OPERATE = `GET /clusters HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\n\r\n`;
const HEALTH = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';

const line = (text: string): Buffer => Buffer.from(`${text}\r\n`, 'latin1');
const v1 = (source: string): Buffer =>
  line(`PROXY ${source.includes(':') ? 'TCP6' : 'TCP4'} ${source} ${source} 4711 8443`);

/** Version 2, one IPv4 address and an extension that says what nobody believes. */
function v2(source: string, command = 0x21): Buffer {
  const address = Buffer.from(source.split('.').map(Number));
  const rest = Buffer.concat([
    address,
    address,
    Buffer.from([0x12, 0x67, 0x20, 0xfb]),
    Buffer.from([2, 0, 4]),
    Buffer.from('evil'),
  ]);
  const head = Buffer.from([
    0x0d,
    0x0a,
    0x0d,
    0x0a,
    0,
    0x0d,
    0x0a,
    0x51,
    0x55,
    0x49,
    0x54,
    0x0a,
    command,
    0x11,
    0,
    rest.length,
  ]);
  return Buffer.concat([head, rest]);
}

describe('behind a trusted proxy', () => {
  const gateway = shareGateway({
    environment: { TRUSTED_PROXIES: '127.0.0.2,127.0.0.3', OPERATOR_NETWORKS: '192.0.2.0/24,fd00::/8' },
  });
  const ask = async (header: readonly Buffer[], request = OPERATE) => {
    const exchange = await throughProxy(gateway(), header, { request, localAddress: '127.0.0.2' });
    const [answer] = exchange?.answers ?? [];
    if (answer === undefined) return undefined;
    const record = gateway().log.find(({ request_id }) => request_id === answer.headers['x-request-id']);
    return { status: answer.status, source: record?.['source'] };
  };

  for (const [what, header, status, source] of [
    ['version 1 names an operator', v1('192.0.2.7'), 200, '192.0.2.7'],
    ['version 1 names a stranger', v1('198.51.100.7'), 403, '198.51.100.7'],
    ['version 1 names an operator by IPv6', v1('FD00:0::1'), 200, 'fd00::1'],
    ['version 1 names an operator in the mapped spelling', v1('::ffff:192.0.2.7'), 200, '192.0.2.7'],
    ['version 2 names an operator', v2('192.0.2.8'), 200, '192.0.2.8'],
    ['version 2 names a stranger', v2('198.51.100.8'), 403, '198.51.100.8'],
    ['the proxy speaks for itself, whatever it says beside that', v2('192.0.2.8', 0x20), 403, '127.0.0.2'],
    ['the proxy does not know', line('PROXY UNKNOWN 192.0.2.7 192.0.2.7 1 2'), 403, '127.0.0.2'],
  ] as const) {
    it(`${what}: ${status}, from ${source}`, async () => {
      assert.deepEqual(await ask([header]), { status, source });
    });
  }

  it('headers are read however they are split, to the very octet', async () => {
    for (const header of [v1('192.0.2.7'), v2('192.0.2.7')]) {
      for (let at = 1; at <= header.length; at++) {
        const pieces =
          at === header.length
            ? [...header].map((octet) => Buffer.from([octet]))
            : [header.subarray(0, at), header.subarray(at)];
        assert.deepEqual(await ask(pieces), { status: 200, source: '192.0.2.7' }, `after octet ${at}`);
      }
    }
  });

  it('a second header, and one inside TLS, is not read', async () => {
    assert.equal(await ask([v1('198.51.100.7'), v1('192.0.2.7')]), undefined);
    const inside = await ask([v1('198.51.100.7')], `${v1('192.0.2.7').toString('latin1')}${OPERATE}`);
    assert.equal(inside?.status, 400);
  });

  it('who comes without a proxy sends no header and is who connects', async () => {
    const answer = await gateway().send({ path: '/health' });
    assert.equal(gateway().logOf(answer)['source'], '127.0.0.1');
    const exchange = await throughProxy(gateway(), [], { request: HEALTH });
    assert.equal(exchange?.answers[0]?.status, 200);
  });
});
