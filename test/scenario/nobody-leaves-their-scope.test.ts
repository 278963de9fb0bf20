import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { ClientRequest } from '../support/client.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { makeToken } from '../support/tokens.ts';

const cluster = (id: string, environment: string, more: object = {}): Record<string, unknown> => ({
  id,
  cluster_name: id,
  cluster_dns: `${id}.example.com`,
  environment,
  ...more,
});
const component = {
  component_path: 'p',
  component_version: '1',
  oci_url: 'oci://r.example.com/p',
  oci_tag: 'v1',
};
const seed = {
  clusters: [
    cluster('d1', 'dev', { platform_components: [{ id: 'shared', enabled: true }] }),
    cluster('q1', 'qa'),
    cluster('moved', 'prod'),
    cluster('p1', 'prod', {
      platform_components: [{ id: 'shared', enabled: true }],
      namespaces: [{ id: 'n1' }],
    }),
  ],
  platform_components: [{ id: 'shared', ...component, cluster_env_enabled: false, depends_on: [] }],
  namespaces: [{ id: 'n1', labels: {}, annotations: {} }],
  rolebindings: [],
};

type Asked = readonly (readonly [what: string, request: ClientRequest, status: number])[];

/** An editor and viewer of dev and qa. */
const ASKED: Asked = [
  ['reads a cluster of its own', { path: '/clusters/d1' }, 200],
  ['changes it', { method: 'PATCH', path: '/clusters/d1', body: { node_count: 2 } }, 200],
  ['replaces it', { method: 'PUT', path: '/clusters/d1', body: { node_count: 3 } }, 200],
  ['moves it within its scope', { method: 'PATCH', path: '/clusters/d1', body: { environment: 'qa' } }, 200],
  ['adds one', { method: 'POST', path: '/clusters', body: cluster('d2', 'dev') }, 201],
  ['takes it away', { method: 'DELETE', path: '/clusters/d2' }, 200],
  ['lists its own', { path: '/clusters?environment=dev' }, 200],
  ['lists its own as Flux does', { path: '/api/v2/flux/clusters?environment=qa' }, 200],
  ['reads what its own are told', { path: '/api/v2/flux/clusters/q1.example.com/namespaces' }, 200],
  ['reads the catalogue', { path: '/platform_components/shared' }, 200],

  ['reads another', { path: '/clusters/p1' }, 403],
  ['reads one that is not there', { path: '/clusters/nothing' }, 403],
  ['changes another', { method: 'PATCH', path: '/clusters/p1', body: { node_count: 2 } }, 403],
  ['replaces another', { method: 'PUT', path: '/clusters/p1', body: { environment: 'dev' } }, 403],
  ['pulls another over', { method: 'PATCH', path: '/clusters/p1', body: { environment: 'dev' } }, 403],
  ['takes another away', { method: 'DELETE', path: '/clusters/p1' }, 403],
  ['takes away one that is not there', { method: 'DELETE', path: '/clusters/nothing' }, 403],
  [
    'moves its own out (PATCH)',
    { method: 'PATCH', path: '/clusters/d1', body: { environment: 'prod' } },
    403,
  ],
  ['moves its own out (PUT)', { method: 'PUT', path: '/clusters/d1', body: { environment: 'prod' } }, 403],
  ['adds one elsewhere', { method: 'POST', path: '/clusters', body: cluster('p2', 'prod') }, 403],
  ['lists all', { path: '/clusters' }, 403],
  ['lists another environment', { path: '/clusters?environment=prod' }, 403],
  ['lists its own and another', { path: '/clusters?environment=dev&environment=prod' }, 403],
  ['lists another and its own', { path: '/clusters?environment=prod&environment=dev' }, 403],
  ['lists by an escaped name', { path: '/clusters?%65nvironment=prod' }, 403],
  ['lists by a name in upper case', { path: '/clusters?Environment=dev' }, 403],
  ['lists with an environment of none', { path: '/clusters?environment=' }, 403],
  ['looks up another by its name', { path: '/clusters?cluster_dns=p1.example.com' }, 403],
  ['lists all as Flux does', { path: '/api/v2/flux/clusters' }, 403],
  ['reads what another is told', { path: '/api/v2/flux/clusters/p1.example.com/namespaces' }, 403],
  ['reads what nobody is told', { path: '/api/v2/flux/clusters/x.example.com/namespaces' }, 403],
  // The catalogue belongs to every cluster that uses it, prod's as well.
  [
    'changes what prod uses',
    { method: 'PATCH', path: '/platform_components/shared', body: { oci_tag: 'evil' } },
    403,
  ],
  [
    'replaces what prod uses',
    { method: 'PUT', path: '/platform_components/shared', body: { oci_tag: 'evil' } },
    403,
  ],
  ['takes away from the catalogue', { method: 'DELETE', path: '/namespaces/n1' }, 403],
  ['adds to the catalogue', { method: 'POST', path: '/namespaces', body: { id: 'n2' } }, 403],
  // What is about the fleet as a whole, and every other way to write.
  ['reads what was', { path: '/revisions' }, 403],
  ['reads one change', { path: '/revisions/1' }, 403],
  ['takes the fleet home', { path: '/export' }, 403],
  [
    'changes many, its own',
    {
      method: 'POST',
      path: '/bulk',
      body: { select: { environment: 'dev' }, operations: [{ op: 'enable', id: 'shared' }] },
    },
    403,
  ],
  [
    'imports',
    { method: 'POST', path: '/import', body: { mode: 'merge', files: { 'namespaces/n3.yaml': 'id: n3' } } },
    403,
  ],
  ['takes back what was', { method: 'POST', path: '/revisions/1/revert' }, 403],
  [
    'plans to move its own out',
    { method: 'PATCH', path: '/clusters/d1?dry_run=true', body: { environment: 'prod' } },
    403,
  ],
  [
    'plans to add one elsewhere',
    { method: 'POST', path: '/clusters?dry_run=true', body: cluster('p2', 'prod') },
    403,
  ],
  [
    'freezes another',
    { method: 'POST', path: '/clusters/p1/state', body: { state: 'frozen', reason: 'x' } },
    403,
  ],
  ['reads how another is rendered', { path: '/clusters/p1/rendered' }, 403],
  // It is in dev now, and was in prod at first.
  ['reads its own as it is', { path: '/clusters/moved/rendered' }, 200],
  ['reads its own as it was elsewhere', { path: '/clusters/moved/rendered?revision=1' }, 403],
  ['looks at who is trusted', { path: '/trust' }, 403],
  [
    'revokes',
    { method: 'POST', path: '/revocations', body: { cluster_dns: 'p1.example.com', reason: 'x' } },
    403,
  ],
];

describe('an editor of dev and qa', () => {
  const gateway = shareGateway({ seed, environment: { PRUNE_GUARD: 'off' } });
  const holders = {
    async token() {
      const made = await makeToken(gateway(), {
        kind: 'operator',
        roles: ['editor', 'viewer'],
        environments: ['dev', 'qa'],
      });
      return { token: made.token };
    },
    async certificate() {
      const groups = [
        'fluxgate:editor',
        'fluxgate:viewer',
        'fluxgate:environment=dev',
        'fluxgate:environment=qa',
      ];
      return { certificate: await gateway().pki.operator('dev@example.com', groups) };
    },
  };
  before(async () => {
    const body = { environment: 'dev' };
    const move = { method: 'PATCH', path: '/clusters/moved', token: WRITE_TOKEN, body };
    assert.equal((await gateway().send(move)).status, 200);
  });
  for (const [kind, credentialOf] of Object.entries(holders)) {
    it(`with a ${kind} goes this far and no further, and what was refused changed nothing`, async () => {
      const credential = await credentialOf();
      const write = { method: 'PATCH', path: '/clusters/d1', token: WRITE_TOKEN };
      for (const [what, request, status] of ASKED) {
        const before = status === 403 ? await gateway().fleet() : '';
        const answer = await gateway().send({ ...request, ...credential });
        assert.equal(answer.status, status, `${what}: ${answer.body}`);
        if (status === 403) assert.equal(await gateway().fleet(), before, what);
      }
      await gateway().send({ ...write, body: { environment: 'dev' } });
    });
  }
});

it('a scope is decided as the cluster is when it is written, not as it was when the request came', async (t) => {
  const g = await startTestGateway(t, { seed, environment: { PRUNE_GUARD: 'off' } });
  const { token } = await makeToken(g, { kind: 'operator', roles: ['editor'], environments: ['dev'] });
  // Both come at once: whichever is first, prod is never changed by the editor of dev.
  for (let round = 0; round < 10; round++) {
    await g.send({
      method: 'PUT',
      path: '/clusters/d1',
      token: WRITE_TOKEN,
      body: { environment: 'dev', node_count: 1 },
    });
    const [, edited] = await Promise.all([
      g.send({ method: 'PATCH', path: '/clusters/d1', token: WRITE_TOKEN, body: { environment: 'prod' } }),
      g.send({ method: 'PATCH', path: '/clusters/d1', token, body: { node_count: 99 } }),
    ]);
    assert.ok([200, 403].includes(edited.status));
    const after = (await g.send({ path: '/clusters/d1', token: WRITE_TOKEN })).json();
    assert.equal(after['node_count'], edited.status === 200 ? 99 : 1);
  }
});

it('an editor of a label keeps it: no cluster comes in by getting it, or goes out by losing it', async (t) => {
  const g = await startTestGateway(t, {
    seed: {
      ...seed,
      clusters: [
        cluster('ours', 'prod', { labels: { team: 'payments', region: 'eu' } }),
        cluster('theirs', 'prod', { labels: { team: 'search' } }),
      ],
    },
    environment: { PRUNE_GUARD: 'off' },
  });
  const made = await makeToken(g, { kind: 'operator', roles: ['editor'], labels: ['team=payments'] });
  const { token } = made;
  const patch = async (id: string, body: object): Promise<number> =>
    (await g.send({ method: 'PATCH', path: `/clusters/${id}`, token, body })).status;
  assert.equal(await patch('ours', { node_count: 2 }), 200);
  assert.equal(await patch('ours', { labels: { region: 'us' } }), 200);
  assert.equal((await g.send({ path: '/clusters?label=team%3Dpayments', token })).status, 200);
  assert.equal(await patch('ours', { labels: { team: 'search' } }), 403);
  assert.equal(await patch('ours', { labels: null }), 403);
  assert.equal(await patch('theirs', { labels: { team: 'payments' } }), 403);
  for (const path of [
    '/clusters',
    '/clusters?label=team%3Dsearch',
    '/clusters?label=region%3Deu',
    '/clusters/theirs',
  ]) {
    assert.equal((await g.send({ path, token })).status, 403, path);
  }
});
