import assert from 'node:assert/strict';
import { test } from 'node:test';
import { systemClock } from '../../src/shell/clock.ts';
import { startTestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const create = (key: string, id: string) => ({
  method: 'POST',
  path: '/namespaces',
  body: { id },
  headers: { 'Idempotency-Key': key },
});

test('the same key and request get the same answer, and the fleet changes once', async (t) => {
  const gateway = await startTestGateway(t);
  const send = (request: object) => gateway.send({ token: WRITE_TOKEN, path: '', ...request });
  const [one, two] = await Promise.all([send(create('k-1', 'new')), send(create('k-1', 'new'))]);
  assert.deepEqual([one.status, two.status], [201, 201]);
  assert.equal(one.body.toString(), two.body.toString());
  assert.deepEqual([one.headers.etag, one.headers.location], [two.headers.etag, two.headers.location]);
  assert.deepEqual([one, two].map(({ headers }) => headers['idempotency-replayed']).sort(), [
    'true',
    undefined,
  ]);
  const revisions = (await send({ path: '/revisions' })).json<object[]>();
  assert.equal(revisions.length, 2);
});

test('another body under the same key is a conflict; another principal has keys of their own', async (t) => {
  const gateway = await startTestGateway(t);
  const send = (request: object) => gateway.send({ token: WRITE_TOKEN, path: '', ...request });
  assert.equal((await send(create('k-1', 'new'))).status, 201);
  const other = await send(create('k-1', 'other'));
  assert.equal(`${other.status} ${other.json()['error']}`, '409 conflict');
  const certificate = await gateway.pki.operator('alex@example.com', ['platform']);
  assert.equal((await gateway.send({ ...create('k-1', 'other'), certificate })).status, 201);
  assert.equal((await send({ path: '/namespaces/other' })).status, 200);
});

test('failures and dry runs are not remembered, and a malformed key is refused', async (t) => {
  const gateway = await startTestGateway(t);
  const send = (request: object) => gateway.send({ token: WRITE_TOKEN, path: '', ...request });
  assert.equal((await send(create('k', 'podinfo'))).status, 409);
  assert.equal((await send({ ...create('k', 'new'), path: '/namespaces?dry_run=true' })).status, 200);
  assert.equal((await send(create('k', 'new'))).status, 201);
  for (const key of ['', 'a b', 'a,b', 'x'.repeat(129), 'ä']) {
    assert.equal((await send(create(key, 'n'))).status, 400, key);
  }
});

test('a key is forgotten after a day, and kept over a restart', async (t) => {
  let now = Date.now();
  const clock = { ...systemClock, now: () => now };
  const gateway = await startTestGateway(t, { clock });
  const environment = { DATABASE_URL: `sqlite://${gateway.directory}/fleet.db` };
  const send = (g: typeof gateway, request: object) => g.send({ token: WRITE_TOKEN, path: '', ...request });
  assert.equal((await send(gateway, create('k', 'new'))).status, 201);
  await gateway.gateway.close();
  const again = await startTestGateway(t, { clock, environment, pki: gateway.pki });
  assert.equal((await send(again, create('k', 'new'))).headers['idempotency-replayed'], 'true');
  now += 86_400_001;
  assert.equal(
    (await send(again, create('k', 'new'))).status,
    409,
    'the id is taken: it was carried out again',
  );
});

test('the same key and body for another object, or with another parameter, is another request', async (t) => {
  const gateway = await startTestGateway(t);
  const send = (path: string, body?: object) =>
    gateway.send({ method: 'POST', path, token: WRITE_TOKEN, body, headers: { 'Idempotency-Key': 'k' } });
  const frozen = { state: 'frozen', reason: 'a test' };
  assert.equal((await send('/clusters/demo-cluster-01/state', frozen)).status, 200);
  const other = await send('/clusters/demo-cluster-02/state', frozen);
  assert.equal(`${other.status} ${other.json()['error']}`, '409 conflict');
  const read = await gateway.send({ path: '/clusters/demo-cluster-02', token: WRITE_TOKEN });
  assert.ok(!('state' in read.json()));
  const page = await send('/clusters/demo-cluster-01/state?limit=1', frozen);
  assert.equal(`${page.status} ${page.json()['error']}`, '409 conflict');
});
