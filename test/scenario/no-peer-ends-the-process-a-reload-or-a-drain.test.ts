import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { mintCa } from '../../certs-dev/mint.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { openRaw } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

describe('whatever a peer does', () => {
  const gateway = shareGateway();

  for (const method of ['HEAD', 'OPTIONS', 'TRACE', 'QUERY', 'PROPFIND', 'PURGE']) {
    it(`${method} is answered with 405, and the next request is served`, async () => {
      for (const path of ['/health', '/clusters']) {
        const socket = await openRaw(gateway());
        let text = '';
        socket.on('data', (chunk: Buffer) => {
          text += chunk.toString('latin1');
        });
        socket.write(`${method} ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
        await once(socket, 'close');
        assert.match(text, /^HTTP\/1\.1 405 /, `${method} ${path}`);
        if (method === 'HEAD') assert.ok(text.endsWith('\r\n\r\n'), 'no body');
      }
      assert.equal((await gateway().send({ path: '/health' })).status, 200);
    });
  }

  it('a handshake that fails is one line in the log, and the next request is served', async () => {
    const before = gateway().log.length;
    const socket = connect({
      host: '127.0.0.1',
      port: gateway().port,
      maxVersion: 'TLSv1.2',
      rejectUnauthorized: false,
    });
    await assert.rejects(once(socket, 'secureConnect'));
    assert.equal((await gateway().send({ path: '/health' })).status, 200);
    const lines = gateway()
      .log.slice(before)
      .map(({ msg }) => msg);
    assert.deepEqual(lines, ['TLS handshake failed', 'answered']);
  });

  it('a reload and a revocation get through a storm of connections that go away', async () => {
    const operator = await gateway().pki.operator('operator@example.com');
    for (let round = 0; round < 5; round++) {
      const sockets = await Promise.all(Array.from({ length: 40 }, () => openRaw(gateway())));
      for (const socket of sockets) socket.on('error', () => {});
      const reload = gateway().gateway.reload('SIGHUP');
      const revoked = gateway().send({
        method: 'POST',
        path: '/revocations',
        certificate: operator,
        body: { spki_sha256: String(round).repeat(64), reason: 'storm' },
      });
      for (const socket of sockets) socket.destroy();
      assert.equal(await reload, true);
      assert.equal((await revoked).status, 201);
    }
    assert.ok(!gateway().log.some(({ msg }) => msg.startsWith('could not answer')));
  });
});

it('a large answer that nobody reads to its end leaves the next one whole', async (t) => {
  const gateway = await startTestGateway(t);
  const others: string[] = [];
  for (let i = 0; i < 600; i++) {
    others.push((await mintCa(`one of many ${i}`, { reuseKeyOf: gateway.pki.clusterRoot })).pem);
  }
  await writeFile(join(gateway.directory, 'cluster-ca.crt'), gateway.pki.clusterBundlePem + others.join(''));
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  const head = `GET /trust HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\n\r\n`;
  for (let round = 0; round < 10; round++) {
    const socket = await openRaw(gateway);
    socket.on('error', () => {});
    socket.write(head);
    // Before its answer is made, when it begins, and a little later.
    for (let pieces = 0; pieces < round % 5; pieces++) await once(socket, 'data');
    socket.destroy();
  }
  const answer = await gateway.send({ path: '/trust', token: WRITE_TOKEN });
  assert.equal(answer.status, 200);
  assert.ok(answer.body.length > 2 * 65_536, `${answer.body.length} octets are several pieces`);
  assert.equal(answer.json<{ authorities: object[] }>().authorities.length, 603);
  assert.ok(!gateway.log.some(({ msg }) => msg.startsWith('could not answer')));
});

it('a drain that cuts a request off still has its line in the log, and ends', async (t) => {
  const gateway = await startTestGateway(t);
  const socket = await openRaw(gateway);
  socket.on('error', () => {});
  const admitted = once(socket, 'data');
  socket.write(
    `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\nExpect: 100-continue\r\n` +
      'Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n',
  );
  assert.match(String(await admitted), /^HTTP\/1\.1 100 /);
  const closing = gateway.gateway.close();
  socket.destroy();
  await closing;
  assert.equal(gateway.log.at(-1)?.msg, 'stopped');
  assert.equal(gateway.log.filter(({ operation }) => operation === 'createNamespace').length, 1);
});
