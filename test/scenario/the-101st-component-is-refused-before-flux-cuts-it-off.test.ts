import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { operator, poll, servedIds, verdict } from '../support/poll.ts';

const component = (n: number) => ({
  id: `c${n}`,
  component_path: `c/${n}`,
  component_version: '1',
  oci_url: 'oci://registry.example.com/c',
  oci_tag: 'v1',
});
const assigned = (count: number) => Array.from({ length: count }, (_, n) => ({ id: `c${n}`, enabled: true }));
const SEED = {
  platform_components: Array.from({ length: 102 }, (_, n) => component(n)),
  clusters: [
    {
      id: 'full',
      cluster_name: 'full',
      cluster_dns: 'full.k8s.example.com',
      environment: 'dev',
      platform_components: assigned(79),
    },
  ],
};
const PATH = '/clusters/full';

test('from the 80th on there are warnings, the 101st is refused, and a cluster that reads more gets it', async (t) => {
  const gateway = await startTestGateway(t, { seed: SEED });
  const send = operator(gateway);
  const near = await send('PUT', PATH, { platform_components: assigned(80) });
  assert.equal(near.headers['x-limit-warning'], 'full platform-components inputs 80/100');
  const full = await send('PUT', PATH, { platform_components: assigned(100) });
  assert.equal(full.headers['x-limit-warning'], 'full platform-components inputs 100/100');
  const before = await poll(gateway, 'full');
  const bulk = {
    select: { ids: ['full'] },
    operations: [{ op: 'assign', kind: 'platform_component', id: 'c100' }],
  };
  for (const [method, path, body] of [
    ['PUT', PATH, { platform_components: assigned(101) }],
    ['PATCH', PATH, { platform_components: assigned(101) }],
    ['POST', '/bulk', bulk],
    // The other way to have too many: the limit comes down to the inputs.
    ['PATCH', PATH, { filter_limit: 99 }],
  ] as const) {
    const answer = await send(method, path, body);
    assert.equal(verdict(answer), '400 validation_error', method);
    assert.match(answer.body.toString(), /raise filter_limit here and spec\.filter\.limit/);
    assert.deepEqual(await poll(gateway, 'full'), before);
  }
  const more = { platform_components: assigned(101), filter_limit: 200 };
  assert.equal((await send('PUT', PATH, more)).status, 200);
  assert.equal((await servedIds(gateway, 'full', 'platform-components')).length, 101);
  const back = await send('PATCH', PATH, { filter_limit: null });
  assert.equal(verdict(back), '400 validation_error');
});

test('a seed with a cluster of 101 is a refusal to start', async (t) => {
  const [cluster] = SEED.clusters;
  const seed = { ...SEED, clusters: [{ ...cluster, platform_components: assigned(101) }] };
  await assert.rejects(startTestGateway(t, { seed }), /clusters\[0\] "full".*has 101 entries/);
});
