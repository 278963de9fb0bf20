import assert from 'node:assert/strict';
import type { ServerResponse } from 'node:http';
import { it, type TestContext } from 'node:test';
import { systemClock } from '../../src/shell/clock.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import {
  AUDIENCE,
  createIssuer,
  type LocalServer,
  serveLocally,
  type TestIssuer,
} from '../support/issuer.ts';
import { withPolicy } from '../support/policies.ts';

const OPEN = '@id("open") @reason("open") permit (principal is Fluxgate::Workload, action, resource);';

interface Scene {
  readonly server: LocalServer;
  readonly issuer: TestIssuer;
  readonly gateway: TestGateway;
  /** Lets the rest after a failure pass. */
  rest(): void;
}

async function scene(t: TestContext, environment: Readonly<Record<string, string>> = {}): Promise<Scene> {
  const server = await serveLocally(t, (_request, response) => response.writeHead(500).end());
  const issuer = await createIssuer(server.url);
  let skewMs = 0;
  const clock = { ...systemClock, elapsed: () => systemClock.elapsed() + skewMs };
  const gateway = await startTestGateway(t, {
    clock,
    prepare: withPolicy(OPEN),
    environment: { OIDC_ISSUER: server.url, OIDC_AUDIENCE: AUDIENCE, ...environment },
  });
  const rest = (): void => {
    skewMs += 5_001;
  };
  return { server, issuer, gateway, rest };
}

const json = (response: ServerResponse, body: unknown): void => {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
};

/** As an issuer should be: the discovery document, and the keys where it says. */
const honest =
  ({ server, issuer }: Scene): LocalServer['answer'] =>
  (request, response) =>
    request.url === '/.well-known/openid-configuration'
      ? json(response, { issuer: issuer.issuer, jwks_uri: `${server.url}/keys` })
      : json(response, issuer.jwks);

it('keys are found through discovery, once for many tokens; a stranger’s token makes nobody look', async (t) => {
  const s = await scene(t);
  s.server.answer = honest(s);
  const foreign = await createIssuer('https://elsewhere.example.com');
  assert.equal((await s.gateway.send({ path: '/clusters', token: await foreign.sign() })).status, 401);
  assert.deepEqual(s.server.requests, []);
  for (let n = 0; n < 5; n++) {
    assert.equal((await s.gateway.send({ path: '/clusters', token: await s.issuer.sign() })).status, 200);
  }
  for (let n = 0; n < 5; n++) {
    const token = await s.issuer.sign({}, { kid: `unknown-${n}` });
    assert.equal(
      (await s.gateway.send({ path: '/clusters', token })).status,
      401,
      'they are known to be complete',
    );
  }
  assert.deepEqual(s.server.requests, ['/.well-known/openid-configuration', '/keys']);
});

const REDIRECTED = (_: unknown, response: ServerResponse): void => {
  response.writeHead(302, { location: 'http://127.0.0.1:1/keys' }).end();
};
const WRONG: readonly (readonly [string, (s: Scene) => LocalServer['answer'], RegExp])[] = [
  ['answers 500', () => (_, response) => response.writeHead(500).end(), /answered 500/],
  ['hangs up', () => (request) => request.socket.destroy(), /cannot be had/],
  ['redirects', () => REDIRECTED, /answered 302/],
  [
    'is another one by its own document',
    ({ server }) =>
      (_, r) =>
        json(r, { issuer: 'https://other', jwks_uri: `${server.url}/keys` }),
    /another issuer/,
  ],
  [
    'has its keys in the clear',
    ({ issuer }) =>
      (_, r) =>
        json(r, { issuer: issuer.issuer, jwks_uri: 'http://keys.example.com/' }),
    /no jwks_uri that is https/,
  ],
  [
    'has its keys in a file',
    ({ issuer }) =>
      (_, r) =>
        json(r, { issuer: issuer.issuer, jwks_uri: 'file:///etc/passwd' }),
    /no jwks_uri that is https/,
  ],
  [
    'says nothing of keys',
    ({ issuer }) =>
      (_, r) =>
        json(r, { issuer: issuer.issuer }),
    /no jwks_uri/,
  ],
  ['sends no JSON', () => (_, r) => json(r, '<html>'), /cannot be had/],
  ['sends without end', () => (_, r) => json(r, 'x'.repeat(300_000)), /more than 262144 octets/],
  [
    'has a secret among its keys',
    ({ server, issuer }) =>
      (request, r) =>
        request.url === '/keys'
          ? json(r, { keys: [{ kty: 'oct', k: 'AA', kid: 'key-1' }] })
          : json(r, { issuer: issuer.issuer, jwks_uri: `${server.url}/keys` }),
    /is a secret/,
  ],
];
it('whatever is wrong with the issuer, its tokens are 503, the log names it, and others are served', async (t) => {
  const s = await scene(t);
  const token = await s.issuer.sign();
  for (const [what, answer, reason] of WRONG) {
    s.rest();
    s.server.answer = answer(s);
    const refused = await s.gateway.send({ path: '/clusters', token });
    assert.equal(refused.status, 503, what);
    assert.match(String(s.gateway.logOf(refused)['reason']), reason, what);
    const asked = s.server.requests.length;
    assert.equal((await s.gateway.send({ path: '/clusters', token })).status, 503, what);
    assert.equal(s.server.requests.length, asked, `${what}: it is left alone for a while`);
    assert.equal((await s.gateway.send({ path: '/clusters', token: WRITE_TOKEN })).status, 200, what);
  }
  s.rest();
  s.server.answer = honest(s);
  assert.equal((await s.gateway.send({ path: '/clusters', token })).status, 200, 'it recovers by itself');
});

it('an issuer that never answers is given up on', async (t) => {
  const s = await scene(t);
  s.server.answer = () => {};
  const started = performance.now();
  const refused = await s.gateway.send({ path: '/clusters', token: await s.issuer.sign() });
  assert.equal(refused.status, 503);
  assert.ok(performance.now() - started < 10_000);
});

it('OIDC_JWKS_URL is used as it is, and redirects from it are not followed', async (t) => {
  const keys = await serveLocally(t, REDIRECTED);
  const s = await scene(t, { OIDC_JWKS_URL: `${keys.url}/jwks` });
  const token = await s.issuer.sign();
  assert.equal((await s.gateway.send({ path: '/clusters', token })).status, 503);
  s.rest();
  keys.answer = (_request, response) => json(response, s.issuer.jwks);
  assert.equal((await s.gateway.send({ path: '/clusters', token })).status, 200);
  assert.deepEqual([keys.requests, s.server.requests], [['/jwks', '/jwks'], []]);
});
