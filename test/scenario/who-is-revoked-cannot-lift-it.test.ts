import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { collect, openRaw } from '../support/raw.ts';
import { certificateSha256, lift, readRevocation } from '../support/revocations.ts';

it('an operator may revoke the very certificate that asks: the answer arrives, then it is over', async (t) => {
  const gateway = await startTestGateway(t);
  const certificate = await gateway.pki.operator('op@example.com');
  const body = JSON.stringify({
    certificate_sha256: certificateSha256(certificate.pem),
    reason: 'my laptop was stolen',
  });
  const socket = await openRaw(gateway, { certificate });
  const done = collect(socket);
  socket.write(
    `POST /revocations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
  const { answers, ended } = await done;
  assert.deepEqual(
    answers.map(({ status }) => status),
    [201],
  );
  assert.equal(ended, true);
  const { id, connections_closed, created_by } = JSON.parse(answers[0]?.body ?? '') as Record<string, string>;
  assert.deepEqual([connections_closed, created_by], [1, 'operator:op@example.com']);

  const path = `/revocations/${id}`;
  for (const method of ['GET', 'DELETE']) {
    assert.equal((await gateway.send({ method, path, certificate })).status, 495);
  }
  assert.equal((await readRevocation(gateway, String(id))).state, 'in_force');
  assert.equal((await lift(gateway, String(id))).status, 200);
  assert.equal((await gateway.send({ path, certificate })).status, 200);
});
