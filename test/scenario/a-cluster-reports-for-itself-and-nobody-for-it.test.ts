import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { ClientRequest } from '../support/client.ts';
import { clusterStatusOf, fleetStatus, fluxEvent, inputsPath, report } from '../support/fleet-status.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { makeToken } from '../support/tokens.ts';

const EAST = 'demo-cluster-01.k8s.example.com';
const WEST = 'demo-cluster-02.k8s.example.com';

describe('POST …/events', () => {
  const gateway = shareGateway();
  let east: Pick<ClientRequest, 'certificate'>;
  before(async () => {
    east = { certificate: await gateway().pki.cluster(EAST) };
  });
  const take = async (body: object, dns = EAST, credential: Pick<ClientRequest, 'certificate'> = east) => {
    const answer = await report(gateway(), dns, body, credential);
    assert.equal(answer.status, 202, answer.body.toString());
    return answer.json<{ taken: string; component?: string }>();
  };
  const said = async (dns = EAST): Promise<readonly string[]> =>
    ((await clusterStatusOf(gateway(), dns)).components ?? []).map(
      ({ component, result }) => `${component} ${result}`,
    );

  it('what was applied and what failed, per component, beside what is served', async () => {
    assert.deepEqual(await take(fluxEvent()), { taken: 'applied', component: 'cert-manager' });
    const failure = {
      severity: 'error',
      reason: 'InstallFailed',
      message: 'timed out\nwaiting for the condition',
    };
    assert.deepEqual(await take(fluxEvent(failure, 'HelmRelease', 'traefik')), {
      taken: 'failed',
      component: 'traefik',
    });
    assert.deepEqual(await take(fluxEvent({}, 'ResourceSet', 'platform-components')), {
      taken: 'applied',
      component: 'ResourceSet/platform-components',
    });
    const { components, unreported, reported } = await clusterStatusOf(gateway(), EAST);
    assert.deepEqual(await said(), [
      'ResourceSet/platform-components applied',
      'cert-manager applied',
      'traefik failed',
    ]);
    const [set, certManager, traefik] = components ?? [];
    assert.equal(set?.served, null);
    assert.equal(certManager?.served?.component_version, '1.18.2');
    assert.equal(certManager.revision, 'v1.18.2@sha256:0c2f');
    assert.equal(traefik?.message, 'timed out; waiting for the condition');
    assert.deepEqual(unreported, ['metrics-server', 'podinfo']);
    assert.deepEqual([reported.applied, reported.failed], [2, 1]);
    const [row] = (await fleetStatus(gateway())).clusters;
    assert.deepEqual(row?.reported, reported);
  });

  it('what is about nothing that the cluster is served is taken, and not kept', async () => {
    assert.deepEqual(await take(fluxEvent({}, 'Kustomization', 'flux-system')), { taken: 'ignored' });
    assert.deepEqual(await take(fluxEvent({}, 'Kustomization', '__proto__')), { taken: 'ignored' });
    assert.deepEqual(await take(fluxEvent({}, 'constructor', 'podinfo')), { taken: 'ignored' });
    assert.equal((await said()).length, 3);
  });

  it('nobody reports for another: no cluster, no shared token, no operator, nobody', async () => {
    const operator = await gateway().pki.operator('op@example.com', ['platform-team']);
    const other = await makeToken(gateway(), {
      kind: 'cluster',
      cluster_dns: 'demo-cluster-03.k8s.example.com',
    });
    const credentials: readonly [string, Pick<ClientRequest, 'certificate' | 'token'>, number][] = [
      ['another cluster', east, 403],
      ["another cluster's token", { token: other.token }, 403],
      ['the read token', { token: READ_TOKEN }, 403],
      ['the write token', { token: WRITE_TOKEN }, 403],
      ['an operator', { certificate: operator }, 403],
      ['an unknown token', { token: 'unknown-token-of-this-test' }, 401],
      ['nobody', {}, 401],
    ];
    for (const [who, credential, status] of credentials) {
      const answer = await report(gateway(), WEST, fluxEvent(), credential);
      assert.equal(answer.status, status, who);
    }
    assert.deepEqual(await said(WEST), []);
    assert.equal(
      (await clusterStatusOf(gateway(), WEST)).state,
      'never',
      'nor was any of it an attempt to poll',
    );
  });

  it('by its own token, until the cluster has been served by its certificate', async () => {
    const { token } = await makeToken(gateway(), { kind: 'cluster', cluster_dns: WEST });
    assert.equal((await report(gateway(), WEST, fluxEvent(), { token })).status, 202);
    const west = { certificate: await gateway().pki.cluster(WEST) };
    assert.equal((await gateway().send({ path: inputsPath(WEST), ...west })).status, 200);
    assert.equal((await report(gateway(), WEST, fluxEvent(), { token })).status, 403);
    assert.equal((await report(gateway(), WEST, fluxEvent(), west)).status, 202);
  });

  it('another cluster’s name in a body is a name like any other', async () => {
    const body = fluxEvent({ cluster_dns: WEST, metadata: { cluster: WEST, revision: WEST } });
    assert.equal((await take(body)).component, 'cert-manager');
    const { components } = await clusterStatusOf(gateway(), EAST);
    assert.equal(components?.find(({ component }) => component === 'cert-manager')?.revision, WEST);
  });

  it('hostile words become one bounded, printable line', async () => {
    const evil = `\u001b[2J\r\n\u0000</td><script>\u202e${'x'.repeat(30_000)}`;
    await take(
      fluxEvent({
        severity: 'error',
        message: evil,
        reason: evil.slice(0, 1_000),
        metadata: { revision: evil },
      }),
    );
    const { components } = await clusterStatusOf(gateway(), EAST);
    const told = components?.find(({ component }) => component === 'cert-manager');
    for (const text of [told?.message, told?.reason, told?.revision]) {
      assert.ok(text !== undefined && text !== null && text.length <= 500);
      assert.doesNotMatch(text, /[\p{C}\p{Zl}\p{Zp}]/u);
    }
  });

  it('a time that has not come is now, and what is said then is heard', async () => {
    await take(fluxEvent({ severity: 'error', timestamp: '2099-12-31T23:59:59Z' }));
    const { components, reported } = await clusterStatusOf(gateway(), EAST);
    const at = components?.find(({ component }) => component === 'cert-manager')?.at ?? '';
    assert.ok(Date.parse(at) <= Date.now() && Date.parse(reported.last ?? '') <= Date.now(), at);
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    await take(fluxEvent());
    assert.ok((await said()).includes('cert-manager applied'));
  });

  it('what is not an event of Flux is refused, and changes nothing', async () => {
    const untouched = await said();
    const bodies: readonly [string, unknown, number][] = [
      ['no object', fluxEvent({ involvedObject: undefined }), 400],
      ['an object of numbers', fluxEvent({ involvedObject: { kind: 1, name: 2 } }), 400],
      ['a severity of its own', fluxEvent({ severity: 'applied' }), 400],
      ['metadata that is a list', fluxEvent({ metadata: ['revision'] }), 400],
      ['metadata of objects', fluxEvent({ metadata: { revision: { a: 1 } } }), 400],
      ['a list', [fluxEvent()], 400],
      ['text', '"event"', 400],
      ['half of it', JSON.stringify(fluxEvent()).slice(0, -5), 400],
      ['a key twice', '{"severity":"info","severity":"error"}', 400],
      ['depth', fluxEvent({ deep: JSON.parse('['.repeat(20) + ']'.repeat(20)) }), 400],
      ['a message above Flux’s own bound', fluxEvent({ message: 'x'.repeat(39_001) }), 400],
      ['more than an event', fluxEvent({ message: 'x'.repeat(300_000) }), 413],
    ];
    for (const [what, body, status] of bodies) {
      assert.equal((await report(gateway(), EAST, body, east)).status, status, what);
    }
    const media = { ...east, headers: { 'content-type': 'text/plain' } };
    assert.equal((await report(gateway(), EAST, fluxEvent(), media)).status, 415);
    assert.deepEqual(await said(), untouched);
  });

  it('what a newer Flux says besides is let in; what is missing in an older one, too', async () => {
    assert.equal(
      (await take(fluxEvent({ reportingUnit: { a: [1] }, metadata: null, timestamp: null }))).taken,
      'applied',
    );
    const bare = {
      involvedObject: { kind: 'Kustomization', name: 'podinfo' },
      severity: 'info',
      message: '',
      reason: 'ReconciliationSucceeded',
    };
    assert.equal((await take(bare)).taken, 'applied');
  });

  it('a component that is taken away says nothing any more', async () => {
    assert.ok((await said()).includes('podinfo applied'));
    const path = '/clusters/demo-cluster-01';
    const { platform_components: all } = (await gateway().send({ path, token: WRITE_TOKEN })).json<{
      platform_components: { id: string }[];
    }>();
    const request = {
      method: 'PATCH',
      path,
      token: WRITE_TOKEN,
      body: { platform_components: all.filter(({ id }) => id !== 'podinfo') },
    };
    assert.equal((await gateway().send(request)).status, 200);
    assert.equal(
      (await said()).some((line) => line.startsWith('podinfo')),
      false,
    );
    const { reported, components } = await clusterStatusOf(gateway(), EAST);
    assert.equal(reported.applied + reported.failed, components?.length);
    assert.deepEqual(await take(fluxEvent({}, 'Kustomization', 'podinfo')), { taken: 'ignored' });
  });

  it('404 where no such cluster is registered', async () => {
    const dns = 'unregistered.k8s.example.com';
    const certificate = await gateway().pki.cluster(dns);
    assert.equal((await report(gateway(), dns, fluxEvent(), { certificate })).status, 404);
  });
});

describe('POST …/events, API_MODE=read-only', () => {
  const gateway = shareGateway({ environment: { API_MODE: 'read-only', CRUD_AUTH_TOKEN: undefined } });

  it('takes what a cluster says of itself', async () => {
    const certificate = await gateway().pki.cluster(EAST);
    assert.equal((await report(gateway(), EAST, fluxEvent(), { certificate })).status, 202);
    assert.equal((await report(gateway(), WEST, fluxEvent(), { certificate })).status, 403);
  });
});
