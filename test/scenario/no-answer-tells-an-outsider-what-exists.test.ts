import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { makeToken as tokenText } from '../../src/core/identity/token-text.ts';
import type { ClientAnswer, ClientRequest } from '../support/client.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { makeToken, revokeToken } from '../support/tokens.ts';

const THERE = 'demo-cluster-01';
const DNS = `${THERE}.k8s.example.com`;
const INPUTS = '/api/v2/flux/clusters/X/platform-components';

/** All of an answer that an outsider can compare, the request's own id and the date excepted. */
function face({ status, headers, body }: ClientAnswer): unknown {
  const { 'x-request-id': id, date: _, ...rest } = headers;
  return { status, headers: rest, body: body.toString('utf8').replaceAll(String(id), 'ID') };
}

describe('to whoever may not know', () => {
  const gateway = shareGateway({ environment: { OPERATOR_NETWORKS: '127.0.0.0/8' } });
  const same = async (what: string, requests: readonly ClientRequest[], status: number): Promise<void> => {
    const [first, ...others] = await Promise.all(requests.map((request) => gateway().send(request)));
    assert.ok(first !== undefined && others.length > 0);
    assert.equal(first.status, status, what);
    for (const other of others) assert.deepEqual(face(other), face(first), what);
  };
  const object = (id: string): string => `/clusters/${id}`;

  it('a cluster that exists looks like one that does not', async () => {
    const paths = [INPUTS.replace('X', DNS), INPUTS.replace('X', 'nobody.k8s.example.com')];
    const other = await gateway().pki.cluster('stranger.k8s.example.com');
    const { token } = await makeToken(gateway(), {
      kind: 'cluster',
      cluster_dns: 'stranger.k8s.example.com',
    });
    const scoped = await makeToken(gateway(), { kind: 'operator', roles: ['editor'], labels: ['team=none'] });
    for (const [what, credential, status] of [
      ['nobody', {}, 401],
      ['an unknown token', { token: 'unknown' }, 401],
      ['another cluster', { certificate: other }, 403],
      ['another cluster’s token', { token }, 403],
      ['an operator of another scope', { token: scoped.token }, 403],
    ] as const) {
      await same(
        what,
        paths.map((path) => ({ path, ...credential })),
        status,
      );
      for (const method of ['GET', 'DELETE'] as const) {
        const ids = [THERE, 'nobody'];
        await same(
          `${method}: ${what}`,
          ids.map((id) => ({ method, path: object(id), ...credential })),
          status,
        );
      }
    }
    for (const id of [THERE, 'nobody']) {
      const body = { cluster_name: 'x' };
      const answer = await gateway().send({ method: 'PATCH', path: object(id), token: scoped.token, body });
      assert.equal(answer.status, 403);
    }
    assert.equal((await gateway().send({ path: object(THERE), token: WRITE_TOKEN })).status, 200);
  });

  it('a token that was revoked looks like one that never was, is mistyped, or is of another kind', async () => {
    const { id, token } = await makeToken(gateway(), { kind: 'operator', roles: ['admin'] });
    const live = await makeToken(gateway(), { kind: 'operator', roles: ['viewer'] });
    assert.equal((await revokeToken(gateway(), id)).status, 200);
    const shown = [
      token,
      tokenText('operator', new Uint8Array(32)),
      `${token.slice(0, -1)}${token.endsWith('x') ? 'y' : 'x'}`,
      live.token.slice(0, -1),
      live.token.toLowerCase(),
      live.token.replace('fxgo_', 'fxgc_'),
      `${READ_TOKEN}x`,
      'x',
      'eyJhbGciOiJub25lIn0.e30.',
    ];
    for (const path of ['/clusters', INPUTS.replace('X', DNS), '/api/v2/flux/clusters', '/tokens']) {
      await same(
        path,
        shown.map((one) => ({ path, token: one })),
        401,
      );
    }
  });

  it('a token’s record, a revocation, and an operator look alike, there or not', async () => {
    const { id } = await makeToken(gateway(), { kind: 'reader' });
    const viewer = await makeToken(gateway(), { kind: 'operator', roles: ['viewer'] });
    const credentials = [
      [{}, 401],
      [{ token: 'x' }, 401],
      [{ token: READ_TOKEN }, 403],
      [{ token: viewer.token }, 403],
    ] as const;
    for (const [credential, status] of credentials) {
      for (const method of ['GET', 'DELETE'] as const) {
        const paths = [`/tokens/${id}`, '/tokens/tok-0000000000000000'];
        await same(
          `${method} ${status}`,
          paths.map((path) => ({ method, path, ...credential })),
          status,
        );
      }
    }
  });

  it('a token in any other place than its own is no token', async () => {
    const { token } = await makeToken(gateway(), { kind: 'operator', roles: ['viewer'] });
    const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
    const ask = async (headers: Record<string, string>, path = '/namespaces'): Promise<number> =>
      (await gateway().send({ path, headers })).status;
    assert.equal(await ask({ authorization: `Bearer ${token}` }), 200);
    assert.equal(
      await ask({ authorization: `bearer  ${token}` }),
      200,
      'schemes have no case (RFC 9110 §11.1)',
    );
    assert.equal(await ask({ authorization: basic(`any name:${token}`) }), 200);
    assert.equal(await ask({ authorization: basic(`:${token}`) }), 200);
    for (const authorization of [
      token,
      `Token ${token}`,
      `Bearer${token}`,
      `Bearer "${token}"`,
      `Bearer ${token} x`,
      `Bearer ${token},Bearer ${token}`,
      `Bearer ${token}:`,
      `Bearer :${token}`,
      `Bearer x:${token}`,
      `Bearer ${encodeURIComponent(token)}%20`,
      `Basic ${token}`,
      basic(token),
      basic(`${token}:`),
      basic(`${token}:x`),
      basic(`a:b:${token}`),
      basic(`a:${token}:`),
      basic(`a: ${token}`),
      basic(`a:${token}\n`),
      basic(`a:${token}\0`),
      `Digest ${token}`,
    ]) {
      assert.equal(await ask({ authorization }), 401, authorization.replace(token, 'TOKEN'));
    }
    for (const name of [
      'x-auth-token',
      'cookie',
      'proxy-authorization',
      'x-api-key',
      'x-forwarded-authorization',
    ]) {
      assert.equal(
        await ask({ [name]: name === 'cookie' ? `token=${token}` : `Bearer ${token}` }),
        401,
        name,
      );
    }
    assert.equal(await ask({}, `/namespaces?access_token=${token}`), 401);
    assert.equal(await ask({}, `/namespaces?token=${token}`), 401);
    const secret = token.slice(5, -6);
    assert.ok(!JSON.stringify(gateway().log).includes(secret), 'wherever it was put, the log has it not');
  });
});
