import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { within } from '../support/kept-open.ts';
import { openRaw, readAnswers } from '../support/raw.ts';
import { makeToken, revokeToken } from '../support/tokens.ts';

const BODY = JSON.stringify({ id: 'late' });

it('on a connection that is kept open, from the next request on', async (t) => {
  const gateway = await startTestGateway(t);
  const { id, token } = await makeToken(gateway, { kind: 'operator', roles: ['viewer'] });
  const socket = await openRaw(gateway);
  let text = '';
  let wake = (): void => {};
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
    wake();
  });
  const get = async (): Promise<number | undefined> => {
    const before = readAnswers(text).length;
    socket.write(`GET /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\n\r\n`);
    while (readAnswers(text).length === before)
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    return readAnswers(text)[before]?.status;
  };
  assert.equal(await get(), 200);
  assert.equal((await revokeToken(gateway, id)).status, 200);
  assert.equal(await get(), 401);
  socket.destroy();
});

for (const keep of [false, true]) {
  it(`a write that began before is ${keep ? 'finished where the token stays' : 'not finished'}`, async (t) => {
    const gateway = await startTestGateway(t);
    const { id, token } = await makeToken(gateway, { kind: 'operator', roles: ['editor'] });
    const socket = await openRaw(gateway);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.write(
      `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY.slice(0, 5)}`,
    );
    // The first half has been judged when the gateway has seen the token.
    const seen = async (): Promise<void> => {
      for (;;) {
        const record = await gateway.send({ path: `/tokens/${id}`, token: WRITE_TOKEN });
        if (record.json()['last_used_at'] !== undefined) return;
        await pause(5);
      }
    };
    await within(5_000, seen(), 'the token is seen');
    if (!keep) assert.equal((await revokeToken(gateway, id)).status, 200);
    socket.write(BODY.slice(5));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.match(text, keep ? /^HTTP\/1\.1 201 / : /^HTTP\/1\.1 401 /);
    const stored = await gateway.send({ path: '/namespaces/late', token: WRITE_TOKEN });
    assert.equal(stored.status, keep ? 200 : 404);
  });
}

it('in another process that shares the store, within a second; and what is made there is known here', async (t) => {
  const here = await startTestGateway(t);
  const environment = { DATABASE_URL: `sqlite://${here.directory}/fleet.db` };
  const there = await startTestGateway(t, { pki: here.pki, environment });
  const { id, token } = await makeToken(here, { kind: 'operator', roles: ['viewer'] });
  const answers = async (status: number): Promise<void> => {
    while ((await there.send({ path: '/namespaces', token })).status !== status) await pause(10);
  };
  await within(1_000, answers(200), 'the new token is known there');
  assert.equal((await revokeToken(here, id)).status, 200);
  await within(1_000, answers(401), 'the revocation is known there');
});

it('a token can revoke itself, and then it can do nothing', async (t) => {
  const gateway = await startTestGateway(t);
  const { id, token } = await makeToken(gateway, { kind: 'operator', roles: ['security'] });
  assert.equal((await gateway.send({ method: 'DELETE', path: `/tokens/${id}`, token })).status, 200);
  const again = await gateway.send({ path: '/tokens', token });
  assert.equal(again.status, 401);
  assert.match(String(gateway.logOf(again)['reason']), /is revoked/);
  const record = await gateway.send({ path: `/tokens/${id}`, token: WRITE_TOKEN });
  assert.match(String(record.json()['revoked_by']), /^operator:token:/);
});
