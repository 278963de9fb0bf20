import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { confirmed, operator, verdict } from '../support/poll.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const signedBy = (workflow: string) => ({
  provider: 'cosign',
  match_oidc_identity: [
    {
      issuer: String.raw`^https://token\.actions\.githubusercontent\.com$`,
      subject: `^https://github\\.com/my-org/${workflow}@refs/tags/.*$`,
    },
  ],
});
const PODINFO = '/platform_components/podinfo';
interface Input {
  readonly id: string;
  readonly verify?: object;
}

describe('clusters accept only what was signed, and nobody loosens that unasked', () => {
  const gateway = shareGateway();
  const send = (...request: Parameters<ReturnType<typeof operator>>) => operator(gateway())(...request);
  const inputs = async (cluster = '01'): Promise<readonly Input[]> => {
    const path = `/api/v2/flux/clusters/demo-cluster-${cluster}.k8s.example.com/platform-components`;
    return (await gateway().send({ path, token: WRITE_TOKEN })).json<{ inputs: Input[] }>().inputs;
  };
  const verifyIn = async (cluster?: string) =>
    (await inputs(cluster)).find(({ id }) => id === 'podinfo')?.verify;
  const unverified = { ...signedBy('x'), match_oidc_identity: [] };

  it('begins without a question, stands in that component’s inputs and in no other’s', async () => {
    assert.ok((await inputs()).every((input) => !('verify' in input)));
    const answer = await send('PATCH', PODINFO, { verify: signedBy('app') });
    assert.equal(answer.status, 200);
    assert.deepEqual(answer.json()['verify'], signedBy('app'));
    assert.deepEqual((await send('GET', PODINFO)).json()['verify'], signedBy('app'));
    const served = await inputs();
    assert.deepEqual(
      served.filter((input) => 'verify' in input).map(({ id }) => id),
      ['podinfo'],
    );
    assert.deepEqual(await verifyIn(), signedBy('app'));
  });

  it('is shown by the plan, field by field, and asked about whoever is to sign instead', async () => {
    const change = { verify: signedBy('other') };
    const dry = (await send('PATCH', `${PODINFO}?dry_run=true`, change)).json<{
      reasons: { rule: string; clusters: number }[];
      clusters: { routes: { inputs: { fields: { field: string }[] }[] }[] }[];
    }>();
    assert.deepEqual(dry.reasons, [{ rule: 'signature', clusters: dry.clusters.length }]);
    assert.deepEqual(
      dry.clusters[0]?.routes[0]?.inputs[0]?.fields.map(({ field }) => field),
      ['/verify/match_oidc_identity'],
    );
    assert.equal(verdict(await send('PATCH', PODINFO, change)), '409 prune_guard signature');
    assert.deepEqual(await verifyIn(), signedBy('app'));
  });

  it('is asked about when it ends: by PUT, by PATCH, by bulk import and by a revert', async () => {
    for (const method of ['PUT', 'PATCH']) {
      assert.equal(
        verdict(await send(method, PODINFO, { verify: null })),
        '409 prune_guard signature',
        method,
      );
    }
    const { files } = (await send('GET', '/export')).json<{ files: Record<string, string> }>();
    const path = 'platform_components/podinfo.yaml';
    assert.match(files[path] ?? '', /verify:\n {2}provider: cosign/);
    const without = { ...files, [path]: (files[path] ?? '').replace(/verify:\n( .*\n)+/, '') };
    assert.doesNotMatch(without[path] ?? '', /verify/);
    assert.equal(
      verdict(await send('POST', '/import', { mode: 'merge', files: without })),
      '409 prune_guard signature',
    );
    const same = (await send('POST', '/import', { mode: 'merge', files })).json<{
      plan: { objects_changed: number };
    }>();
    assert.equal(same.plan.objects_changed, 0);
    assert.equal(verdict(await send('POST', '/revisions/2/revert')), '409 prune_guard signature');
    assert.deepEqual(await verifyIn(), signedBy('app'));
  });

  it('stays in force on a frozen cluster, and is asked about when that one is thawed', async () => {
    const state = (to: string) => ({ state: to, reason: 'release freeze' });
    const path = '/clusters/demo-cluster-01/state';
    assert.equal((await send('POST', path, state('frozen'))).status, 200);
    assert.equal((await confirmed(send, 'PATCH', PODINFO, { verify: null })).status, 200);
    assert.equal('verify' in (await send('GET', PODINFO)).json(), false);
    assert.deepEqual(await verifyIn('01'), signedBy('app'));
    assert.equal(await verifyIn('02'), undefined);
    assert.equal(verdict(await send('POST', path, state('active'))), '409 prune_guard signature');
    assert.equal((await confirmed(send, 'POST', path, state('active'))).status, 200);
    assert.equal(await verifyIn('01'), undefined);
  });

  it('refuses what would let anybody sign, or stop every update', async () => {
    const subject = (text: string) => {
      const verify = signedBy('app');
      return { ...verify, match_oidc_identity: [{ ...verify.match_oidc_identity[0], subject: text }] };
    };
    const two = [...signedBy('a').match_oidc_identity, ...signedBy('b').match_oidc_identity];
    for (const [verify, field] of [
      [subject('^.*$'), '/verify/match_oidc_identity/0/subject'],
      [subject('https://github.com/my-org/app'), '/verify/match_oidc_identity/0/subject'],
      [{ ...signedBy('app'), match_oidc_identity: two }, '/verify/match_oidc_identity'],
      [unverified, '/verify/match_oidc_identity'],
      [{ provider: 'cosign' }, '/verify/match_oidc_identity'],
      [{ ...signedBy('app'), provider: 'notation' }, '/verify/provider'],
      [{ ...signedBy('app'), secretRef: { name: 'keys' } }, '/verify/secretRef'],
    ] as const) {
      const answer = await send('PATCH', PODINFO, { verify });
      assert.equal(answer.status, 400, JSON.stringify(verify));
      assert.deepEqual(
        answer.json<{ details: { field: string }[] }>().details.map((one) => one.field),
        [field],
      );
    }
    const chart = await send('PATCH', '/platform_components/cert-manager', { verify: signedBy('app') });
    assert.equal(chart.status, 400, 'an HTTPS chart repository');
  });
});
