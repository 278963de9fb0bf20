import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientRequest } from '../support/client.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const PATH = `/api/v2/flux/clusters/${DNS}/namespaces`;
const UNKNOWN_TOKEN = 'this-token-is-not-known-but-secret';
/** Too short to be taken for a token in a path. */
const SHORT_SECRET = 's3c-pw';
const PASTED_JWT = `${'eyJhbGciOiJFUzI1NiJ9'}.${'a'.repeat(40)}.${'b'.repeat(43)}`;

describe('the log', () => {
  const gateway = shareGateway({ environment: { LOG_LEVEL: 'trace' } });

  const linesOf = async (request: ClientRequest) => {
    const answer = await gateway().send(request);
    const id = answer.headers['x-request-id'];
    // What else came of it, such as a cluster's new key, has its own lines.
    const lines = gateway().log.filter((line) => line['request_id'] === id && 'method' in line);
    assert.equal(lines.length, 1, `${request.path}: ${lines.length} lines`);
    return { answer, line: lines[0] ?? { msg: '', level: '' } };
  };

  it('says who a certificate was, what it did, which policy let it, how it ended and how long it took', async () => {
    const certificate = await gateway().pki.cluster(DNS);
    const { line } = await linesOf({ path: PATH, certificate });
    const logged = line['certificate'] as Record<string, unknown>;
    assert.equal(line['principal'], `cluster:${DNS}`);
    assert.match(String(logged['sha256']), /^[0-9a-f]{64}$/);
    assert.equal(logged['serial'], Buffer.from(certificate.serial).toString('hex'));
    assert.ok(Date.parse(String(logged['not_after'])) === certificate.notAfter.getTime());
    assert.equal(line['cluster'], DNS);
    assert.equal(line['operation'], 'getNamespaceInputs');
    assert.equal(line['decision'], 'allow');
    assert.deepEqual(line['policies'], ['clusters-own-inputs']);
    assert.equal(line['status'], 200);
    assert.equal(line['method'], 'GET');
    assert.equal(line['path'], PATH);
    assert.equal(line['source'], '127.0.0.1');
    assert.ok(typeof line['duration_ms'] === 'number' && line['duration_ms'] >= 0);
    assert.ok(!Number.isNaN(Date.parse(String(line['time']))));
  });

  it('says of a refusal which policy made it, and of a change which object it was', async () => {
    const certificate = await gateway().pki.cluster(DNS);
    const other = await linesOf({ path: PATH.replace('01', '02'), certificate });
    assert.equal(other.line['decision'], 'deny');
    assert.deepEqual(other.line['policies'], ['never-other-cluster']);
    assert.equal(other.line['status'], 403);
    const write = await linesOf({ method: 'DELETE', path: '/namespaces/podinfo', token: WRITE_TOKEN });
    assert.equal(write.line['operation'], 'deleteNamespace');
    assert.equal(write.line['object'], 'podinfo');
    assert.equal(write.line['error'], 'in_use');
    assert.equal(write.line['principal'], `writer:token-${String(write.line['token_id'])}`);
    assert.match(String(write.line['token_id']), /^[0-9a-f]{12}$/);
    assert.ok(!('dry_run' in write.line));
    const dry = await linesOf({
      method: 'POST',
      path: '/namespaces?dry_run=true',
      body: { id: 'dry' },
      token: WRITE_TOKEN,
    });
    assert.equal(dry.line['dry_run'], true);
    const operator = await gateway().pki.operator('op@example.com', ['platform-team']);
    const read = await linesOf({ path: '/clusters', certificate: operator });
    assert.equal(read.line['principal'], 'operator:op@example.com');
  });

  it('does not call refused whom policy let in and what they asked for is not there, or not as it must be', async () => {
    const unregistered = 'not-registered.k8s.example.com';
    const certificate = await gateway().pki.cluster(unregistered);
    const requests: readonly ClientRequest[] = [
      { path: PATH.replace(DNS, unregistered), certificate },
      { path: '/clusters/none', token: WRITE_TOKEN },
      { method: 'POST', path: '/namespaces', token: WRITE_TOKEN, body: { id: 'No Name' } },
      { method: 'DELETE', path: '/namespaces/podinfo', token: WRITE_TOKEN },
    ];
    for (const [index, status] of [404, 404, 400, 409].entries()) {
      const { answer, line } = await linesOf(requests[index] ?? { path: '' });
      const { level, decision, msg } = line as Record<string, unknown>;
      assert.equal(answer.status, status);
      assert.deepEqual([level, decision, msg], ['warn', 'allow', 'answered with an error'], String(status));
    }
    for (const [path, status] of [
      [PATH, 403],
      ['/no-such-route', 404],
    ] as const) {
      const { answer, line } = await linesOf({ path, certificate });
      assert.equal(answer.status, status);
      assert.equal(line.msg, 'refused');
      assert.notEqual((line as Record<string, unknown>)['decision'], 'allow');
    }
  });

  it('says of a write which revision it made, and of nothing else that it made one', async () => {
    const certificate = await gateway().pki.operator('op@example.com', ['platform-team']);
    const headers = { 'idempotency-key': 'made-once' };
    const create = { method: 'POST', path: '/namespaces', body: { id: 'made' }, headers };
    for (const by of [{ certificate }, { token: WRITE_TOKEN }]) {
      const made = await linesOf({ ...create, body: { id: `made-${Object.keys(by)[0]}` }, ...by });
      const newest = await gateway().send({ path: '/revisions?limit=1', ...by });
      const [{ revision, request_id }] = newest.json<[{ revision: number; request_id: string }]>();
      assert.equal(made.answer.status, 201);
      assert.equal(request_id, made.line['request_id']);
      assert.equal(made.line['revision'], revision);
    }
    const again = await linesOf({ ...create, body: { id: 'made-certificate' }, certificate });
    assert.equal(again.answer.headers['idempotency-replayed'], 'true');
    const same = await linesOf({
      method: 'PUT',
      path: '/namespaces/made-token',
      body: { id: 'made-token' },
      certificate,
    });
    const dry = await linesOf({ ...create, path: '/namespaces?dry_run=true', certificate });
    const read = await linesOf({ path: '/revisions', certificate });
    assert.deepEqual([same.answer.status, dry.answer.status, read.answer.status], [200, 200, 200]);
    const refused = await linesOf({ method: 'DELETE', path: '/namespaces/podinfo', certificate });
    assert.equal(refused.answer.status, 409);
    for (const { line } of [again, same, dry, read, refused]) assert.ok(!('revision' in line));
  });

  it('has one line for each request of every kind', async () => {
    const { pki } = gateway();
    const requests: readonly ClientRequest[] = [
      { path: '/health' },
      { path: '/no-such-route' },
      { path: PATH },
      { path: PATH, token: READ_TOKEN },
      { path: '/clusters', token: READ_TOKEN },
      { path: PATH, token: UNKNOWN_TOKEN },
      { path: '/clusters', token: WRITE_TOKEN },
      { path: PATH, certificate: await pki.cluster('*.example.com'), token: WRITE_TOKEN },
      {
        path: PATH,
        headers: { authorization: `Basic ${Buffer.from(`flux:${READ_TOKEN}`).toString('base64')}` },
      },
      { path: PATH, headers: { authorization: UNKNOWN_TOKEN } },
      { path: PATH, headers: { authorization: `Bearer ${READ_TOKEN} ${UNKNOWN_TOKEN}` } },
      { path: `/clusters?token=${UNKNOWN_TOKEN}`, token: WRITE_TOKEN },
      {
        path: '/health',
        headers: { cookie: `session=${UNKNOWN_TOKEN}`, 'proxy-authorization': UNKNOWN_TOKEN },
      },
      { method: 'POST', path: '/namespaces', token: WRITE_TOKEN, body: `{"token":"${UNKNOWN_TOKEN}"}` },
      { method: 'POST', path: '/namespaces', token: WRITE_TOKEN, body: `{"id":"${UNKNOWN_TOKEN}` },
      {
        method: 'PATCH',
        path: '/namespaces/podinfo',
        token: WRITE_TOKEN,
        body: { annotations: { a: pki.server.keyPem } },
      },
      { method: 'PUT', path: '/health' },
      // Pasted into the URL by somebody who looked for the right place.
      { path: `/${WRITE_TOKEN}` },
      { path: `/token/${UNKNOWN_TOKEN}/clusters` },
      { path: `/clusters/${UNKNOWN_TOKEN}/namespaces`, token: WRITE_TOKEN },
      { path: `/api/v2/flux/clusters/${READ_TOKEN}` },
      { path: `/v3/${PASTED_JWT}` },
    ];
    for (const request of requests) await linesOf(request);
    for (const head of [
      `GET /health HTTP/1.1\r\nHost: localhost\r\nAuthorization : Bearer ${READ_TOKEN}\r\n\r\n`,
      `GET https://a:${SHORT_SECRET}@localhost/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
    ]) {
      const raw = await exchange(gateway(), head);
      const id = raw.answers[0]?.headers['x-request-id'];
      assert.equal(gateway().log.filter((line) => line['request_id'] === id).length, 1);
    }
  });

  it('never holds a token, an Authorization header, a key or a certificate in PEM', () => {
    const text = JSON.stringify(gateway().log);
    const { pki } = gateway();
    const base64 = (token: string): string => Buffer.from(`flux:${token}`).toString('base64');
    const keyLines = [pki.server, pki.clusterRoot, pki.operatorRoot].flatMap(({ keyPem }) =>
      keyPem.split('\n').filter((line) => line.length > 40),
    );
    assert.ok(keyLines.length >= 6);
    for (const secret of [
      READ_TOKEN,
      WRITE_TOKEN,
      UNKNOWN_TOKEN,
      PASTED_JWT,
      SHORT_SECRET,
      base64(READ_TOKEN),
      'Bearer ',
      'Basic ',
      'PRIVATE KEY',
      '-----BEGIN',
      ...keyLines,
    ]) {
      assert.ok(!text.includes(secret), `the log holds ${secret}`);
    }
    assert.ok(gateway().log.length > 20);
  });
});
