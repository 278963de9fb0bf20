import assert from 'node:assert/strict';
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { ClientAnswer, ClientCertificate, ClientRequest } from '../support/client.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';

const POLICY = fileURLToPath(new URL('../../policy/', import.meta.url));
/** demo-cluster-03 is in production. */
const PROD = 'demo-cluster-03';

describe('a write that takes something away from production, where the policies want a second person', () => {
  let directory = '';
  let gateway: TestGateway;
  const people: Record<string, ClientCertificate> = {};
  const cleanups: (() => unknown)[] = [];

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fluxgate-policy-'));
    await cp(POLICY, directory, { recursive: true });
    await cp(join(POLICY, 'examples/second-person.cedar'), join(directory, 'second-person.cedar'));
    const pki = await createTestPki();
    for (const [name, groups] of [
      ['sam', ['fluxgate:editor']],
      ['kim', ['fluxgate:approver']],
      ['both', ['fluxgate:editor', 'fluxgate:approver', 'fluxgate:security']],
      ['dev-kim', ['fluxgate:approver', 'fluxgate:environment=dev']],
      ['viewer', ['fluxgate:viewer']],
    ] as const) {
      people[name] = await pki.operator(`${name}@example.com`, [...groups]);
    }
    const t = { after: (cleanup: () => unknown) => void cleanups.push(cleanup) };
    gateway = await startTestGateway(t as never, { pki, environment: { POLICY_DIR: directory } });
  });
  after(async () => {
    for (const cleanup of cleanups) await cleanup();
    await rm(directory, { recursive: true });
  });

  const as = (name: string, request: Partial<ClientRequest>): Promise<ClientAnswer> => {
    const certificate = people[name];
    assert.ok(certificate);
    return gateway.send({ path: '/', ...request, certificate });
  };
  const emptied = { method: 'PATCH', path: `/clusters/${PROD}`, body: { namespaces: [] } } as const;
  const errorOf = (answer: ClientAnswer): string => `${answer.status} ${answer.json()['error']}`;
  const hashOf = (answer: ClientAnswer): string =>
    answer.json<{ plan: { plan_hash: string } }>().plan.plan_hash;
  const namespaces = async (): Promise<unknown[]> =>
    (await as('viewer', { path: `/clusters/${PROD}` })).json<{ namespaces: unknown[] }>().namespaces;
  /** Looked at and confirmed, as the prune guard wants it. */
  const confirmed = async (name: string, request: Partial<ClientRequest>): Promise<ClientAnswer> => {
    const guarded = await as(name, request);
    assert.equal(errorOf(guarded), '409 prune_guard');
    return as(name, { ...request, headers: { 'confirm-plan': hashOf(guarded) } });
  };

  it('is kept and not carried out, until somebody else approved it; then once', async () => {
    const asked = await confirmed('sam', emptied);
    assert.equal(errorOf(asked), '409 approval_required');
    const hash = hashOf(asked);
    assert.notEqual((await namespaces()).length, 0, 'nothing was written');
    const [kept] = (await as('kim', { path: '/plans' })).json<Record<string, unknown>[]>();
    assert.equal(kept?.['plan_hash'], hash);
    assert.equal(kept?.['requested_by'], 'operator:sam@example.com');
    assert.deepEqual(kept?.['environments'], ['prod']);
    const seen = await as('kim', { path: `/plans/${hash}` });
    assert.equal(seen.json<{ plan: { plan_hash: string } }>().plan.plan_hash, hash);

    const approved = await as('kim', { method: 'POST', path: `/plans/${hash}/approve` });
    assert.equal(approved.status, 200);
    assert.equal(approved.json()['approved_by'], 'operator:kim@example.com');
    assert.equal(
      errorOf(await as('kim', { method: 'POST', path: `/plans/${hash}/approve` })),
      '409 conflict',
    );
    const done = await as('sam', { ...emptied, headers: { 'confirm-plan': hash } });
    assert.equal(done.status, 200);
    assert.deepEqual(await namespaces(), []);
    assert.equal((await as('kim', { path: `/plans/${hash}` })).status, 404, 'used up');

    // Put back, the very same plan needs to be approved anew.
    await as('sam', {
      method: 'PATCH',
      path: `/clusters/${PROD}`,
      body: { namespaces: [{ id: 'podinfo' }] },
    });
    const again = await confirmed('sam', emptied);
    assert.equal(errorOf(again), '409 approval_required');
  });

  it('is not approved by who asked, nor with a token that they made, nor for what is outside a scope, nor by who may not', async () => {
    const removal = { method: 'PATCH', path: `/clusters/${PROD}`, body: { rolebindings: [] } } as const;
    await as('both', {
      method: 'PATCH',
      path: `/clusters/${PROD}`,
      body: { rolebindings: [{ id: 'platform-admins' }] },
    });
    const hash = hashOf(await confirmed('both', removal));
    const approve = { method: 'POST', path: `/plans/${hash}/approve` } as const;
    for (const name of ['both', 'sam', 'viewer', 'dev-kim']) {
      assert.equal(errorOf(await as(name, approve)), '403 forbidden', name);
    }
    assert.equal((await as('dev-kim', { path: `/plans/${hash}` })).status, 403);
    const order = { name: 'second-me', kind: 'operator', roles: ['approver', 'editor'], ttl: 600 };
    const made = await as('both', { method: 'POST', path: '/tokens', body: order });
    assert.equal(made.status, 201, String(made.body));
    const { token } = made.json<{ token: string }>();
    assert.equal(errorOf(await gateway.send({ ...approve, token })), '403 forbidden', 'a token is no person');
    assert.equal((await as('kim', approve)).status, 200);
    assert.equal((await as('both', { ...removal, headers: { 'confirm-plan': hash } })).status, 200);

    // The other way round: the token asks, and its maker would approve.
    await as('both', {
      method: 'PATCH',
      path: `/clusters/${PROD}`,
      body: { rolebindings: [{ id: 'platform-admins' }] },
    });
    const guarded = await gateway.send({ ...removal, token });
    const asked = await gateway.send({ ...removal, token, headers: { 'confirm-plan': hashOf(guarded) } });
    assert.equal(errorOf(asked), '409 approval_required');
    assert.equal(
      errorOf(await as('both', { method: 'POST', path: `/plans/${hashOf(asked)}/approve` })),
      '403 forbidden',
    );
  });

  it('is refused to a shared token, which is nobody in particular', async () => {
    const guarded = await gateway.send({ ...emptied, token: WRITE_TOKEN });
    const hash = hashOf(guarded);
    const asked = await gateway.send({ ...emptied, token: WRITE_TOKEN, headers: { 'confirm-plan': hash } });
    assert.equal(errorOf(asked), '403 forbidden');
    const { items } = { items: (await as('kim', { path: '/plans' })).json<{ requested_by: string }[]>() };
    assert.ok(items.every(({ requested_by }) => !requested_by.startsWith('writer')));
  });

  it('is no longer approved once anything else changed it: another plan is another approval', async () => {
    await as('sam', {
      method: 'PATCH',
      path: `/clusters/${PROD}`,
      body: { namespaces: [{ id: 'podinfo' }] },
    });
    const hash = hashOf(await confirmed('sam', emptied));
    assert.equal((await as('kim', { method: 'POST', path: `/plans/${hash}/approve` })).status, 200);
    await as('sam', {
      method: 'PATCH',
      path: `/clusters/${PROD}`,
      body: { namespaces: [{ id: 'podinfo' }, { id: 'traefik' }] },
    });
    const late = await as('sam', { ...emptied, headers: { 'confirm-plan': hash } });
    assert.equal(errorOf(late), '409 prune_guard');
    const next = await as('sam', { ...emptied, headers: { 'confirm-plan': hashOf(late) } });
    assert.equal(errorOf(next), '409 approval_required');
  });

  it('is asked of bulk changes as well, and not of what takes nothing away or is elsewhere', async () => {
    const bulk = {
      method: 'POST',
      path: '/bulk',
      body: {
        select: { environment: 'prod' },
        operations: [
          { op: 'disable', id: 'metrics-server' },
          { op: 'disable', id: 'traefik' },
        ],
      },
    } as const;
    assert.equal(errorOf(await confirmed('sam', bulk)), '409 approval_required');
    const harmless = await as('sam', { method: 'PATCH', path: `/clusters/${PROD}`, body: { node_count: 9 } });
    assert.equal(harmless.status, 200);
    const elsewhere = { method: 'PATCH', path: '/clusters/demo-cluster-01', body: { namespaces: [] } };
    assert.equal((await confirmed('sam', elsewhere)).status, 200);
  });

  it('is asked for a single component as well, and for what a cluster has left that is being decommissioned', async () => {
    const single = {
      method: 'PATCH',
      path: `/clusters/${PROD}`,
      body: {
        platform_components: [
          { id: 'cert-manager', enabled: true },
          { id: 'traefik', enabled: true },
          { id: 'metrics-server', enabled: false },
        ],
      },
    } as const;
    assert.equal(errorOf(await as('sam', single)), '409 approval_required');
    const leaving = { state: 'decommissioning', reason: 'its hardware is old' };
    const state = await as('sam', { method: 'POST', path: `/clusters/${PROD}/state`, body: leaving });
    assert.equal(state.status, 200, 'takes nothing away by itself');
    const all = { method: 'PATCH', path: `/clusters/${PROD}`, body: { platform_components: [] } };
    assert.equal(errorOf(await as('sam', all)), '409 approval_required');
  });

  it('is told in the audit trail: who asked, who approved', async () => {
    const entries = (await as('both', { path: '/audit?limit=1000' })).json<
      { event: string; actor: { principal: string }; details: { requested_by?: string } }[]
    >();
    const requested = entries.filter(({ event }) => event === 'plan_requested');
    assert.ok(requested.some(({ actor }) => actor.principal === 'operator:sam@example.com'));
    const [approved] = entries.filter(({ event }) => event === 'plan_approved');
    assert.equal(approved?.actor.principal, 'operator:kim@example.com');
    assert.equal(approved?.details.requested_by, 'operator:sam@example.com');
  });
});
