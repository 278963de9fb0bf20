import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { LIMITS } from '../../src/core/limits.ts';
import { closed, openTcp, throughProxy } from '../support/proxied.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { until } from '../support/until.ts';

const REQUEST = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
const PROXY = '127.0.0.2';
const corpus = new URL('../corpus/proxy/', import.meta.url);

describe('a PROXY protocol header', () => {
  const gateway = shareGateway({ environment: { TRUSTED_PROXIES: PROXY } });
  const refusals = (): unknown[] =>
    gateway()
      .log.filter(({ msg }) => msg === 'PROXY protocol header refused')
      .map(({ reason }) => reason);

  for (const name of readdirSync(corpus).sort()) {
    const [says = '', ...lines] = readFileSync(new URL(name, corpus), 'utf8').trim().split('\n');
    const octets = Buffer.from(lines.filter((text) => !text.startsWith('#')).join(''), 'hex');
    const reason = /^Refused: (.*)$/.exec(says)?.[1];
    if (reason === undefined) continue;
    it(`that is wrong (${name}) ends the connection, and the log says ${reason}`, async () => {
      const before = refusals().length;
      const tcp = await openTcp(gateway().port, PROXY);
      tcp.write(octets);
      await closed(tcp);
      await until(() => refusals().length > before);
      assert.deepEqual(refusals().slice(before), [reason]);
    });
  }

  it('that is missing ends the connection of a proxy before TLS', async () => {
    const before = refusals().length;
    assert.equal(await throughProxy(gateway(), [], { request: REQUEST, localAddress: PROXY }), undefined);
    assert.deepEqual(refusals().slice(before), ['no_header']);
  });

  it('that never ends is waited for no longer than the bound, however its octets trickle in', async () => {
    const before = refusals().length;
    const silent = await openTcp(gateway().port, PROXY);
    const slow = await openTcp(gateway().port, PROXY);
    const begun = performance.now();
    const octets = [...Buffer.from('PROXY UNKNOWN 1111111111111111111111111111', 'latin1')];
    const trickle = setInterval(() => {
      const octet = octets.shift();
      if (octet !== undefined && slow.writable) slow.write(Buffer.from([octet]));
    }, 300);
    await Promise.all([closed(silent), closed(slow)]);
    clearInterval(trickle);
    const tookMs = performance.now() - begun;
    assert.ok(tookMs > LIMITS.proxyHeaderTimeoutMs - 500, `${tookMs} ms`);
    assert.ok(tookMs < LIMITS.proxyHeaderTimeoutMs + 5_000, `${tookMs} ms`);
    assert.deepEqual(refusals().slice(before), ['incomplete', 'incomplete']);
  });

  it('that is cut off by its sender leaves nothing behind', async () => {
    const before = refusals().length;
    const half = await openTcp(gateway().port, PROXY);
    half.end('PROXY TC');
    await closed(half);
    await until(() => refusals().length > before);
    assert.deepEqual(refusals().slice(before), ['incomplete']);
  });

  it('from anybody else is a protocol error, and the log says why', async () => {
    for (const header of [
      'PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\n',
      '\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x02',
    ]) {
      const before = gateway().log.length;
      const octets = Buffer.from(header, 'latin1');
      const request = { request: REQUEST, localAddress: '127.0.0.9' };
      assert.equal(await throughProxy(gateway(), [octets], request), undefined);
      await until(() => gateway().log.length > before);
      const line = gateway().log[before];
      assert.equal(line?.msg, 'TLS handshake failed');
      assert.equal(line['source'], '127.0.0.9');
      assert.match(String(line['hint']), /PROXY protocol header.*TRUSTED_PROXIES/);
    }
  });

  it('leaves the others served', async () => {
    assert.equal((await gateway().send({ path: '/health' })).status, 200);
  });
});
