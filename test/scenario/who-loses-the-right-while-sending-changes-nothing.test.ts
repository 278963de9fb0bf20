import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { openRaw } from '../support/raw.ts';

const BODY = JSON.stringify({ id: 'late' });

for (const [what, keep] of [
  ['a write token that is removed while its body arrives writes nothing', false],
  ['one that stays writes', true],
] as const) {
  test(what, async (t) => {
    const gateway = await startTestGateway(t, {
      prepare: async (directory) => {
        await writeFile(join(directory, 'write-tokens'), `${WRITE_TOKEN}\nanother-write-token-0003\n`);
        return { CRUD_AUTH_TOKEN_FILE: join(directory, 'write-tokens') };
      },
      environment: { CRUD_AUTH_TOKEN: undefined },
    });
    const socket = await openRaw(gateway);
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    socket.write(
      `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY.slice(0, 5)}`,
    );
    await pause(100);
    const tokens = keep ? `${WRITE_TOKEN}\nanother-write-token-0003\n` : 'another-write-token-0003\n';
    await writeFile(join(gateway.directory, 'write-tokens'), tokens);
    assert.equal(await gateway.gateway.reload('SIGHUP'), true);
    socket.write(BODY.slice(5));
    await new Promise((resolve) => socket.once('close', resolve));
    assert.match(text, keep ? /^HTTP\/1\.1 201 / : /^HTTP\/1\.1 401 /);
    const stored = await gateway.send({ path: '/namespaces/late', token: 'another-write-token-0003' });
    assert.equal(stored.status, keep ? 200 : 404);
  });
}

test('garbage behind a write is never answered in place of the write', async (t) => {
  const gateway = await startTestGateway(t);
  const socket = await openRaw(gateway);
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {});
  socket.write(
    `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\n` +
      `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY}GARBAGE\r\n\r\n`,
  );
  await new Promise((resolve) => socket.once('close', resolve));
  const stored = await gateway.send({ path: '/namespaces/late', token: WRITE_TOKEN });
  if (stored.status === 200) assert.match(text, /^(HTTP\/1\.1 201 |$)/, 'the truth, or nothing');
  else assert.doesNotMatch(text, / 201 /);
  assert.doesNotMatch(text, /^HTTP\/1\.1 400 /);
});
