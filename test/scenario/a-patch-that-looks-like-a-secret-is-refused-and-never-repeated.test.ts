import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const VALUE = 'ghp_abcdefghijklmnopqrstuvwxyz0123456789';
const pki = await createTestPki();
const security = await pki.operator('sam@example.com', ['security']);
const platform = await pki.operator('kim@example.com', ['platform-team']);

describe('a patch that looks like a secret is refused and never repeated', () => {
  const gateway = shareGateway({ pki, environment: { LOG_LEVEL: 'trace' } });
  const patch = (patches: object, rest: object = {}) => ({
    method: 'PATCH',
    path: '/clusters/demo-cluster-01',
    body: { patches: { podinfo: patches } },
    ...rest,
  });
  const override = { 'allow-suspected-secrets': 'true' };

  it('is 400 secret_suspected with the path, what to use instead, and not the value, in answer and log', async () => {
    const answer = await gateway().send(patch({ 'github.auth': VALUE }, { token: WRITE_TOKEN }));
    assert.equal(answer.status, 400);
    const { error, message, details } = answer.json<{
      error: string;
      message: string;
      details: { field: string; problem: string }[];
    }>();
    assert.equal(error, 'secret_suspected');
    assert.match(message, /secret_refs/);
    assert.deepEqual(
      details.map(({ field }) => field),
      ['/patches/podinfo/github.auth'],
    );
    assert.ok(!answer.body.toString('utf8').includes(VALUE));
    assert.ok(!JSON.stringify(gateway().log).includes(VALUE));
  });

  it('is refused of a dry run as well, which would show it', async () => {
    const request = patch({ password: 'hunter2hunter2' }, { token: WRITE_TOKEN });
    const answer = await gateway().send({ ...request, path: `${request.path}?dry_run=true` });
    assert.equal(answer.status, 400);
  });

  it('is let in for an operator of the group security only, and the log says who that was', async () => {
    const body = { password: 'placeholder' };
    for (const credential of [{ token: WRITE_TOKEN }, { certificate: platform }]) {
      const refused = await gateway().send(patch(body, { ...credential, headers: override }));
      assert.equal(refused.status, 403);
    }
    const allowed = await gateway().send(patch(body, { certificate: security, headers: override }));
    assert.equal(allowed.status, 200);
    const line = gateway().logOf(allowed);
    assert.equal(line['override'], 'allow-suspected-secrets');
    assert.match(JSON.stringify(line['principal']), /sam@example\.com/);
  });

  it('has a better way: the key of a Secret, rendered beside patches', async () => {
    const refs = { podinfo: { 'github.auth': { name: 'podinfo-github', key: 'token' } } };
    const answer = await gateway().send({
      method: 'PATCH',
      path: '/clusters/demo-cluster-01',
      token: WRITE_TOKEN,
      body: { secret_refs: refs },
    });
    assert.equal(answer.status, 200);
    const path = '/api/v2/flux/clusters/demo-cluster-01.k8s.example.com/platform-components';
    const { inputs } = (await gateway().send({ path, token: WRITE_TOKEN })).json<{
      inputs: { id: string; secret_refs?: object }[];
    }>();
    assert.deepEqual(
      inputs.map(({ secret_refs }) => secret_refs),
      [{}, {}, {}, refs.podinfo],
    );
    const other = path.replace('-01', '-02');
    const without = (await gateway().send({ path: other, token: WRITE_TOKEN })).json<{ inputs: object[] }>();
    assert.ok(without.inputs.length > 0 && without.inputs.every((input) => !('secret_refs' in input)));
  });
});
