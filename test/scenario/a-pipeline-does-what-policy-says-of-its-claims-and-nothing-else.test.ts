import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import type { ClientRequest } from '../support/client.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { AUDIENCE, createIssuer } from '../support/issuer.ts';
import { withPolicy } from '../support/policies.ts';

const ISSUER = 'https://ci.example.com';
const EXAMPLE = readFileSync(new URL('../../policy/examples/github-actions.cedar', import.meta.url), 'utf8');
const issuer = await createIssuer(ISSUER);

const cluster = (id: string, environment: string): object => ({
  id,
  cluster_name: id,
  cluster_dns: `${id}.example.com`,
  environment,
});
const seed = {
  clusters: [cluster('d1', 'dev'), cluster('p1', 'prod')],
  platform_components: [],
  namespaces: [],
  rolebindings: [],
};

async function startWith(t: Parameters<typeof startTestGateway>[0], policy: string): Promise<TestGateway> {
  return startTestGateway(t, {
    seed,
    prepare: async (directory) => {
      await writeFile(join(directory, 'jwks.json'), issuer.jwks);
      return {
        ...(await withPolicy(policy)(directory)),
        OIDC_ISSUER: ISSUER,
        OIDC_AUDIENCE: AUDIENCE,
        OIDC_JWKS_FILE: join(directory, 'jwks.json'),
      };
    },
  });
}

const ASKED: readonly (readonly [Omit<ClientRequest, 'token'>, number])[] = [
  [{ path: '/clusters/d1' }, 200],
  [{ method: 'PATCH', path: '/clusters/d1', body: { node_count: 3 } }, 200],
  [{ path: '/clusters?environment=dev' }, 200],
  [{ method: 'POST', path: '/clusters', body: cluster('d2', 'qa') }, 201],
  [{ path: '/api/v2/flux/clusters/d1.example.com/namespaces' }, 200],
  // What the example does not speak of.
  [{ path: '/clusters/p1' }, 403],
  [{ path: '/clusters/none' }, 403],
  [{ method: 'PATCH', path: '/clusters/p1', body: { node_count: 3 } }, 403],
  [{ method: 'PATCH', path: '/clusters/d1', body: { environment: 'prod' } }, 403],
  [{ method: 'POST', path: '/clusters', body: cluster('p2', 'prod') }, 403],
  [{ path: '/clusters' }, 403],
  [{ path: '/clusters?environment=prod' }, 403],
  [{ path: '/api/v2/flux/clusters/p1.example.com/namespaces' }, 403],
  [{ path: '/api/v2/flux/clusters' }, 403],
  [{ path: '/namespaces' }, 403],
  [{ method: 'POST', path: '/tokens', body: { name: 'a', kind: 'reader', ttl: 60 } }, 403],
  [{ path: '/tokens' }, 403],
];

it('a token with the claims that the example speaks of does what it says, and the log names who and which policy', async (t) => {
  const gateway = await startWith(t, EXAMPLE);
  const token = await issuer.sign();
  for (const [request, status] of ASKED) {
    const answer = await gateway.send({ ...request, token });
    assert.equal(answer.status, status, `${request.method} ${request.path}: ${answer.body}`);
  }
  const read = await gateway.send({ path: '/clusters/d1', token });
  assert.equal(read.json()['environment'], 'dev');
  const line = gateway.logOf(read);
  assert.equal(line['principal'], 'workload:repo:acme/fleet:ref:refs/heads/main');
  assert.deepEqual(line['policies'], ['github-release-clusters']);
  assert.ok(!JSON.stringify(gateway.log).includes(token.split('.')[2] ?? ''), 'no token in the log');
});

it('the same token with any one claim that differs does not', async (t) => {
  const gateway = await startWith(t, EXAMPLE);
  for (const claims of [
    { repository: 'acme/fleet2' },
    { repository: 'evil/fleet' },
    { repository: ['acme/flee', 't'] },
    { ref: 'refs/heads/mаin' },
    { ref: 'refs/heads/main\u200b' },
    { ref: undefined },
    { workflow: 'release2' },
    { workflow: { name: 'release' } },
    { 'workflow=release': '', workflow: 'other' },
  ]) {
    const token = await issuer.sign(claims);
    for (const request of [
      { path: '/clusters/d1' },
      { method: 'PATCH', path: '/clusters/d1', body: { node_count: 4 } },
    ]) {
      assert.equal((await gateway.send({ ...request, token })).status, 403, JSON.stringify(claims));
    }
  }
});

it('without a policy that speaks of it, a good token does nothing but what nobody needs a token for', async (t) => {
  const gateway = await startWith(
    t,
    '@id("x") @reason("x") permit (principal is Fluxgate::Reader, action == Fluxgate::Action::"listClusters", resource);',
  );
  const token = await issuer.sign();
  for (const [request] of ASKED) {
    assert.equal((await gateway.send({ ...request, token })).status, 403, request.path);
  }
  assert.equal((await gateway.send({ path: '/health', token })).status, 200);
  const asBasic = { authorization: `Basic ${Buffer.from(`x:${token}`).toString('base64')}` };
  assert.equal((await gateway.send({ path: '/clusters/d1', headers: asBasic })).status, 403);
  const untouched = await gateway.send({ path: '/clusters/d1', token: WRITE_TOKEN });
  assert.equal(untouched.json()['node_count'], undefined);
});

it('the ratchet and a revoked cluster hold for pipelines, too', async (t) => {
  const gateway = await startWith(t, EXAMPLE);
  const token = await issuer.sign();
  const path = '/api/v2/flux/clusters/d1.example.com/namespaces';
  assert.equal((await gateway.send({ path, token })).status, 200);
  const certificate = await gateway.pki.cluster('d1.example.com');
  assert.equal((await gateway.send({ path, certificate })).status, 200);
  assert.equal((await gateway.send({ path, token })).status, 403);
});
