import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { FORM_COOKIE } from '../../src/shell/http/ui/sessions.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { formTokenOf, SESSION, text, visitor } from '../support/status-page.ts';

/** What a browser says of a form that another site sent. */
const FOREIGN: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  'another site': { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' },
  'another site, of a browser without Fetch Metadata': {
    origin: 'https://evil.example',
    'sec-fetch-site': 'same-origin',
  },
  'a sandboxed frame': { origin: 'null', 'sec-fetch-site': 'cross-site' },
  'another host of the same site': { origin: 'https://other.localhost', 'sec-fetch-site': 'same-site' },
  'plain http on the same host': { origin: 'http://localhost', 'sec-fetch-site': 'cross-site' },
  'the address bar': { 'sec-fetch-site': 'none' },
};

describe('a form of the status page', () => {
  const gateway = shareGateway();

  for (const [who, headers] of Object.entries(FOREIGN)) {
    it(`is refused from ${who}: signing in, signing out, approving; by cookie and by certificate`, async () => {
      const person = visitor(gateway());
      const form_token = formTokenOf(await person.get('/ui'));
      const signIn = await person.post(
        '/ui',
        { token: WRITE_TOKEN, form_token },
        { headers: { ...headers } },
      );
      assert.equal(signIn.status, 403);
      assert.equal(person.cookies.has(SESSION), false);
      const page = await person.signIn(WRITE_TOKEN);
      const own = formTokenOf(page);
      assert.equal((await person.post('/ui/sign-out', { form_token: own }, { headers })).status, 403);
      assert.equal((await person.get('/ui')).status, 200, 'still signed in');
      const path = `/ui/plans/${'0'.repeat(64)}/approve`;
      assert.equal((await person.post(path, { form_token: own }, { headers })).status, 403);
      // A browser sends its certificate wherever it is asked for, whoever made it send something.
      const certificate = await gateway().pki.operator('op@example.com', ['platform-team']);
      const byCertificate = visitor(gateway(), { certificate });
      assert.equal((await byCertificate.post(path, { form_token: own }, { headers })).status, 403);
    });
  }

  it('is refused without any word of where it was sent from', async () => {
    const person = visitor(gateway());
    const form_token = formTokenOf(await person.get('/ui'));
    const answer = await gateway().send({
      method: 'POST',
      path: '/ui',
      body: new URLSearchParams({ token: WRITE_TOKEN, form_token }).toString(),
      headers: {
        'content-type': 'application/x-www-form-urlencoded',
        cookie: `${FORM_COOKIE}=${person.cookies.get(FORM_COOKIE)}`,
      },
    });
    assert.equal(answer.status, 403);
    assert.equal(answer.json()['error'], 'forbidden');
  });

  it('is refused with another’s token, one of before, or one of another form', async () => {
    const mallory = visitor(gateway());
    const hers = formTokenOf(await mallory.get('/ui'));
    const victim = visitor(gateway());
    await victim.get('/ui');
    const planted = await victim.post('/ui', { token: WRITE_TOKEN, form_token: hers });
    assert.equal(planted.status, 403, 'nobody is signed in by a form that they did not see');
    const own = formTokenOf(await victim.signIn(WRITE_TOKEN));
    const other = visitor(gateway());
    const others = formTokenOf(await other.signIn(WRITE_TOKEN));
    assert.notEqual(own, others);
    assert.equal((await victim.post('/ui/sign-out', { form_token: others })).status, 403);
    assert.equal((await victim.post('/ui/sign-out', { form_token: hers })).status, 403);
    assert.equal((await victim.post('/ui/sign-out', { form_token: own })).status, 200);
    assert.equal((await victim.post('/ui/sign-out', { form_token: own })).status, 401, 'once');
  });

  it('is one form: nothing twice, nothing unknown, nothing large, nothing but a form', async () => {
    const person = visitor(gateway());
    const form_token = formTokenOf(await person.get('/ui'));
    const raw = async (body: string, type?: string): Promise<number> => {
      const headers = {
        'content-type': type ?? 'application/x-www-form-urlencoded',
        origin: `https://localhost:${gateway().port}`,
        cookie: `${FORM_COOKIE}=${person.cookies.get(FORM_COOKIE)}`,
      };
      return (await gateway().send({ method: 'POST', path: '/ui', body, headers })).status;
    };
    const good = new URLSearchParams({ token: WRITE_TOKEN, form_token }).toString();
    assert.equal(await raw(`${good}&token=another`), 400);
    assert.equal(await raw(`${good}&more=1`), 400);
    assert.equal(await raw(`${good}&__proto__=1`), 400);
    assert.equal(await raw(`token=%ff&form_token=${form_token}`), 400);
    assert.equal(await raw(`token=${'x'.repeat(5_000)}&form_token=${form_token}`), 400);
    assert.equal(await raw(`token=${'x'.repeat(20_000)}&form_token=${form_token}`), 413);
    assert.equal(await raw(JSON.stringify({ token: WRITE_TOKEN, form_token }), 'application/json'), 415);
    assert.equal(await raw(good, 'text/plain'), 415);
    assert.equal(await raw(good), 200);
  });

  it('leads nowhere but to our own pages', async () => {
    for (const next of [
      'https://evil.example/',
      '//evil.example',
      '/clusters',
      'javascript:alert(1)',
      '/ui"><script>',
    ]) {
      const person = visitor(gateway());
      const form_token = formTokenOf(await person.get('/ui'));
      const answer = await person.post('/ui', { token: WRITE_TOKEN, form_token, next });
      assert.equal(answer.status, 400, next);
    }
    const person = visitor(gateway());
    const asked = await person.get('/ui/trust');
    assert.equal(asked.status, 401);
    assert.match(text(asked), /name="next" value="\/ui\/trust"/);
    const form_token = formTokenOf(asked);
    const answer = await person.post('/ui', { token: WRITE_TOKEN, form_token, next: '/ui/trust' });
    assert.equal(answer.status, 200);
    assert.match(text(answer), /<a href="\/ui\/trust">Go on/);
    assert.equal(answer.headers['location'], undefined);
  });
});
