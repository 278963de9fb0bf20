import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway } from '../support/gateway.ts';
import { operator, poll, verdict } from '../support/poll.ts';

const ID = 'demo-cluster-01';

/** Unquoted in a template, each of these is more YAML than one value, or no YAML at all. */
const BREAKING = [
  'x\n  kind: ClusterRoleBinding',
  'x\r\ny',
  'x\ty',
  'x\u0000',
  'x\u0085y: z',
  'x\u2028y',
  'x\u001b[2J',
  'x\u007f',
  'x\uffff',
  'x\ufffe',
];

test('a patch value or key that breaks the template is refused with the reason, and polls get what they got', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, ID);
  for (const value of BREAKING) {
    for (const [body, field] of [
      [{ patches: { podinfo: { greeting: value } } }, '/patches/podinfo/greeting'],
      [{ cluster_name: value }, '/cluster_name'],
      [{ platform_components: [{ id: 'podinfo', enabled: true, component_path: value }] }, undefined],
    ] as const) {
      const answer = await send('PATCH', `/clusters/${ID}`, body);
      assert.equal(verdict(answer), '400 validation_error', JSON.stringify(body));
      const { details } = answer.json<{ details: { field: string; problem: string }[] }>();
      if (field !== undefined) assert.equal(details[0]?.field, field);
      assert.ok(!answer.body.includes(value), 'the value is not repeated');
    }
  }
  for (const key of ['a b', 'a:b', 'a"b', '{{a}}', '<<a>>', 'ä', 'a\nb', '', 'a/b']) {
    const answer = await send('PATCH', `/clusters/${ID}`, { patches: { podinfo: { [key]: '1' } } });
    assert.equal(verdict(answer), '400 validation_error', JSON.stringify(key));
  }
  assert.deepEqual(await poll(gateway, ID), before);
});

test('a value that is quoted as any other is served as it is', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const value = '{"a": "b\\\\c"} # <<x>> {{y}} \'z\' 👩‍🚀 & *';
  const patch = { patches: { podinfo: { greeting: value } } };
  assert.equal((await send('PATCH', `/clusters/${ID}`, patch)).status, 200);
  const [components = ''] = await poll(gateway, ID);
  const { inputs } = JSON.parse(components) as { inputs: { id: string; patches: Record<string, string> }[] };
  assert.equal(inputs.find(({ id }) => id === 'podinfo')?.patches['greeting'], value);
});
