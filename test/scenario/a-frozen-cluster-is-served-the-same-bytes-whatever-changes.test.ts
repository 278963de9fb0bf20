import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientAnswer } from '../support/client.ts';
import { sendConfirmed } from '../support/confirm.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const ID = 'demo-cluster-01';
const ROUTES = ['platform-components', 'namespaces', 'rolebindings'];

describe('a frozen cluster is served the same bytes, whatever changes', () => {
  const gateway = shareGateway();
  const write = (method: string, path: string, body?: object): Promise<ClientAnswer> =>
    gateway().send({ method, path, token: WRITE_TOKEN, body });
  const state = (to: string) => ({
    method: 'POST',
    path: `/clusters/${ID}/state`,
    token: WRITE_TOKEN,
    body: { state: to, reason: 'release freeze' },
  });
  const poll = async (): Promise<string> => {
    const bodies: string[] = [];
    for (const route of ROUTES) {
      const path = `/api/v2/flux/clusters/${ID}.k8s.example.com/${route}`;
      const answer = await gateway().send({ path, token: READ_TOKEN });
      assert.equal(answer.status, 200);
      bodies.push(answer.body.toString('utf8'));
    }
    return bodies.join('\n');
  };
  let frozen = '';

  it('is frozen without any change of what it is served', async () => {
    frozen = await poll();
    assert.equal((await gateway().send(state('frozen'))).json()['state'], 'frozen');
    assert.equal(await poll(), frozen);
  });

  it('keeps its answers when the catalogue and its own document change, and needs no confirmation for that', async () => {
    const catalogue = await write('PATCH', '/platform_components/podinfo', { component_version: '7.0.0' });
    assert.equal(catalogue.status, 200);
    const emptied = await write('PUT', `/clusters/${ID}`, { namespaces: [], platform_components: [] });
    assert.equal(emptied.status, 200);
    assert.equal(await poll(), frozen);
  });

  it('keeps its DNS name, and its state is not changed in its document', async () => {
    assert.equal((await write('PATCH', `/clusters/${ID}`, { cluster_dns: 'x.example.com' })).status, 409);
    assert.equal((await write('PATCH', `/clusters/${ID}`, { state: 'active' })).status, 400);
    assert.equal((await gateway().send(state('retired'))).status, 409);
  });

  it('is unfrozen into a smaller answer only after a confirmation', async () => {
    const refused = await gateway().send(state('active'));
    assert.equal(refused.json()['error'], 'prune_guard');
    assert.equal(await poll(), frozen);
    assert.equal((await sendConfirmed(gateway(), state('active'))).status, 200);
    assert.match(await poll(), /^\{"inputs":\[\]\}\n\{"inputs":\[\]\}\n/);
  });
});

describe('a decommissioning cluster may be emptied without a confirmation, and be retired then', () => {
  const gateway = shareGateway();
  const state = (to: string) => ({
    method: 'POST',
    path: '/clusters/demo-cluster-02/state',
    token: WRITE_TOKEN,
    body: { state: to, reason: 'the site closes' },
  });
  const empty = { platform_components: [], namespaces: [], rolebindings: [] };
  const path = '/api/v2/flux/clusters/demo-cluster-02.k8s.example.com/namespaces';

  it('goes from active over decommissioning to retired, which is 404', async () => {
    assert.equal((await gateway().send(state('retired'))).status, 409, 'not in one step');
    assert.equal((await gateway().send(state('decommissioning'))).status, 200);
    assert.equal(
      (await gateway().send(state('retired'))).json()['error'],
      'prune_guard',
      'it is still served inputs',
    );
    const put = { method: 'PUT', path: '/clusters/demo-cluster-02', token: WRITE_TOKEN, body: empty };
    assert.equal((await gateway().send(put)).status, 200);
    assert.equal((await gateway().send(state('retired'))).status, 200);
    assert.equal((await gateway().send({ path, token: READ_TOKEN })).status, 404);
  });

  it('comes back only after a confirmation', async () => {
    assert.equal((await sendConfirmed(gateway(), state('active'))).status, 200);
    assert.equal((await gateway().send({ path, token: READ_TOKEN })).status, 200);
  });
});
