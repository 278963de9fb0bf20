import assert from 'node:assert/strict';
import { request as httpsRequest } from 'node:https';
import { describe, it } from 'node:test';
import { PAGE_LIMITS } from '../../src/core/page-limits.ts';
import type { ClientCertificate, Endpoint } from '../support/client.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { formTokenOf, HTML, SESSION, visitor } from '../support/status-page.ts';
import { makeToken, revokeToken } from '../support/tokens.ts';
import { until } from '../support/until.ts';

interface Stream {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** All that came. */
  text(): string;
  ended(): boolean;
  /** Ended by the gateway, not cut off. */
  whole(): boolean;
  close(): void;
}

async function follow(
  { port, serverCaPem }: Endpoint,
  options: { readonly certificate?: ClientCertificate; readonly headers?: Record<string, string> },
): Promise<Stream> {
  const { certificate, headers = {} } = options;
  return await new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port,
        path: '/ui/events',
        agent: false,
        servername: 'localhost',
        ca: serverCaPem,
        ...(certificate === undefined ? {} : { cert: certificate.chainPem, key: certificate.keyPem }),
        headers: { host: `localhost:${port}`, accept: 'text/event-stream', ...headers },
      },
      (response) => {
        let text = '';
        let ended = false;
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
        });
        const end = (): void => {
          ended = true;
        };
        response.on('end', end).on('error', end).on('close', end);
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text: () => text,
          ended: () => ended,
          whole: () => response.complete,
          close: () => request.destroy(),
        });
      },
    );
    request.on('error', (error) => reject(error));
    request.end();
  });
}

const sessionOf = async (gateway: TestGateway, token: string) => {
  const person = visitor(gateway);
  const page = await person.signIn(token);
  return { person, page, headers: { cookie: `${SESSION}=${person.cookies.get(SESSION)}` } };
};

describe('a stream of the status page', () => {
  it('says that something has changed, and nothing of what it is', async (t) => {
    const gateway = await startTestGateway(t);
    const certificate = await gateway.pki.operator('op@example.com');
    const stream = await follow(gateway, { certificate });
    assert.equal(stream.status, 200);
    assert.equal(stream.headers['content-type'], 'text/event-stream');
    assert.equal(stream.headers['cache-control'], 'no-store');
    assert.equal(stream.headers['x-content-type-options'], 'nosniff');
    const change = { patches: { podinfo: { replicaCount: '7' } } };
    const answer = await gateway.send({
      method: 'PATCH',
      path: '/clusters/demo-cluster-01',
      certificate,
      body: change,
    });
    assert.equal(answer.status, 200);
    await until(() => stream.text().includes('event: changed'));
    assert.match(stream.text(), /^retry: 5000\n\nevent: changed\ndata: 2\n\n$/);
    stream.close();
  });

  it('ends with the certificate, the token and the session of whoever listens, and with nobody else’s', async (t) => {
    const gateway = await startTestGateway(t);
    const leaving = await gateway.pki.operator('leaving@example.com');
    const staying = await gateway.pki.operator('staying@example.com');
    const made = await makeToken(gateway, { kind: 'operator', roles: ['viewer'] });
    const other = await makeToken(gateway, { kind: 'operator', roles: ['viewer'] });
    const revokedSession = await sessionOf(gateway, made.token);
    const signedOut = await sessionOf(gateway, other.token);
    const streams = {
      certificate: await follow(gateway, { certificate: leaving }),
      token: await follow(gateway, { headers: revokedSession.headers }),
      session: await follow(gateway, { headers: signedOut.headers }),
      staying: await follow(gateway, { certificate: staying }),
    };
    for (const { status } of Object.values(streams)) assert.equal(status, 200);
    await new Promise((resolve) => setTimeout(resolve, 2 * PAGE_LIMITS.streamTickMs));
    for (const [name, stream] of Object.entries(streams)) assert.equal(stream.ended(), false, name);
    const { X509Certificate } = await import('node:crypto');
    const certificate_sha256 = new X509Certificate(leaving.chainPem).fingerprint256;
    const order = { certificate_sha256, reason: 'left the company' };
    assert.equal(
      (await gateway.send({ method: 'POST', path: '/revocations', token: WRITE_TOKEN, body: order })).status,
      201,
    );
    await until(() => streams.certificate.ended(), 'the end of the revoked certificate’s stream');
    assert.equal((await revokeToken(gateway, made.id)).status, 200);
    await until(() => streams.token.ended(), 'the end of the revoked token’s stream');
    assert.equal(streams.session.ended(), false);
    const out = await signedOut.person.post('/ui/sign-out', { form_token: formTokenOf(signedOut.page) });
    assert.equal(out.status, 200);
    await until(
      () => streams.session.ended(),
      'the end of the session’s stream',
      2 * PAGE_LIMITS.streamJudgeMs,
    );
    assert.equal(streams.staying.ended(), false);
    streams.staying.close();
  });

  it('is one of a few for each person, and gives its place back', async (t) => {
    const gateway = await startTestGateway(t);
    const certificate = await gateway.pki.operator('op@example.com');
    const streams: Stream[] = [];
    for (let n = 0; n < PAGE_LIMITS.streamsPerPrincipalMax; n++)
      streams.push(await follow(gateway, { certificate }));
    assert.deepEqual(new Set(streams.map(({ status }) => status)), new Set([200]));
    const refused = await gateway.send({ path: '/ui/events', certificate });
    assert.equal(refused.status, 429);
    assert.ok(Number(refused.headers['retry-after']) > 0);
    const another = await follow(gateway, { certificate: await gateway.pki.operator('other@example.com') });
    assert.equal(another.status, 200, 'nobody takes the place of another');
    streams[0]?.close();
    let next: Stream | undefined;
    await until(async () => {
      next = await follow(gateway, { certificate });
      return next.status === 200;
    });
    assert.equal((await gateway.send({ path: '/ui', certificate, headers: HTML })).status, 200);
    for (const stream of [...streams, another, next]) stream?.close();
  });

  it('is one of a bounded number over all, whoever asks', async (t) => {
    const gateway = await startTestGateway(t);
    const streams: Stream[] = [];
    for (let person = 0; streams.length < PAGE_LIMITS.streamsMax; person++) {
      const certificate = await gateway.pki.operator(`op${person}@example.com`);
      for (let n = 0; n < PAGE_LIMITS.streamsPerPrincipalMax; n++)
        streams.push(await follow(gateway, { certificate }));
    }
    assert.ok(streams.every(({ status }) => status === 200));
    const late = await gateway.pki.operator('late@example.com');
    assert.equal((await gateway.send({ path: '/ui/events', certificate: late })).status, 429);
    const cluster = await gateway.pki.cluster('demo-cluster-01.k8s.example.com');
    const poll = {
      path: '/api/v2/flux/clusters/demo-cluster-01.k8s.example.com/namespaces',
      certificate: cluster,
    };
    assert.equal((await gateway.send(poll)).status, 200, 'polls are not touched');
    for (const stream of streams) stream.close();
  });

  it('does not keep a gateway that drains', async (t) => {
    const cleanups: (() => unknown)[] = [];
    const gateway = await startTestGateway({
      after: (cleanup: () => unknown) => void cleanups.push(cleanup),
    } as never);
    t.after(async () => {
      for (const cleanup of cleanups) await cleanup();
    });
    const certificate = await gateway.pki.operator('op@example.com');
    const stream = await follow(gateway, { certificate });
    await gateway.gateway.close();
    await until(() => stream.ended());
    assert.ok(stream.whole(), 'it was ended, not cut off by the bound of the drain');
  });
});
