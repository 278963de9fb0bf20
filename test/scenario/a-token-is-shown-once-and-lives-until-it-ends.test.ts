import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { it } from 'node:test';
import { systemClock } from '../../src/shell/clock.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { type MadeToken, makeToken, postToken, revokeToken } from '../support/tokens.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const INPUTS = `/api/v2/flux/clusters/${DNS}/namespaces`;

it('a token is in its 201 and nowhere else: no list, no log, no file', async (t) => {
  const gateway = await startTestGateway(t);
  const { id, token, ...record } = await makeToken(gateway, {
    kind: 'cluster',
    cluster_dns: DNS,
    name: 'east',
  });
  assert.match(token, /^fxgc_[0-9A-Za-z]{49}$/);
  assert.equal(record['created_by'], `writer:token-${String(record['created_by']).slice(-12)}`);
  assert.equal((await gateway.send({ path: INPUTS, token })).status, 200);

  const shown = await gateway.send({ path: `/tokens/${id}`, token: WRITE_TOKEN });
  const seen = shown.json<Record<string, unknown>>();
  assert.equal(seen['last_used_from'], '127.0.0.1');
  assert.ok(Math.abs(Date.parse(String(seen['last_used_at'])) - Date.now()) < 60_000);
  assert.deepEqual({ ...record, last_used_at: seen['last_used_at'], last_used_from: '127.0.0.1', id }, seen);
  const listed = await gateway.send({ path: '/tokens', token: WRITE_TOKEN });
  assert.deepEqual(listed.json(), [seen]);

  const secret = token.slice(5, -6);
  assert.ok(!listed.body.includes(secret) && !shown.body.includes(secret));
  assert.ok(!JSON.stringify(gateway.log).includes(secret), 'the log');
  for (const file of await readdir(gateway.directory)) {
    assert.ok(!(await readFile(join(gateway.directory, file))).includes(secret), file);
  }
});

it('a token outlives a restart, and its end does not wait for one', async (t) => {
  let skewMs = 0;
  const clock = { ...systemClock, now: () => systemClock.now() + skewMs };
  const gateway = await startTestGateway(t, { clock });
  const { token, id } = await makeToken(gateway, { kind: 'reader', ttl: 60 });
  assert.equal((await gateway.send({ path: INPUTS, token })).status, 200);
  const again = await startTestGateway(t, {
    pki: gateway.pki,
    clock,
    environment: { DATABASE_URL: `sqlite://${gateway.directory}/fleet.db` },
  });
  assert.equal((await again.send({ path: INPUTS, token })).status, 200);
  skewMs = 60_001;
  const refused = await again.send({ path: INPUTS, token });
  assert.equal(refused.status, 401);
  assert.match(String(again.logOf(refused)['reason']), new RegExp(`token ${id} .* has expired`));
  const { state } = (await again.send({ path: `/tokens/${id}`, token: WRITE_TOKEN })).json<MadeToken>();
  assert.equal(state, 'expired');
});

it('two live tokens have one name, never three, and only if they are for the same', async (t) => {
  const gateway = await startTestGateway(t);
  const order = { name: 'ci', kind: 'operator', roles: ['editor', 'viewer'], ttl: 3_600 };
  const first = (await postToken(gateway, order)).json<MadeToken>();
  for (const other of [
    { ...order, roles: ['admin'] },
    { ...order, environments: ['dev'] },
    { name: 'ci', kind: 'reader', ttl: 3_600 },
    { name: 'ci', kind: 'cluster', cluster_dns: DNS, ttl: 3_600 },
  ]) {
    assert.equal((await postToken(gateway, other)).status, 409, JSON.stringify(other));
  }
  const second = (await postToken(gateway, { ...order, roles: ['viewer', 'editor'] })).json<MadeToken>();
  for (const { token } of [first, second]) {
    assert.equal((await gateway.send({ path: '/clusters', token })).status, 200);
  }
  assert.equal((await postToken(gateway, order)).status, 409);
  assert.equal((await revokeToken(gateway, first.id)).status, 200);
  assert.equal((await revokeToken(gateway, first.id)).status, 409);
  assert.equal((await postToken(gateway, order)).status, 201);
  assert.equal((await gateway.send({ path: '/clusters', token: first.token })).status, 401);
  assert.equal((await gateway.send({ path: '/clusters', token: second.token })).status, 200);
});

const DAY_S = 86_400;
const at = (seconds: number): string => new Date(Date.now() + seconds * 1_000).toISOString();
const BAD: readonly (readonly [string, Record<string, unknown>, string])[] = [
  ['no name', { kind: 'reader', ttl: 60 }, '/name'],
  ['a name in upper case', { name: 'CI', kind: 'reader', ttl: 60 }, '/name'],
  ['a name in another script', { name: 'сi', kind: 'reader', ttl: 60 }, '/name'],
  ['a name with a colon', { name: 'token:ci', kind: 'reader', ttl: 60 }, '/name'],
  ['a name that is a mail address', { name: 'a@example.com', kind: 'reader', ttl: 60 }, '/name'],
  ['an unknown kind', { name: 'a', kind: 'writer', ttl: 60 }, '/kind'],
  ['no end', { name: 'a', kind: 'reader' }, '/'],
  ['two ends', { name: 'a', kind: 'reader', ttl: 60, expires_at: at(60) }, '/'],
  ['a second too short', { name: 'a', kind: 'reader', ttl: 59 }, '/ttl'],
  ['a second more than a year', { name: 'a', kind: 'reader', ttl: 365 * DAY_S + 1 }, '/ttl'],
  ['an end in more than a year', { name: 'a', kind: 'reader', expires_at: at(366 * DAY_S) }, '/expires_at'],
  ['an end in the past', { name: 'a', kind: 'reader', expires_at: at(-1) }, '/expires_at'],
  [
    'an end on a day that is not',
    { name: 'a', kind: 'reader', expires_at: '2030-02-30T00:00:00Z' },
    '/expires_at',
  ],
  ['half a second', { name: 'a', kind: 'reader', ttl: 60.5 }, '/ttl'],
  ['a cluster without its name', { name: 'a', kind: 'cluster', ttl: 60 }, '/cluster_dns'],
  ['a wildcard', { name: 'a', kind: 'cluster', cluster_dns: '*.example.com', ttl: 60 }, '/cluster_dns'],
  [
    'a cluster with roles',
    { name: 'a', kind: 'cluster', cluster_dns: DNS, roles: ['viewer'], ttl: 60 },
    '/roles',
  ],
  ['a reader of one cluster', { name: 'a', kind: 'reader', cluster_dns: DNS, ttl: 60 }, '/cluster_dns'],
  ['an operator without roles', { name: 'a', kind: 'operator', ttl: 60 }, '/roles'],
  ['no role at all', { name: 'a', kind: 'operator', roles: [], ttl: 60 }, '/roles'],
  ['an unknown role', { name: 'a', kind: 'operator', roles: ['root'], ttl: 60 }, '/roles/0'],
  [
    'no environment at all',
    { name: 'a', kind: 'operator', roles: ['viewer'], environments: [], ttl: 60 },
    '/environments',
  ],
  [
    'an admin of dev',
    { name: 'a', kind: 'operator', roles: ['admin'], environments: ['dev'], ttl: 60 },
    '/roles',
  ],
  [
    'security with labels',
    { name: 'a', kind: 'operator', roles: ['security'], labels: ['a=b'], ttl: 60 },
    '/roles',
  ],
  [
    'a label without a value',
    { name: 'a', kind: 'operator', roles: ['viewer'], labels: ['a'], ttl: 60 },
    '/labels/0',
  ],
  ['a hash of one’s own', { name: 'a', kind: 'reader', ttl: 60, sha256: 'ab' }, '/sha256'],
];
it('a token that is asked for wrongly is 400, names the field, and is not made', async (t) => {
  const gateway = await startTestGateway(t);
  for (const [what, body, field] of BAD) {
    const answer = await postToken(gateway, body);
    assert.equal(answer.status, 400, what);
    const { details } = answer.json<{ details: { field: string }[] }>();
    assert.ok(
      details.some((detail) => detail.field === field),
      `${what}: ${answer.body}`,
    );
  }
  assert.deepEqual((await gateway.send({ path: '/tokens', token: WRITE_TOKEN })).json(), []);
  const year = { name: 'a-year', kind: 'reader', ttl: 365 * DAY_S };
  assert.equal((await postToken(gateway, year)).status, 201);
});
