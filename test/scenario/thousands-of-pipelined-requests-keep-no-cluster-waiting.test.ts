import assert from 'node:assert/strict';
import { it } from 'node:test';
import { mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { startTestGateway } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { besiege } from '../support/siege.ts';

it('what is pipelined beyond the limit is not answered, and its connection ends behind what is', async (t) => {
  const gateway = await startTestGateway(t);
  await besiege(gateway, async () => {
    for (let round = 0; round < 4; round++) {
      const request = 'GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n';
      const { answers, ended } = await exchange(gateway, request.repeat(5_000));
      assert.equal(ended, true);
      assert.ok(answers.length > 0 && answers.length <= LIMITS.pipelinedRequestsMax + 1, `${answers.length}`);
      assert.ok(answers.every(({ status }) => status === 200));
    }
  });
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
