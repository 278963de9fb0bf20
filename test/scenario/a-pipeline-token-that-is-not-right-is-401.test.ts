import assert from 'node:assert/strict';
import { createHmac, createPublicKey } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/shell/clock.ts';
import type { TestGateway } from '../support/gateway.ts';
import { AUDIENCE, createIssuer } from '../support/issuer.ts';
import { withPolicy } from '../support/policies.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const ISSUER = 'https://ci.example.com';
/** Whoever gets past the door may do everything: a 401 is the door's. */
const OPEN = '@id("open") @reason("open") permit (principal is Fluxgate::Workload, action, resource);';
const issuer = await createIssuer(ISSUER);
const stranger = await createIssuer(ISSUER);
const elsewhere = await createIssuer('https://elsewhere.example.com');
const now = Math.floor(Date.now() / 1_000);
/** Claims of a token that is signed in a test, by the clock that stands still. */
const fresh = { iat: now, exp: now + 300 };
let skewMs = 0;

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const parts = (jwt: string): [string, string, string] => jwt.split('.') as [string, string, string];
const payloadOf = (jwt: string): Record<string, unknown> =>
  JSON.parse(Buffer.from(parts(jwt)[1], 'base64url').toString()) as Record<string, unknown>;

/** The oldest trick (CVE-2015-9235): the public key, which everybody knows, taken for the secret of an HMAC. */
function signedWithPublicKey(jwt: string, asPem: boolean): string {
  const [jwk] = (JSON.parse(issuer.jwks) as { keys: [Record<string, string>] }).keys;
  const key = asPem
    ? createPublicKey({ key: jwk, format: 'jwk' }).export({ type: 'spki', format: 'pem' })
    : JSON.stringify(jwk);
  const signed = `${base64url({ alg: 'HS256', kid: 'key-1', typ: 'JWT' })}.${parts(jwt)[1]}`;
  return `${signed}.${createHmac('sha256', key).update(signed).digest('base64url')}`;
}

describe('a pipeline’s token', async () => {
  const gateway = shareGateway(async () => ({
    // It stands still: the tokens below were signed when this file was read, which may be minutes ago.
    clock: { ...systemClock, now: () => now * 1_000 + skewMs },
    prepare: async (directory: string) => {
      await writeFile(join(directory, 'jwks.json'), issuer.jwks);
      return {
        ...(await withPolicy(OPEN)(directory)),
        OIDC_ISSUER: ISSUER,
        OIDC_AUDIENCE: AUDIENCE,
        OIDC_JWKS_FILE: join(directory, 'jwks.json'),
      };
    },
  }));
  const good = await issuer.sign();
  const [header, payload, signature] = parts(good);
  const forged: readonly (readonly [string, string | Promise<string>, RegExp])[] = [
    ['signed by another key of the same name', stranger.sign(), /SIGNATURE/],
    ['of another issuer', elsewhere.sign(), /another issuer/],
    ['of our issuer by its own word, signed elsewhere', elsewhere.sign({ iss: ISSUER }), /SIGNATURE/],
    ['with a slash behind its issuer', issuer.sign({ iss: `${ISSUER}/` }), /another issuer/],
    ['for another audience', issuer.sign({ aud: 'other' }), /"aud"/],
    ['for nobody', issuer.sign({ aud: undefined }), /"aud"/],
    ['for two audiences', issuer.sign({ aud: [AUDIENCE, 'other'] }), /other audiences/],
    ['for our audience twice', issuer.sign({ aud: [AUDIENCE, AUDIENCE] }), /other audiences/],
    ['that has expired', issuer.sign({ iat: now - 600, exp: now - 31 }), /"exp"/],
    ['without an end', issuer.sign({ exp: undefined }), /"exp"/],
    ['with an end that is text', issuer.sign({ exp: '9999999999' }), /exp/],
    ['that is not valid yet', issuer.sign({ nbf: now + 60 }), /"nbf"/],
    ['issued tomorrow', issuer.sign({ iat: now + 86_400, exp: now + 90_000 }), /"iat"/],
    ['issued the day before yesterday', issuer.sign({ iat: now - 172_800 }), /"iat"/],
    ['without the time of its issue', issuer.sign({ iat: undefined }), /"iat"/],
    ['without a subject', issuer.sign({ sub: undefined }), /sub/],
    ['with an empty subject', issuer.sign({ sub: '' }), /subject/],
    ['with a subject of two lines', issuer.sign({ sub: 'a\nb' }), /subject/],
    ['with a subject that reads backwards', issuer.sign({ sub: 'a\u202eb' }), /subject/],
    ['with an endless subject', issuer.sign({ sub: 'a'.repeat(513) }), /subject/],
    [
      'with too many claims',
      issuer.sign({ groups: Array.from({ length: 130 }, (_, index) => index) }),
      /too many claims/,
    ],
    ['without algorithm', `${base64url({ alg: 'none', kid: 'key-1' })}.${payload}.`, /algorithm/],
    ['of algorithm None', `${base64url({ alg: 'None', kid: 'key-1' })}.${payload}.${signature}`, /algorithm/],
    ['with the public key as secret (PEM)', signedWithPublicKey(good, true), /algorithm/],
    ['with the public key as secret (JWK)', signedWithPublicKey(good, false), /algorithm/],
    [
      'of another algorithm than its key',
      `${base64url({ alg: 'RS256', kid: 'key-1' })}.${payload}.${signature}`,
      /JWT:/,
    ],
    ['without a kid', issuer.sign({}, { kid: undefined }), /kid/],
    ['of a kid that is not there', issuer.sign({}, { kid: 'key-2' }), /JWKS_NO_MATCHING_KEY/],
    ['with a path as kid', issuer.sign({}, { kid: '../../../../dev/null' }), /JWKS_NO_MATCHING_KEY/],
    ['with a URL as kid', issuer.sign({}, { kid: 'http://127.0.0.1:1/key' }), /JWKS_NO_MATCHING_KEY/],
    ['with SQL as kid', issuer.sign({}, { kid: "' UNION SELECT 1 --" }), /kid/],
    ['with a prototype as kid', issuer.sign({}, { kid: '__proto__' }), /JWKS_NO_MATCHING_KEY/],
    ['that says where its keys are (jku)', issuer.sign({}, { jku: 'https://evil.example.com/jwks' }), /jku/],
    [
      'that says where its certificate is (x5u)',
      issuer.sign({}, { x5u: 'https://evil.example.com/c' }),
      /x5u/,
    ],
    [
      'that brings its key (jwk)',
      stranger.sign({}, { jwk: (JSON.parse(stranger.jwks) as { keys: object[] }).keys[0] }),
      /jwk/,
    ],
    ['that brings a certificate (x5c)', stranger.sign({}, { x5c: ['AA=='] }), /x5c/],
    ['that is an access token', issuer.sign({}, { typ: 'at+jwt' }), /typ/],
    [
      'with another payload',
      `${header}.${base64url({ ...payloadOf(good), repository: 'x' })}.${signature}`,
      /SIGNATURE/,
    ],
    ['without its signature', `${header}.${payload}.`, /SIGNATURE|INVALID/],
    ['with half its signature', `${header}.${payload}.${signature.slice(0, 40)}`, /SIGNATURE/],
    [
      'with a payload that is no JSON',
      `${header}.${Buffer.from('{').toString('base64url')}.${signature}`,
      /malformed/,
    ],
    ['in two parts', `${header}.${payload}`, /unknown token/],
    ['in four parts', `${good}.x`, /unknown token/],
    ['in five parts (JWE)', `${header}.a.b.c.d`, /unknown token/],
    ['that is huge', issuer.sign({ padding: 'x'.repeat(8_000) }), /too long/],
  ];
  const ask = (token: string): ReturnType<TestGateway['send']> =>
    gateway().send({ path: '/clusters', token });

  it('that is right is let in, and a little early or late as well', async () => {
    for (const claims of [
      {},
      { aud: [AUDIENCE] },
      { iat: now - 600, exp: now - 5 },
      { nbf: now + 20 },
      { iat: now + 20 },
    ]) {
      assert.equal(
        (await ask(await issuer.sign({ ...fresh, ...claims }))).status,
        200,
        JSON.stringify(claims),
      );
    }
  });

  for (const [what, token, reason] of forged) {
    it(`${what} is 401, and the log says why`, async () => {
      const answer = await ask(await token);
      assert.equal(answer.status, 401);
      assert.equal(answer.json()['message'], 'The token is not accepted.');
      assert.match(String(gateway().logOf(answer)['reason']), reason);
    });
  }

  it('is judged at each request', async () => {
    const token = await issuer.sign(fresh);
    assert.equal((await ask(token)).status, 200);
    skewMs = 331_000;
    assert.equal((await ask(token)).status, 401);
    skewMs = 0;
  });

  it('of a key that is gone from OIDC_JWKS_FILE is 401 after the reload', async () => {
    const token = await issuer.sign(fresh);
    const file = join(gateway().directory, 'jwks.json');
    await writeFile(file, (await createIssuer(ISSUER, 'key-2')).jwks);
    assert.equal(await gateway().gateway.reload('SIGHUP'), true);
    assert.equal((await ask(token)).status, 401);
    for (const bad of ['', '{}', '{"keys":[]}', '{"keys":[{"kty":"oct","k":"AA","kid":"a"}]}']) {
      await writeFile(file, bad);
      assert.equal(await gateway().gateway.reload('SIGHUP'), false, bad);
    }
    await writeFile(file, issuer.jwks);
    assert.equal(await gateway().gateway.reload('SIGHUP'), true);
    assert.equal((await ask(token)).status, 200);
  });
});
