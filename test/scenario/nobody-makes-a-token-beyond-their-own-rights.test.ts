import assert from 'node:assert/strict';
import { it } from 'node:test';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { makeToken, postToken } from '../support/tokens.ts';

const operatorOf = (roles: readonly string[], more: object = {}): object => ({
  name: `made-${roles.join('-')}`,
  kind: 'operator',
  roles,
  ttl: 600,
  ...more,
});
const READER = { name: 'made-reader', kind: 'reader', ttl: 600 };
const CLUSTER = { name: 'made-cluster', kind: 'cluster', cluster_dns: 'a.example.com', ttl: 600 };

/** By the roles of who asks: what they may make; all else that is tried is 403. */
const MAY: readonly (readonly [readonly string[], readonly object[]])[] = [
  [['viewer'], []],
  [['editor'], []],
  [['approver'], []],
  [['viewer', 'editor', 'approver'], []],
  [['security'], [operatorOf(['security']), READER, CLUSTER]],
  [
    ['security', 'viewer'],
    [
      operatorOf(['security']),
      operatorOf(['viewer']),
      operatorOf(['viewer'], { name: 'narrow', environments: ['dev'] }),
      READER,
      CLUSTER,
    ],
  ],
  [
    ['admin'],
    [
      ...['admin', 'security', 'editor', 'viewer', 'approver'].map((role) => operatorOf([role])),
      READER,
      CLUSTER,
    ],
  ],
];
const TRIED: readonly object[] = [
  ...['admin', 'security', 'editor', 'viewer', 'approver'].map((role) => operatorOf([role])),
  operatorOf(['security', 'editor']),
  operatorOf(['viewer'], { name: 'narrow', environments: ['dev'] }),
  READER,
  CLUSTER,
];

for (const [roles, may] of MAY) {
  it(`${roles.join(' and ')}: by token and by certificate`, async (t) => {
    const gateway = await startTestGateway(t);
    const { token } = await makeToken(gateway, { kind: 'operator', roles });
    const certificate = await gateway.pki.operator(
      'someone@example.com',
      roles.map((role) => `fluxgate:${role}`),
    );
    const allowed = new Set(may.map((body) => JSON.stringify(body)));
    for (const body of TRIED) {
      const entitled = allowed.has(JSON.stringify(body)) || roles.includes('admin');
      const byToken = await postToken(gateway, body, token);
      assert.equal(byToken.status, entitled ? 201 : 403, `token: ${JSON.stringify(body)}`);
      const byCertificate = await gateway.send({ method: 'POST', path: '/tokens', certificate, body });
      assert.equal(byCertificate.status, entitled ? 201 : 403, `certificate: ${JSON.stringify(body)}`);
    }
    const listed = await gateway.send({ path: '/tokens', token: WRITE_TOKEN });
    const expected = 1 + 2 * (roles.includes('admin') ? TRIED.length : may.length);
    assert.equal(listed.json<unknown[]>().length, expected, 'and nothing was made on the way to a 403');
  });
}

it('a token makes none that outlives it', async (t) => {
  const gateway = await startTestGateway(t);
  const { token } = await makeToken(gateway, { kind: 'operator', roles: ['admin'], ttl: 600 });
  assert.equal((await postToken(gateway, { ...operatorOf(['admin']), ttl: 900 }, token)).status, 403);
  assert.equal((await postToken(gateway, { ...READER, ttl: 900 }, token)).status, 403);
  assert.equal((await postToken(gateway, { ...READER, ttl: 300 }, token)).status, 201);
});

it('readers, clusters and strangers make none', async (t) => {
  const gateway = await startTestGateway(t);
  for (const request of [{ kind: 'reader' }, { kind: 'cluster', cluster_dns: 'a.example.com' }] as const) {
    const { token } = await makeToken(gateway, request);
    for (const body of TRIED) assert.equal((await postToken(gateway, body, token)).status, 403);
  }
  for (const body of TRIED) assert.equal((await postToken(gateway, body, 'nobody')).status, 401);
});

it('a token’s name is never taken for a certificate’s, nor the other way round', async (t) => {
  const gateway = await startTestGateway(t);
  const { token } = await makeToken(gateway, {
    kind: 'operator',
    roles: ['viewer'],
    name: 'ops.example.com',
  });
  const byToken = await gateway.send({ path: '/namespaces', token });
  const certificate = await gateway.pki.operator('ops.example.com');
  const byCertificate = await gateway.send({ path: '/namespaces', certificate });
  assert.equal(gateway.logOf(byToken)['principal'], 'operator:token:ops.example.com');
  assert.equal(gateway.logOf(byCertificate)['principal'], 'operator:ops.example.com');
});
