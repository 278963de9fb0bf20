import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway } from '../support/gateway.ts';
import { closed } from '../support/proxied.ts';
import { exchange, openRaw, readAnswers } from '../support/raw.ts';
import { besiege, gauge } from '../support/siege.ts';

it('what is pipelined beyond the limit ends in 429 and the end of the connection', async (t) => {
  const gateway = await startTestGateway(t);
  await besiege(gateway, async () => {
    for (let round = 0; round < 4; round++) {
      const socket = await openRaw(gateway);
      let text = '';
      socket.on('data', (chunk: Buffer) => {
        text += chunk.toString('latin1');
      });
      socket.on('error', () => {});
      socket.write('GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(5_000));
      await closed(socket);
      const statuses = readAnswers(text).map(({ status }) => status);
      assert.ok(statuses.length < 5_000, `${statuses.length} answers`);
      assert.ok(statuses.slice(0, -1).every((status) => status === 200 || status === 429));
      const limited = readAnswers(text).filter(({ status }) => status === 429);
      for (const answer of limited) {
        assert.equal(JSON.parse(answer.body).error, 'rate_limited');
        assert.match(String(answer.headers['retry-after']), /^[1-9]\d*$/);
      }
    }
  });
  assert.ok((await gauge(gateway, 'fluxgate_requests_limited_total', 'anonymous')) > 0);
  assert.ok(gateway.log.length < 4 * LIMITS.strangerLines.burst);
});

it('behind a certificate that is worth nothing, only the first is answered: 495, and the end of the connection', async (t) => {
  const gateway = await startTestGateway(t);
  const dns = 'demo-cluster-01.k8s.example.com';
  const worthless = await mintClusterCertificate(dns, await mintCa('nobody trusts this'));
  const certificate = { chainPem: worthless.pem, keyPem: worthless.keyPem };
  await besiege(gateway, async () => {
    for (const path of ['/health', `/api/v2/flux/clusters/${dns}/namespaces`]) {
      const request = `GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`;
      const { answers, ended } = await exchange(gateway, request.repeat(2_000), { certificate });
      assert.deepEqual(
        answers.map(({ status }) => status),
        [495],
      );
      assert.equal(ended, true);
    }
  });
  assert.equal(gateway.log.filter(({ status }) => status === 495).length, 2);
});
