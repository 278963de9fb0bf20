import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { systemClock } from '../../src/shell/clock.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { createTestPki } from '../support/pki.ts';
import { noteSecret } from '../support/secrets.ts';
import { shareGateway } from '../support/shared-gateway.ts';
import { formTokenOf, SESSION, text, visitor } from '../support/status-page.ts';
import { makeToken, revokeToken } from '../support/tokens.ts';

const FILE_TOKEN = 'a-write-token-of-a-file-0003';

describe('a session of the status page', () => {
  let aheadMs = 0;
  const clock = { ...systemClock, now: () => Date.now() + aheadMs };
  let tokenFile = '';
  const gateway = shareGateway(async () => ({
    clock,
    async prepare(directory: string) {
      tokenFile = join(directory, 'tokens');
      await writeFile(tokenFile, `${WRITE_TOKEN}\n${FILE_TOKEN}\n`);
      noteSecret(FILE_TOKEN);
      return { CRUD_AUTH_TOKEN_FILE: tokenFile };
    },
    environment: { CRUD_AUTH_TOKEN: undefined },
  }));

  it('begins with the form, and is answered with the page itself', async () => {
    const person = visitor(gateway());
    const first = await person.get('/ui');
    assert.equal(first.status, 401);
    assert.match(text(first), /Operator token/);
    assert.doesNotMatch(text(first), /demo-cluster/);
    const answer = await person.signIn(WRITE_TOKEN);
    assert.equal(answer.status, 200);
    assert.match(text(answer), /demo-cluster-01/);
    assert.equal((await person.get('/ui/trust')).status, 200);
    assert.match(String(gateway().logOf(answer)['principal']), /^writer:token-[0-9a-f]{12}$/);
  });

  it('holds no token in its cookie, and differs each time', async () => {
    const cookies = await Promise.all(
      [1, 2].map(async () => {
        const person = visitor(gateway());
        await person.signIn(WRITE_TOKEN);
        return person.cookies.get(SESSION) ?? '';
      }),
    );
    assert.equal(new Set(cookies).size, 2);
    for (const cookie of cookies) {
      assert.ok(!Buffer.from(cookie, 'base64url').includes(WRITE_TOKEN));
      assert.match(cookie, /^[A-Za-z0-9_-]{118}$/);
    }
  });

  it('is for the page only: no JSON route knows its cookie', async () => {
    const person = visitor(gateway());
    await person.signIn(WRITE_TOKEN);
    for (const path of ['/clusters', '/trust', '/fleet', '/audit']) {
      assert.equal((await person.get(path)).status, 401, path);
    }
    const write = {
      method: 'DELETE',
      path: '/clusters/demo-cluster-01',
      headers: { cookie: `${SESSION}=${person.cookies.get(SESSION)}` },
    };
    assert.equal((await gateway().send(write)).status, 401);
  });

  it('ends with its token: revoked', async () => {
    const made = await makeToken(gateway(), { kind: 'operator', roles: ['viewer'] });
    const person = visitor(gateway());
    assert.equal((await person.signIn(made.token)).status, 200);
    assert.equal((await person.get('/ui')).status, 200);
    assert.equal((await revokeToken(gateway(), made.id)).status, 200);
    const cookie = `${SESSION}=${person.cookies.get(SESSION)}`;
    const after = await person.get('/ui');
    assert.equal(after.status, 401);
    assert.match(text(after), /not any more/);
    assert.equal(person.cookies.has(SESSION), false, 'the cookie is taken back');
    assert.match(String(gateway().logOf(after)['reason']), /revoked/);
    assert.equal((await gateway().send({ path: '/ui', headers: { cookie } })).status, 401);
  });

  it('ends with its token: expired', async () => {
    const made = await makeToken(gateway(), { kind: 'operator', roles: ['viewer'], ttl: 600 });
    const person = visitor(gateway());
    assert.equal((await person.signIn(made.token)).status, 200);
    aheadMs += 601_000;
    assert.equal((await person.get('/ui')).status, 401);
  });

  it('ends with its token: taken out of its file', async () => {
    const person = visitor(gateway());
    assert.equal((await person.signIn(FILE_TOKEN)).status, 200);
    await writeFile(tokenFile, `${WRITE_TOKEN}\n`);
    assert.equal(await gateway().gateway.reload('SIGHUP'), true);
    assert.equal((await person.get('/ui')).status, 401);
  });

  it('ends after an hour, though the token lives on', async () => {
    const person = visitor(gateway());
    await person.signIn(WRITE_TOKEN);
    aheadMs += 3_590_000;
    assert.equal((await person.get('/ui')).status, 200);
    aheadMs += 10_000;
    assert.equal((await person.get('/ui')).status, 401);
  });

  it('ends when it is signed out, in every copy of its cookie', async () => {
    const person = visitor(gateway());
    const page = await person.signIn(WRITE_TOKEN);
    const copy = person.cookies.get(SESSION) ?? '';
    const out = await person.post('/ui/sign-out', { form_token: formTokenOf(page) });
    assert.equal(out.status, 200);
    assert.equal(person.cookies.has(SESSION), false);
    const replayed = visitor(gateway());
    replayed.cookies.set(SESSION, copy);
    const answer = await replayed.get('/ui');
    assert.equal(answer.status, 401);
    assert.match(String(gateway().logOf(answer)['reason']), /signed out/);
  });

  it('is not chosen by anybody but the gateway: a cookie that was planted is worth nothing, nor does it become a session', async () => {
    const victim = visitor(gateway());
    victim.cookies.set(SESSION, 'A'.repeat(118));
    assert.equal((await victim.get('/ui')).status, 401);
    victim.cookies.set(SESSION, 'A'.repeat(118));
    await victim.signIn(WRITE_TOKEN);
    assert.notEqual(victim.cookies.get(SESSION), 'A'.repeat(118));
    const two = `${SESSION}=${victim.cookies.get(SESSION)}; ${SESSION}=${victim.cookies.get(SESSION)}`;
    assert.equal(
      (await gateway().send({ path: '/ui', headers: { cookie: two } })).status,
      401,
      'two are none',
    );
    const sealed = victim.cookies.get(SESSION) ?? '';
    for (const at of [0, 20, 60, 117]) {
      const other = sealed[at] === 'A' ? 'B' : 'A';
      const tampered = sealed.slice(0, at) + other + sealed.slice(at + 1);
      const headers = { cookie: `${SESSION}=${tampered}` };
      assert.equal((await gateway().send({ path: '/ui', headers })).status, 401, `octet ${at}`);
    }
  });

  it('is not made from tokens that operate nothing', async () => {
    const reader = await makeToken(gateway(), { kind: 'reader' });
    const cluster = await makeToken(gateway(), {
      kind: 'cluster',
      cluster_dns: 'demo-cluster-02.k8s.example.com',
    });
    for (const token of [READ_TOKEN, reader.token, cluster.token]) {
      const person = visitor(gateway());
      const answer = await person.signIn(token);
      assert.equal(answer.status, 403);
      assert.equal(person.cookies.has(SESSION), false);
    }
    const person = visitor(gateway());
    assert.equal((await person.signIn('nobody-s-token-000000')).status, 401);
    assert.equal(person.cookies.has(SESSION), false);
  });

  it('does not stand in the way of signing in again once it is over', async () => {
    const person = visitor(gateway());
    await person.signIn(WRITE_TOKEN);
    aheadMs += 3_600_000;
    const page = await person.get('/ui', {});
    assert.equal(page.status, 401);
    assert.equal((await person.signIn(WRITE_TOKEN)).status, 200);
  });

  it('ends with the server’s key', async () => {
    const person = visitor(gateway());
    await person.signIn(WRITE_TOKEN);
    const fresh = await createTestPki();
    await writeFile(join(gateway().directory, 'server.crt'), fresh.server.chainPem);
    await writeFile(join(gateway().directory, 'server.key'), fresh.server.keyPem);
    await gateway().gateway.reload('SIGHUP');
    const endpoint = { port: gateway().port, serverCaPem: fresh.serverCa.pem };
    const { send } = await import('../support/client.ts');
    const headers = { cookie: `${SESSION}=${person.cookies.get(SESSION)}` };
    assert.equal((await send(endpoint, { path: '/ui', headers })).status, 401);
  });
});

describe('failed sign-ins', () => {
  // An address gets a guess back each second: on this clock, however slow the machine, none passes.
  const clock = { ...systemClock, elapsed: () => 0 };
  const gateway = shareGateway(async () => ({ clock }));

  it('are counted as failed tokens are, then refused unseen, whatever token they are for', async () => {
    const person = visitor(gateway());
    const page = await person.get('/ui');
    const form_token = formTokenOf(page);
    const guesses = Array.from({ length: 260 }, (_, n) =>
      person.post('/ui', { token: `guess-number-${String(n).padStart(6, '0')}-x`, form_token }),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    assert.deepEqual([...new Set(statuses)].sort(), [401, 429]);
    const right = await person.post('/ui', { token: WRITE_TOKEN, form_token });
    assert.equal(right.status, 429, 'the right one is not told from the wrong ones any more');
    const elsewhere = visitor(gateway(), { localAddress: '127.0.0.2' });
    assert.equal((await elsewhere.signIn(WRITE_TOKEN)).status, 200, 'others are not touched');
  });
});
