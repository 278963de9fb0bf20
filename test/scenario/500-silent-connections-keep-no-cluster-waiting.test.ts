import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { closed, openTcp } from '../support/proxied.ts';
import { besiege, gauge } from '../support/siege.ts';
import { until } from '../support/until.ts';

it('500 silent connections are ended by the gateway, and every cluster is served meanwhile', async (t) => {
  const gateway = await startTestGateway(t);
  await besiege(gateway, async () => {
    const silent = await Promise.all(Array.from({ length: 500 }, () => openTcp(gateway.port)));
    const unfinished = (): Promise<number> => gauge(gateway, 'fluxgate_tls_handshakes_unfinished');
    await until(async () => (await unfinished()) >= 500, 'they are all taken for handshakes');
    await Promise.all(silent.map(closed));
  });
  assert.equal(await gauge(gateway, 'fluxgate_tls_handshakes_unfinished'), 0);
  // By Node's timer or by ours, whichever looks first.
  const ended =
    (await gauge(gateway, 'fluxgate_connections_refused_total', 'handshake_timeout')) +
    (await gauge(gateway, 'fluxgate_tls_handshakes_total', 'failed'));
  assert.ok(ended >= 500, `${ended}`);
});
