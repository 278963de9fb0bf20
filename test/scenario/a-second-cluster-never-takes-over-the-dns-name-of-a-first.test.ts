import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { operator, poll, verdict } from '../support/poll.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const second = (id: string, cluster_dns = DNS) => ({
  id,
  cluster_name: id,
  cluster_dns,
  environment: 'dev',
});

test('by no way of writing does another cluster answer under a name that is taken', async (t) => {
  const gateway = await startTestGateway(t);
  const send = operator(gateway);
  const before = await poll(gateway, 'demo-cluster-01');
  const { files } = (await send('GET', '/export')).json<{ files: Record<string, string> }>();
  const merge = (ids: string[], patch: object) => ({
    select: { ids },
    operations: [{ op: 'merge', merge: patch }],
  });
  const yaml = JSON.stringify(second('other'));
  const ways = [
    ['POST', '/clusters', second('other'), '409 conflict'],
    ['PUT', '/clusters/demo-cluster-02', { cluster_dns: DNS }, '409 conflict'],
    ['PATCH', '/clusters/demo-cluster-02', { cluster_dns: DNS }, '409 conflict'],
    ['POST', '/bulk', merge(['demo-cluster-02'], { cluster_dns: DNS }), '409 conflict'],
    ['POST', '/import', { mode: 'merge', files: { ...files, 'clusters/other.yaml': yaml } }, '409 conflict'],
    ['POST', '/clusters', second('other', DNS.toUpperCase()), '400 validation_error'],
    ['POST', '/clusters', second('other', `${DNS}.`), '400 validation_error'],
    // U+212A, KELVIN SIGN: a "k" to whoever folds case carelessly.
    ['POST', '/clusters', second('other', DNS.replace('k', '\u212a')), '400 validation_error'],
  ] as const;
  for (const [method, path, body, expected] of ways) {
    assert.equal(verdict(await send(method, path, body)), expected, `${method} ${path}`);
    assert.deepEqual(await poll(gateway, 'demo-cluster-01'), before);
  }
});

test('of two that are created at once, one is there', async (t) => {
  const gateway = await startTestGateway(t);
  const create = (id: string) =>
    gateway.send({
      method: 'POST',
      path: '/clusters',
      token: WRITE_TOKEN,
      body: second(id, 'new.k8s.example.com'),
    });
  const answers = await Promise.all(['one', 'two', 'three', 'four'].map(create));
  assert.deepEqual(answers.map(({ status }) => status).sort(), [201, 409, 409, 409]);
});
