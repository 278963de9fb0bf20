import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ClientAnswer, ClientRequest } from '../support/client.ts';
import { sendConfirmed } from '../support/confirm.ts';
import { WRITE_TOKEN } from '../support/gateway.ts';
import { exchange } from '../support/raw.ts';
import { shareGateway } from '../support/shared-gateway.ts';

interface Detail {
  readonly field: string;
  readonly problem: string;
}
const errorOf = (answer: ClientAnswer): string => String(answer.json()['error']);
const fieldsOf = (answer: ClientAnswer): string[] =>
  answer.json<{ details: Detail[] }>().details.map(({ field }) => field);

describe('an operator', () => {
  const gateway = shareGateway();
  const ask = (method: string, path: string, body?: unknown, more: Partial<ClientRequest> = {}) =>
    gateway().send({ method, path, body, token: WRITE_TOKEN, ...more });
  const confirmed = (method: string, path: string, body: unknown) =>
    sendConfirmed(gateway(), { method, path, body, token: WRITE_TOKEN });
  const cluster = (id: string, fields: object = {}): object => ({
    id,
    cluster_name: id,
    cluster_dns: `${id}.k8s.example.com`,
    environment: 'qa',
    ...fields,
  });

  it('creates: 201 and a Location that answers', async () => {
    const created = await ask('POST', '/clusters', cluster('created'));
    assert.equal(created.status, 201);
    assert.equal(created.headers.location, '/clusters/created');
    const got = await ask('GET', String(created.headers.location));
    assert.deepEqual(got.json(), created.json());
    assert.deepEqual(created.json()['platform_components'], []);
    assert.deepEqual(created.json()['patches'], {});
  });

  it('puts: the fields that are named are replaced, the others stay; never creates', async () => {
    await ask('POST', '/clusters', cluster('put', { node_count: 3, namespaces: [{ id: 'podinfo' }] }));
    const put = await confirmed('PUT', '/clusters/put', { namespaces: [{ id: 'traefik' }], vm_image: 'v2' });
    assert.equal(put.status, 200);
    const { namespaces, node_count, vm_image } = put.json();
    assert.deepEqual([namespaces, node_count, vm_image], [[{ id: 'traefik' }], 3, 'v2']);
    assert.equal((await ask('PUT', '/clusters/never-there', cluster('never-there'))).status, 404);
    assert.equal((await ask('GET', '/clusters/never-there')).status, 404);
  });

  it('patches: RFC 7396, null removes', async () => {
    await ask('POST', '/clusters', cluster('patch', { node_count: 3, vm_image: 'v1' }));
    const patched = await ask('PATCH', '/clusters/patch', { node_count: null, environment: 'uat' });
    assert.equal(patched.status, 200);
    assert.ok(!('node_count' in patched.json()));
    assert.deepEqual([patched.json()['environment'], patched.json()['vm_image']], ['uat', 'v1']);
    await ask('PATCH', '/clusters/patch', {
      platform_components: [{ id: 'cert-manager', enabled: true }],
      patches: { 'cert-manager': { a: '1', b: '2' } },
    });
    const merged = await ask('PATCH', '/clusters/patch', {
      patches: { 'cert-manager': { a: null, c: '3' } },
    });
    assert.deepEqual(merged.json()['patches'], { 'cert-manager': { b: '2', c: '3' } });
    const required = await ask('PATCH', '/clusters/patch', { cluster_name: null });
    assert.equal(required.status, 400);
  });

  it('unassigns a component, and its patches go with it', async () => {
    await ask(
      'POST',
      '/clusters',
      cluster('unassign', {
        platform_components: [
          { id: 'cert-manager', enabled: true },
          { id: 'traefik', enabled: true },
        ],
        patches: { 'cert-manager': { a: '1' }, traefik: { b: '2' } },
      }),
    );
    const put = await ask('PUT', '/clusters/unassign', {
      platform_components: [{ id: 'cert-manager', enabled: true }],
    });
    assert.equal(put.status, 200);
    assert.deepEqual(put.json()['patches'], { 'cert-manager': { a: '1' } });
    const patch = await confirmed('PATCH', '/clusters/unassign', { platform_components: [] });
    assert.deepEqual(patch.json()['patches'], {});
  });

  it('deletes: the answer is what was there, and then it is gone', async () => {
    const created = await ask('POST', '/namespaces', { id: 'gone', labels: { a: 'b' } });
    const deleted = await ask('DELETE', '/namespaces/gone');
    assert.equal(deleted.status, 200);
    assert.deepEqual(deleted.json(), created.json());
    for (const method of ['GET', 'DELETE']) {
      assert.equal((await ask(method, '/namespaces/gone')).status, 404);
    }
  });

  it('does not delete what is in use, and is told by whom', async () => {
    for (const [path, users] of [
      ['/platform_components/traefik', ['demo-cluster-01', 'demo-cluster-02', 'demo-cluster-03', 'podinfo']],
      ['/namespaces/podinfo', ['demo-cluster-01', 'demo-cluster-02']],
      ['/rolebindings/developers-view', ['demo-cluster-01']],
    ] as const) {
      const answer = await ask('DELETE', path);
      assert.equal(answer.status, 409);
      assert.equal(errorOf(answer), 'in_use');
      for (const user of users) {
        assert.ok(
          fieldsOf(answer).some((field) => field.endsWith(`/${user}`)),
          `${path}: ${user}`,
        );
      }
      assert.equal((await ask('GET', path)).status, 200);
    }
  });

  it('cannot take an id or a cluster_dns that is taken', async () => {
    const id = await ask('POST', '/clusters', cluster('demo-cluster-01'));
    assert.deepEqual([id.status, errorOf(id)], [409, 'conflict']);
    assert.deepEqual(fieldsOf(id), ['/id']);
    const dns = await ask(
      'POST',
      '/clusters',
      cluster('thief', { cluster_dns: 'demo-cluster-01.k8s.example.com' }),
    );
    assert.deepEqual([dns.status, errorOf(dns)], [409, 'conflict']);
    assert.deepEqual(fieldsOf(dns), ['/cluster_dns']);
    assert.equal((await ask('GET', '/clusters/thief')).status, 404);
  });

  it('cannot refer to what is not there, and is told which field does', async () => {
    const answer = await ask(
      'POST',
      '/clusters',
      cluster('dangling', {
        platform_components: [
          { id: 'podinfo', enabled: true },
          { id: 'nothing', enabled: true },
        ],
        namespaces: [{ id: 'nothing' }],
      }),
    );
    assert.deepEqual([answer.status, errorOf(answer)], [400, 'validation_error']);
    assert.deepEqual(fieldsOf(answer).sort(), ['/namespaces/0/id', '/platform_components/1/id']);
  });

  it('pages and filters: X-Total-Count, Link until the end, in order of id', async () => {
    for (let n = 10; n < 15; n++) await ask('POST', '/namespaces', { id: `page-${n}` });
    const seen: string[] = [];
    let path: string | undefined = '/namespaces?limit=3';
    let total = '';
    while (path !== undefined) {
      const page: ClientAnswer = await ask('GET', path);
      assert.equal(page.status, 200);
      const items = page.json<{ id: string }[]>();
      assert.ok(items.length <= 3);
      seen.push(...items.map(({ id }) => id));
      total = String(page.headers['x-total-count']);
      path = /^<(?<next>[^>]+)>; rel="next"$/.exec(String(page.headers.link))?.groups?.['next'];
    }
    assert.equal(String(seen.length), total);
    assert.deepEqual(seen, [...new Set(seen)].sort());
    const all = await ask('GET', '/namespaces');
    assert.deepEqual(
      all.json<{ id: string }[]>().map(({ id }) => id),
      seen,
    );
    const beyond = await ask('GET', '/namespaces?offset=100000');
    assert.deepEqual([beyond.json(), beyond.headers.link], [[], undefined]);
    const prod = await ask('GET', '/clusters?environment=prod');
    assert.deepEqual(
      prod.json<{ id: string }[]>().map(({ id }) => id),
      ['demo-cluster-03'],
    );
    const one = await ask('GET', '/clusters?cluster_dns=demo-cluster-02.k8s.example.com');
    assert.deepEqual(
      one.json<{ id: string }[]>().map(({ id }) => id),
      ['demo-cluster-02'],
    );
    const version = await ask('GET', '/platform_components?component_version=6.9.1');
    assert.deepEqual(
      version.json<{ id: string }[]>().map(({ id }) => id),
      ['podinfo'],
    );
  });

  it('must say what the body is: 415', async () => {
    const types: readonly (readonly [method: string, type: string, status: number])[] = [
      ['PATCH', 'application/merge-patch+json', 200],
      ['PATCH', 'application/merge-patch+json; charset=UTF-8', 200],
      ['PUT', 'application/json', 200],
      ['PATCH', 'application/json', 415],
      ['PATCH', 'application/json-patch+json', 415],
      ['PUT', 'application/merge-patch+json', 415],
      ['PUT', 'text/plain', 415],
      ['PUT', 'application/x-www-form-urlencoded', 415],
      ['PUT', 'application/json; charset=utf-16', 415],
      ['PUT', 'application/jsonx', 415],
      ['PUT', '', 415],
    ];
    for (const [method, type, status] of types) {
      const answer = await ask(method, '/namespaces/podinfo', {}, { headers: { 'content-type': type } });
      assert.equal(answer.status, status, `${method} ${type}`);
    }
    for (const encoding of ['gzip', 'br', 'identity, gzip']) {
      const headers = { 'content-encoding': encoding };
      assert.equal((await ask('PUT', '/namespaces/podinfo', {}, { headers })).status, 415, encoding);
    }
  });

  it('cannot send 10 MB: 413 as soon as it is known, declared or not', async () => {
    const head = `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${WRITE_TOKEN}\r\nContent-Type: application/json\r\n`;
    const declared = await exchange(gateway(), `${head}Content-Length: 10485760\r\n\r\n{"id":"`);
    assert.deepEqual(
      declared.answers.map(({ status }) => status),
      [413],
    );
    assert.equal(declared.ended, true);
    const chunk = `100000\r\n${' '.repeat(0x100000)}\r\n`;
    const chunked = await exchange(gateway(), [`${head}Transfer-Encoding: chunked\r\n\r\n`, chunk + chunk]);
    assert.deepEqual(
      chunked.answers.map(({ status }) => status),
      [413],
    );
    assert.equal(chunked.ended, true);
    const whole = await exchange(
      gateway(),
      `${head}Content-Length: 18\r\nConnection: close\r\n\r\n{"id":"just-right"}`.slice(0, -1),
    );
    assert.equal(whole.answers[0]?.status, 400, 'one octet is missing from the JSON');
  });

  it('is told to continue only when it may', async () => {
    const head = (token: string, length = 17): string =>
      `POST /namespaces HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\nExpect: 100-continue\r\n\r\n`;
    const refused = await exchange(gateway(), head('unknown'));
    assert.deepEqual(
      refused.answers.map(({ status }) => status),
      [401],
    );
    assert.equal(refused.ended, true);
    const tooLarge = await exchange(gateway(), head(WRITE_TOKEN, 10_485_760));
    assert.equal(tooLarge.answers.at(-1)?.status, 413);
    const allowed = await exchange(gateway(), [head(WRITE_TOKEN), '{"id":"continue"}'], { answers: 2 });
    assert.deepEqual(
      allowed.answers.map(({ status }) => status),
      [100, 201],
    );
  });

  it('sends no body where there is none to send', async () => {
    for (const method of ['GET', 'DELETE']) {
      const answer = await ask(method, '/namespaces/podinfo', { a: 1 });
      assert.equal(answer.status, 400, method);
    }
  });
});
