import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ClientAnswer, ClientRequest } from '../support/client.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';

const PATH = '/rolebindings/developers-view';

function writer(gateway: TestGateway): (request: ClientRequest) => Promise<ClientAnswer> {
  return (request) => gateway.send({ token: WRITE_TOKEN, ...request });
}

test('GET, POST, PUT and PATCH say the ETag, and it changes with the object and back with it', async (t) => {
  const send = writer(await startTestGateway(t));
  const read = await send({ path: PATH });
  const etag = String(read.headers.etag);
  assert.match(etag, /^"[\w-]{43}"$/);
  const put = await send({ method: 'PUT', path: PATH, body: { role: 'edit' } });
  assert.notEqual(put.headers.etag, etag);
  assert.equal((await send({ path: PATH })).headers.etag, put.headers.etag);
  const patched = await send({ method: 'PATCH', path: PATH, body: { role: 'view' } });
  assert.equal(patched.headers.etag, etag);
  const body = { id: 'new', role: 'view', subjects: [] };
  const created = await send({ method: 'POST', path: '/rolebindings', body });
  assert.equal((await send({ path: '/rolebindings/new' })).headers.etag, created.headers.etag);
  const conditional = await send({ path: PATH, headers: { 'If-None-Match': etag } });
  assert.equal(conditional.status, 200, 'no conditional GET: always the whole object');
});

test('a stale If-Match changes nothing, with any method; the right one does', async (t) => {
  const gateway = await startTestGateway(t);
  const send = writer(gateway);
  const stale = String((await send({ path: PATH })).headers.etag);
  assert.equal((await send({ method: 'PUT', path: PATH, body: { role: 'edit' } })).status, 200);
  const before = await gateway.fleet();
  const headers = { 'If-Match': stale };
  for (const request of [
    { method: 'PUT', body: { role: 'admin' } },
    { method: 'PATCH', body: { role: 'admin' } },
    { method: 'DELETE' },
  ]) {
    const answer = await send({ ...request, path: PATH, headers });
    assert.equal(answer.status, 412, request.method);
  }
  assert.equal(await gateway.fleet(), before);
  const weak = `W/${String((await send({ path: PATH })).headers.etag)}`;
  const patch = { method: 'PATCH', path: PATH, body: { role: 'admin' } };
  assert.equal((await send({ ...patch, headers: { 'If-Match': weak } })).status, 412);
  assert.equal((await send({ ...patch, headers: { 'If-Match': `${stale}, ${weak.slice(2)}` } })).status, 200);
  assert.equal((await send({ ...patch, headers: { 'If-Match': '*' } })).status, 200);
  assert.equal((await send({ ...patch, path: '/rolebindings/nothing', headers })).status, 404);
});

test('If-None-Match: * creates only what is not there', async (t) => {
  const send = writer(await startTestGateway(t));
  const create = { method: 'POST', path: '/namespaces', body: { id: 'podinfo' } };
  assert.equal((await send(create)).status, 409);
  const headers = { 'If-None-Match': '*' };
  assert.equal((await send({ ...create, headers })).status, 412);
  assert.equal((await send({ ...create, body: { id: 'fresh' }, headers })).status, 201);
});

test('REQUIRE_IF_MATCH=on: no change without If-Match, and creation as always', async (t) => {
  const gateway = await startTestGateway(t, { environment: { REQUIRE_IF_MATCH: 'on' } });
  const send = writer(gateway);
  const before = await gateway.fleet();
  for (const request of [
    { method: 'PUT', body: { role: 'edit' } },
    { method: 'PATCH', body: { role: 'edit' } },
    { method: 'DELETE' },
  ]) {
    const answer = await send({ ...request, path: PATH });
    assert.equal(answer.status, 428, request.method);
    assert.match(String(answer.json()['message']), /If-Match/);
  }
  assert.equal(await gateway.fleet(), before);
  const etag = String((await send({ path: PATH })).headers.etag);
  const put = { method: 'PUT', path: PATH, body: { role: 'edit' }, headers: { 'If-Match': etag } };
  assert.equal((await send(put)).status, 200);
  assert.equal((await send({ method: 'POST', path: '/namespaces', body: { id: 'fresh' } })).status, 201);
});

test('a state is a change like any other: a stale If-Match stops it, and REQUIRE_IF_MATCH asks for one', async (t) => {
  const path = '/clusters/demo-cluster-01';
  const change = { method: 'POST', path: `${path}/state`, body: { state: 'frozen', reason: 'a test' } };
  const send = writer(await startTestGateway(t, { environment: { REQUIRE_IF_MATCH: 'on' } }));
  const etag = String((await send({ path })).headers.etag);
  assert.equal((await send(change)).status, 428);
  const patch = { method: 'PATCH', path, body: { node_count: 9 }, headers: { 'If-Match': etag } };
  assert.equal((await send(patch)).status, 200);
  assert.equal((await send({ ...change, headers: { 'If-Match': etag } })).status, 412);
  const now = await send({ path });
  assert.ok(!('state' in now.json()));
  const headers = { 'If-Match': String(now.headers.etag) };
  assert.equal((await send({ ...change, headers })).json()['state'], 'frozen');
});
