import assert from 'node:assert/strict';
import { createConnection } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { collect, openRaw } from '../support/raw.ts';

const BODY = '{"id":"slow"}';

describe('a gateway that drains', () => {
  it('finishes requests in flight, is not ready, and takes no new connections', async (t) => {
    const gateway = await startTestGateway(t);
    const slow = await openRaw(gateway);
    const slowAnswer = collect(slow);
    slow.write(
      `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\n` +
        `Content-Type: application/json\r\nContent-Length: ${BODY.length}\r\n\r\n${BODY.slice(0, 5)}`,
    );
    const probe = await openRaw(gateway);
    const probeAnswer = collect(probe);
    probe.write('GET /ready HTTP/1.1\r\nHost: localhost\r\n');
    const idle = await openRaw(gateway);
    const idleEnd = collect(idle);
    await sleep(50);

    const closed = gateway.gateway.close();
    await sleep(20);
    assert.equal((await idleEnd).ended, true, 'idle connections end at once');
    const refused = await new Promise<string>((resolve) => {
      const late = createConnection(gateway.port, '127.0.0.1', () => resolve('accepted'));
      late.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    });
    assert.equal(refused, 'ECONNREFUSED');

    probe.write('\r\n');
    const ready = (await probeAnswer).answers[0];
    assert.equal(ready?.status, 503);
    assert.match(ready?.body ?? '', /shutting down/);
    assert.equal(ready?.headers['connection'], 'close');

    slow.write(BODY.slice(5));
    const { answers, ended } = await slowAnswer;
    assert.deepEqual(
      answers.map(({ status }) => status),
      [201],
    );
    assert.equal(ended, true);
    await closed;
    assert.ok(gateway.log.some(({ msg }) => msg === 'stopped'));
  });
});
