import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { request } from 'node:http';
import type { Server } from 'node:net';
import { it, type TestContext } from 'node:test';
import { Server as TlsServer } from 'node:tls';
import { startTestGateway } from '../support/gateway.ts';

/** What Node itself says of each server that listens, in the order in which it happens. */
function listenings(t: TestContext): readonly string[] {
  const seen: string[] = [];
  for (const [event, what] of [
    ['asyncStart', 'begins'],
    ['asyncEnd', 'listens'],
  ]) {
    const name = `tracing:net.server.listen:${event}`;
    const note = (message: unknown): void => {
      const { server } = message as { readonly server: Server };
      seen.push(`${server instanceof TlsServer ? 'clusters' : 'admin'} ${what}`);
    };
    subscribe(name, note);
    t.after(() => unsubscribe(name, note));
  }
  return seen;
}

it('whoever asks may send clusters here at once', async (t) => {
  const seen = listenings(t);
  const { gateway } = await startTestGateway(t);
  assert.deepEqual(seen, ['clusters begins', 'clusters listens', 'admin begins', 'admin listens']);
  const ready = await new Promise((resolve, reject) => {
    const { port } = gateway.adminAddress ?? {};
    request({ port, host: '127.0.0.1', path: '/ready' }, ({ statusCode }) => resolve(statusCode))
      .on('error', reject)
      .end();
  });
  assert.equal(ready, 200);
});
