import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { type KeptOpen, keepOpen, within } from '../support/kept-open.ts';
import { collect, openRaw } from '../support/raw.ts';
import { certificateSha256, revoke } from '../support/revocations.ts';
import { demoDns } from '../support/trust.ts';

const EACH = 40;

it('two revocations at once, with a reload between: each ends its own connections, and its answer says how many', async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.operator('operator@example.com');
  const connections = new Map<string, KeptOpen[]>();
  for (const dns of [1, 2, 3].map(demoDns)) {
    // A certificate of its own for each, so that each must be judged by itself.
    const kept = Array.from({ length: EACH }, async () => keepOpen(gateway, await gateway.pki.cluster(dns)));
    connections.set(dns, await Promise.all(kept));
  }
  const revokeCluster = async (dns: string): Promise<number> => {
    const body = { cluster_dns: dns, reason: 'both at once' };
    const answer = await gateway.send({ method: 'POST', path: '/revocations', certificate, body });
    assert.equal(answer.status, 201);
    return answer.json<{ connections_closed: number }>().connections_closed;
  };
  const [first, reloaded, second] = await Promise.all([
    revokeCluster(demoDns(1)),
    gateway.gateway.reload('SIGHUP'),
    revokeCluster(demoDns(2)),
  ]);
  assert.equal(reloaded, true);
  for (const dns of [demoDns(1), demoDns(2)]) {
    for (const { ended } of connections.get(dns) ?? []) await within(5_000, ended, `a connection of ${dns}`);
  }
  const line = gateway.log.find(({ msg }) => msg.startsWith('reloaded'));
  assert.equal(first + second + Number(line?.['connections_closed']), 2 * EACH, 'each counted once');
  for (const kept of connections.get(demoDns(3)) ?? []) {
    assert.equal(kept.isEnded(), false);
    kept.socket.destroy();
  }
});

it('a connection that ends with the answer it waits for is counted once, by what took its right', async (t) => {
  const gateway = await startTestGateway(t);
  const operator = await gateway.pki.operator('revoked@example.com');
  const socket = await openRaw(gateway, { certificate: operator });
  const answer = collect(socket);
  const admitted = once(socket, 'data');
  socket.write(
    'POST /namespaces HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n' +
      'Content-Type: application/json\r\nContent-Length: 13\r\n\r\n',
  );
  await admitted;
  const { connections_closed } = await revoke(gateway, {
    certificate_sha256: certificateSha256(operator.pem),
  });
  assert.equal(connections_closed, 1);
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  const line = gateway.log.find(({ msg }) => msg.startsWith('reloaded'));
  assert.equal(line?.['connections_closed'], 0);
  socket.write('{"id":"late"}');
  const { answers, ended } = await answer;
  assert.deepEqual([answers.map(({ status }) => status), ended], [[100, 495], true]);
});
