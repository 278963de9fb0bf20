import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import SqliteDatabase from 'better-sqlite3';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { openRaw, readAnswers } from '../support/raw.ts';

const HEAD = 'POST /namespaces HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n';
const BROKEN: Readonly<Record<string, string>> = {
  'a chunk without a length': `${HEAD}Transfer-Encoding: chunked\r\n\r\nZZ\r\n`,
  'octets that are no request': 'nothing of the kind\r\n\r\n',
  'a CONNECT': 'CONNECT localhost:443 HTTP/1.1\r\nHost: localhost:443\r\n\r\n',
};

for (const [what, broken] of Object.entries(BROKEN))
  it(`a write that waits is answered as it went, with ${what} behind it on its connection`, async (t) => {
    const gateway = await startTestGateway(t);
    const certificate = await gateway.pki.operator('op@example.com');
    const other = new SqliteDatabase(join(gateway.directory, 'fleet.db'));
    other.exec('BEGIN IMMEDIATE');
    const socket = await openRaw(gateway, { certificate });
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
    });
    const ended = new Promise((resolve) => socket.on('error', () => {}).on('close', resolve));
    const body = '{"id":"behind"}';
    socket.write(`${HEAD}Content-Length: ${body.length}\r\n\r\n${body}`);
    await pause(200);
    socket.write(broken);
    await pause(300);
    assert.equal(text, '');
    other.exec('ROLLBACK');
    other.close();
    await ended;
    assert.deepEqual(
      readAnswers(text).map(({ status }) => status),
      [201],
    );
    assert.equal((await gateway.send({ path: '/namespaces/behind', token: WRITE_TOKEN })).status, 200);
  });
