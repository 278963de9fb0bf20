import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

interface Summary {
  readonly plan_hash: string;
  readonly reasons: readonly { readonly rule: string; readonly clusters: number }[];
  readonly clusters_affected: number;
  readonly inputs: Readonly<Record<string, number>>;
}
interface Refused {
  readonly error: string;
  readonly message: string;
  readonly plan: Summary;
}

const EMPTY_LIST = {
  method: 'PUT',
  path: '/clusters/demo-cluster-01',
  token: WRITE_TOKEN,
  body: { platform_components: [] },
};

describe('a destructive write needs its plan confirmed', () => {
  const gateway = shareGateway();

  it('refuses a PUT of an empty list, says why, and changes nothing', async () => {
    const before = await gateway().fleet();
    const answer = await gateway().send(EMPTY_LIST);
    assert.equal(answer.status, 409);
    const { error, plan } = answer.json<Refused>();
    assert.equal(error, 'prune_guard');
    assert.deepEqual(plan.reasons, [
      { rule: 'several_inputs', clusters: 1 },
      { rule: 'empty_route', clusters: 1 },
    ]);
    assert.equal(plan.inputs['removed'], 4);
    assert.equal(await gateway().fleet(), before);
  });

  it('shows the same plan to a dry run, which changes nothing and needs no confirmation', async () => {
    const before = await gateway().fleet();
    const { plan } = (await gateway().send(EMPTY_LIST)).json<Refused>();
    const dry = await gateway().send({ ...EMPTY_LIST, path: `${EMPTY_LIST.path}?dry_run=true` });
    assert.equal(dry.status, 200);
    const shown = dry.json<Summary & { clusters: { id: string; routes: { route: string }[] }[] }>();
    assert.equal(shown.plan_hash, plan.plan_hash);
    assert.deepEqual(
      shown.clusters.map(({ id, routes }) => [id, routes.map(({ route }) => route)]),
      [['demo-cluster-01', ['platform-components']]],
    );
    assert.equal(await gateway().fleet(), before);
  });

  it('refuses a hash that is not this plan’s, and a plan that has changed since it was seen', async () => {
    const nonsense = await gateway().send({ ...EMPTY_LIST, headers: { 'confirm-plan': 'yes' } });
    assert.equal(nonsense.status, 400);
    const seen = (await gateway().send(EMPTY_LIST)).json<Refused>().plan.plan_hash;
    const meanwhile = await gateway().send({
      method: 'PATCH',
      path: '/platform_components/podinfo',
      token: WRITE_TOKEN,
      body: { component_version: '6.9.9' },
    });
    assert.equal(meanwhile.status, 200, 'a pure change of a value passes');
    const before = await gateway().fleet();
    const stale = await gateway().send({ ...EMPTY_LIST, headers: { 'confirm-plan': seen } });
    assert.equal(stale.status, 409);
    const { message, plan } = stale.json<Refused>();
    assert.match(message, /has changed since/);
    assert.notEqual(plan.plan_hash, seen);
    assert.equal(await gateway().fleet(), before);
  });

  it('carries out exactly the plan that was confirmed', async () => {
    const { plan } = (await gateway().send(EMPTY_LIST)).json<Refused>();
    const done = await gateway().send({ ...EMPTY_LIST, headers: { 'confirm-plan': plan.plan_hash } });
    assert.equal(done.status, 200);
    assert.deepEqual(done.json()['platform_components'], []);
  });

  it('lets one disabled component of one cluster pass, but no namespace', async () => {
    const cluster = (await gateway().send({ path: '/clusters/demo-cluster-02', token: WRITE_TOKEN })).json<{
      platform_components: { id: string; enabled: boolean }[];
      namespaces: { id: string }[];
    }>();
    const components = cluster.platform_components.map((entry) =>
      entry.id === 'podinfo' ? { ...entry, enabled: false } : entry,
    );
    const send = (body: object) =>
      gateway().send({ method: 'PUT', path: '/clusters/demo-cluster-02', token: WRITE_TOKEN, body });
    assert.equal((await send({ platform_components: components })).status, 200);
    const refused = await send({ namespaces: cluster.namespaces.slice(1) });
    assert.deepEqual(refused.json<Refused>().plan.reasons, [{ rule: 'namespace', clusters: 1 }]);
  });

  it('guards the deletion, the renaming and the environment of a cluster that is served inputs', async () => {
    const path = '/clusters/demo-cluster-03';
    const reasonsOf = async (method: string, body?: object): Promise<unknown> =>
      (await gateway().send({ method, path, token: WRITE_TOKEN, body })).json<Refused>().plan.reasons;
    assert.deepEqual(await reasonsOf('DELETE'), [{ rule: 'answers_end', clusters: 1 }]);
    assert.deepEqual(await reasonsOf('PUT', { cluster_dns: 'other.k8s.example.com' }), [
      { rule: 'answers_move', clusters: 1 },
    ]);
    assert.deepEqual(await reasonsOf('PUT', { environment: 'dev' }), [{ rule: 'environment', clusters: 1 }]);
  });
});

describe('PRUNE_GUARD=off', () => {
  const gateway = shareGateway({ environment: { PRUNE_GUARD: 'off' } });

  it('lets destructive writes just happen, as flux-resourceset did', async () => {
    assert.equal((await gateway().send(EMPTY_LIST)).status, 200);
    const deletion = { method: 'DELETE', path: '/clusters/demo-cluster-03', token: WRITE_TOKEN };
    assert.equal((await gateway().send(deletion)).status, 200);
  });
});
