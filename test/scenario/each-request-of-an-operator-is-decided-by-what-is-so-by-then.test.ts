import assert from 'node:assert/strict';
import { cp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { keepOpen } from '../support/kept-open.ts';

const SHIPPED = fileURLToPath(new URL('../../policy/', import.meta.url));
const HOUR_MS = 3_600_000;
const notAt = (hour: number): string => `
@id("not-then") @reason("not at this hour")
forbid (principal, action, resource) when { context.hour == ${hour} };`;
const NOBODY =
  '@id("nobody") @reason("nobody") forbid (principal, action == Fluxgate::Action::"getCluster", resource);';
const cluster = { id: 'c', cluster_name: 'c', cluster_dns: 'c.example.com', environment: 'dev' };

it('on one connection, again and again, where only one thing changes in between', async (t) => {
  let nowMs = Date.now();
  let policies = '';
  const gateway = await startTestGateway(t, {
    clock: { now: () => nowMs, elapsed: () => performance.now() },
    seed: { clusters: [cluster], platform_components: [], namespaces: [], rolebindings: [] },
    async prepare(directory) {
      policies = join(directory, 'policy');
      await cp(SHIPPED, policies, { recursive: true });
      await writeFile(join(policies, 'hour.cedar'), notAt(new Date(nowMs + HOUR_MS).getUTCHours()));
      return { POLICY_DIR: policies };
    },
  });
  const groups = ['fluxgate:viewer', 'fluxgate:environment=dev'];
  const kept = await keepOpen(gateway, await gateway.pki.operator('dev@example.com', groups));
  const status = async (path = '/clusters/c'): Promise<number | undefined> => (await kept.get(path))?.status;
  const again = async (): Promise<void> => {
    for (let times = 0; times < 3; times++) assert.equal(await status(), 200);
  };
  const change = async (body: object): Promise<void> => {
    const answer = await gateway.send({ method: 'PATCH', path: '/clusters/c', token: WRITE_TOKEN, body });
    assert.equal(answer.status, 200, String(answer.body));
  };

  await again();
  await change({ environment: 'prod' });
  assert.equal(await status(), 403, 'it is elsewhere');
  await change({ environment: 'dev' });
  await again();
  assert.equal(await status('/clusters/d'), 403, 'another one, which is not there');
  await again();
  nowMs += HOUR_MS;
  assert.equal(await status(), 403, 'it is late');
  assert.equal(await status('/health'), 403);
  nowMs -= HOUR_MS;
  await again();
  assert.equal(await status('/health'), 200);
  await again();
  await writeFile(join(policies, 'nobody.cedar'), NOBODY);
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  assert.equal(await status(), 403, 'by the policies that were loaded');
  await rm(join(policies, 'nobody.cedar'));
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
  await again();
});
