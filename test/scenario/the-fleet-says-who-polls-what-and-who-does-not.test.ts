import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { clusterStatusOf, fleetStatus, inputsPath, movedClock } from '../support/fleet-status.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const MINUTE = 60_000;
const [FIRST = '', SECOND = '', THIRD = ''] = ['01', '02', '03'].map(
  (n) => `demo-cluster-${n}.k8s.example.com`,
);

/** One story, from top to bottom: each step begins where the one before ended. */
describe('GET /fleet', () => {
  const clock = movedClock();
  const gateway = shareGateway({ clock });
  const poll = async (dns: string, route?: string, headers: Record<string, string> = {}): Promise<void> => {
    const certificate = await gateway().pki.cluster(dns);
    const answer = await gateway().send({ path: inputsPath(dns, route), certificate, headers });
    assert.equal(answer.status, 200);
  };
  const operate = async (method: string, path: string, body: object): Promise<void> => {
    const request = { method, path, token: WRITE_TOKEN, body };
    let answer = await gateway().send(request);
    if (answer.status === 409) {
      const { plan_hash } = answer.json<{ plan: { plan_hash: string } }>().plan;
      answer = await gateway().send({ ...request, headers: { 'confirm-plan': plan_hash } });
    }
    assert.equal(answer.status, 200, answer.body.toString());
  };
  const states = async (): Promise<readonly string[]> =>
    (await fleetStatus(gateway())).clusters.map(({ state }) => state);

  it('never: of whom no poll has come', async () => {
    const { total, counts, clusters, revision } = await fleetStatus(gateway());
    assert.deepEqual(counts, { refused: 0, overdue: 0, behind: 0, never: 3, current: 0 });
    assert.deepEqual([total, clusters.length, revision], [3, 3, 1]);
    assert.deepEqual([clusters[0]?.last_poll, clusters[0]?.routes], [null, []]);
  });

  it('current: with what it polled, by which credential, with which client and how often', async () => {
    for (let polls = 0; polls < 4; polls++) {
      await poll(FIRST, 'platform-components', { 'user-agent': 'flux-operator/0.58.0' });
      await poll(FIRST, 'namespaces');
      clock.forward(10 * MINUTE);
    }
    const { state, routes, last_poll } = await clusterStatusOf(gateway(), FIRST);
    assert.equal(state, 'current');
    assert.deepEqual(
      routes.map(({ route }) => route),
      ['platform-components', 'namespaces'],
    );
    const [components] = routes;
    assert.equal(components?.client, 'flux-operator/0.58.0');
    assert.ok(Math.abs((components.interval_seconds ?? 0) - 600) < 5, String(components.interval_seconds));
    assert.deepEqual([components.revision, components.credential?.method], [1, 'certificate']);
    assert.equal(components.credential?.name, FIRST);
    assert.ok(Math.abs(Date.parse(last_poll ?? '') - clock.now()) < 11 * MINUTE);
  });

  it('the digest is of the very inputs, by certificate and by token', async () => {
    const byToken = await gateway().send({ path: inputsPath(THIRD), token: READ_TOKEN });
    assert.equal(byToken.status, 200);
    const { createHash } = await import('node:crypto');
    const digest = `sha256:${createHash('sha256').update(byToken.body).digest('hex')}`;
    const before = await clusterStatusOf(gateway(), THIRD);
    assert.equal(before.routes[0]?.digest, digest);
    assert.equal(before.routes[0]?.credential?.method, 'token');
    await poll(THIRD);
    const after = await clusterStatusOf(gateway(), THIRD);
    assert.equal(after.routes[0]?.digest, digest);
    assert.equal(after.routes[0]?.served_since, before.routes[0]?.served_since);
    assert.equal(after.routes[0]?.credential?.method, 'certificate');
  });

  it("an operator's look is no poll, nor is that of a write token", async () => {
    const operator = await gateway().pki.operator('op@example.com', ['platform-team']);
    for (const credential of [{ certificate: operator }, { token: WRITE_TOKEN }]) {
      const look = await gateway().send({ path: inputsPath(SECOND), ...credential });
      assert.equal(look.status, 200);
      assert.equal((await clusterStatusOf(gateway(), SECOND)).state, 'never');
    }
  });

  it('behind: its answer has changed since; not whoever has another answer, and not by a change that changes nothing', async () => {
    await poll(FIRST);
    await poll(FIRST, 'namespaces');
    await operate('PATCH', '/clusters/demo-cluster-01', { node_count: 7 });
    assert.deepEqual(await states(), ['current', 'never', 'current']);
    await operate('PATCH', '/clusters/demo-cluster-01', { patches: { podinfo: { colour: 'blue' } } });
    assert.deepEqual(await states(), ['behind', 'never', 'current']);
    const { routes } = await clusterStatusOf(gateway(), FIRST);
    assert.deepEqual(
      routes.map(({ route, state }) => `${route} ${state}`),
      ['platform-components behind', 'namespaces current'],
    );
    await poll(FIRST);
    assert.deepEqual(await states(), ['current', 'never', 'current']);
  });

  it('behind no more: once the change is taken back', async () => {
    await operate('PATCH', '/clusters/demo-cluster-01', { patches: { podinfo: { colour: 'red' } } });
    assert.equal((await states())[0], 'behind');
    await operate('PATCH', '/clusters/demo-cluster-01', { patches: { podinfo: { colour: 'blue' } } });
    assert.equal((await states())[0], 'current');
  });

  it("behind: by a change of the catalogue; a frozen cluster's answer does not change", async () => {
    await operate('POST', '/clusters/demo-cluster-03/state', { state: 'frozen', reason: 'a test' });
    await operate('PATCH', '/platform_components/cert-manager', { component_version: '9.9.9' });
    const { clusters } = await fleetStatus(gateway());
    assert.deepEqual(
      clusters.map(({ id, state }) => `${id} ${state}`),
      ['demo-cluster-01 behind', 'demo-cluster-02 never', 'demo-cluster-03 current'],
    );
    await poll(FIRST);
    assert.equal((await states())[0], 'current');
  });

  it('refused: by its own certificate, once that has expired, until it comes with the next one', async () => {
    const own = await gateway().pki.cluster(SECOND, { notAfter: new Date(clock.now() + 5 * MINUTE) });
    assert.equal((await gateway().send({ path: inputsPath(SECOND), certificate: own })).status, 200);
    clock.forward(6 * MINUTE);
    assert.equal((await gateway().send({ path: inputsPath(SECOND), certificate: own })).status, 495);
    const { state, refusal } = await clusterStatusOf(gateway(), SECOND);
    assert.deepEqual(
      [state, refusal?.known_by, refusal?.route],
      ['refused', 'claimed', 'platform-components'],
    );
    assert.match(refusal?.reason ?? '', /expired/);
    await poll(SECOND);
    assert.equal((await states())[1], 'current');
  });

  it('refused: a cluster that asks for what is not its own, on that route, until that is put right', async () => {
    const certificate = await gateway().pki.cluster(FIRST);
    const answer = await gateway().send({ path: inputsPath(SECOND, 'rolebindings'), certificate });
    assert.equal(answer.status, 403);
    // Its other providers poll on; the one with the wrong URL is what is told of.
    await poll(FIRST);
    const { state, refusal, routes } = await clusterStatusOf(gateway(), FIRST);
    assert.deepEqual([state, refusal?.known_by, refusal?.route], ['refused', 'proven', 'rolebindings']);
    assert.match(refusal?.reason ?? '', /another cluster's than the path's/);
    assert.equal(routes.at(-1)?.state, 'refused');
    assert.equal((await states())[1], 'current', 'and says nothing of whose path it was');
    await poll(FIRST, 'rolebindings');
    assert.deepEqual(await states(), ['current', 'current', 'current']);
  });

  it('overdue: no poll for longer than three intervals', async () => {
    clock.forward(31 * MINUTE);
    assert.deepEqual(await states(), ['overdue', 'overdue', 'overdue']);
    assert.deepEqual((await fleetStatus(gateway())).clusters[2]?.refusal, null);
    await poll(FIRST);
    await poll(FIRST, 'namespaces');
    assert.deepEqual(await states(), ['overdue', 'overdue', 'overdue'], 'the third route has not come back');
    await poll(FIRST, 'rolebindings');
    assert.deepEqual(await states(), ['current', 'overdue', 'overdue']);
  });

  it('filters by every state, by environment, label and name; counts what the other filters select', async () => {
    const ids = async (query: string): Promise<readonly string[]> =>
      (await fleetStatus(gateway(), query)).clusters.map(({ id }) => id.replace('demo-cluster-', ''));
    for (const state of ['refused', 'behind', 'never']) assert.deepEqual(await ids(`?state=${state}`), []);
    assert.deepEqual(await ids('?state=current'), ['01']);
    assert.deepEqual(await ids('?state=overdue'), ['02', '03']);
    assert.deepEqual(await ids('?environment=qa'), ['02']);
    assert.deepEqual(await ids('?q=CLUSTER-03'), ['03']);
    assert.deepEqual(await ids('?label=team%3Dnobody'), []);
    assert.deepEqual(await ids('?limit=1&offset=1'), ['02']);
    const { counts, total } = await fleetStatus(gateway(), '?state=overdue&environment=qa&limit=1');
    assert.deepEqual([counts['overdue'], counts['current'], total], [1, 0, 1]);
    const all = await fleetStatus(gateway(), '?state=never');
    assert.deepEqual([all.total, all.counts['overdue'], all.counts['current']], [0, 2, 1]);
    for (const query of ['?state=lost', '?limit=1001', '?limit=0', '?environment=moon', '?q=']) {
      assert.equal((await gateway().send({ path: `/fleet${query}`, token: WRITE_TOKEN })).status, 400, query);
    }
  });

  it('tells nothing of clusters that are not served', async () => {
    assert.equal(
      (await gateway().send({ path: '/fleet/nobody.example.com', token: WRITE_TOKEN })).status,
      404,
    );
    await operate('POST', '/clusters/demo-cluster-02/state', { state: 'decommissioning', reason: 'a test' });
    await operate('POST', '/clusters/demo-cluster-02/state', { state: 'retired', reason: 'a test' });
    assert.deepEqual(await states(), ['current', 'overdue']);
    assert.equal((await gateway().send({ path: `/fleet/${SECOND}`, token: WRITE_TOKEN })).status, 404);
  });
});

describe('GET /fleet where the read token writes as well', () => {
  const gateway = shareGateway({ environment: { CRUD_AUTH_TOKEN: undefined } });

  it('a poll with it is one: clusters have no other', async () => {
    const poll = await gateway().send({ path: inputsPath(FIRST), token: READ_TOKEN });
    assert.equal(poll.status, 200);
    const answer = await gateway().send({ path: `/fleet/${FIRST}`, token: READ_TOKEN });
    assert.equal(answer.json<{ state: string }>().state, 'current');
  });
});
