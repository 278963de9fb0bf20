import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const SHIPPED = fileURLToPath(new URL('../../policy/', import.meta.url));
/** Pipelines may always; from the office only on weekdays from 8 to 18 o'clock. */
const RULE = `
@id("office-hours")
@reason("changes from the office wait for office hours")
forbid (principal, action in Fluxgate::Action::"operatorWrite", resource)
when { context.network == "office" }
unless {
  context.hour >= 8 && context.hour < 18 && !["saturday", "sunday"].contains(context.weekday)
};`;

it('a change is allowed from one network at any time, from another in its hours', async (t) => {
  let nowMs = 0;
  const gateway = await startTestGateway(t, {
    clock: { now: () => nowMs || Date.now(), elapsed: () => performance.now() },
    environment: { OPERATOR_NETWORKS: 'office=127.0.0.0/24,ci=127.0.0.2,127.0.1.0/24' },
    async prepare(directory) {
      const policies = join(directory, 'policy');
      await cp(SHIPPED, policies, { recursive: true });
      await writeFile(join(policies, 'office-hours.cedar'), RULE);
      return { POLICY_DIR: policies };
    },
  });
  let number = 0;
  const change = async (localAddress: string): Promise<number> => {
    const body = { id: `office-hours-${number++}`, labels: {}, annotations: {} };
    const request = { method: 'POST', path: '/namespaces', token: WRITE_TOKEN, body, localAddress };
    return (await gateway.send(request)).status;
  };
  const saturdayNoon = Date.UTC(2026, 10, 21, 12);
  const mondayNoon = Date.UTC(2026, 10, 23, 12);
  const mondayNight = Date.UTC(2026, 10, 23, 18);
  for (const [moment, office, pipeline, unnamed, elsewhere] of [
    [saturdayNoon, 403, 201, 201, 403],
    [mondayNoon, 201, 201, 201, 403],
    [mondayNight, 403, 201, 201, 403],
  ] as const) {
    nowMs = moment;
    assert.equal(await change('127.0.0.1'), office, 'from the office');
    assert.equal(await change('127.0.0.2'), pipeline, 'from the narrower network inside it');
    assert.equal(await change('127.0.1.1'), unnamed, 'from a network without a name');
    assert.equal(await change('127.0.2.1'), elsewhere, 'from outside');
  }
  const denied = gateway.log.find(
    ({ policies }) => Array.isArray(policies) && policies.includes('office-hours'),
  );
  assert.equal(denied?.['status'], 403);
});
