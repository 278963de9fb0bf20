import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { readOperations } from '../../src/core/policy/operations.ts';
import { READ_TOKEN, WRITE_TOKEN } from '../support/gateway.ts';
import { shareGateway } from '../support/shared-gateway.ts';

const DOCUMENT = new URL('../../openapi.yaml', import.meta.url);
const operations = readOperations(parse(readFileSync(DOCUMENT, 'utf8'))).all;
const DNS = 'demo-cluster-01.k8s.example.com';

describe('API_MODE=read-only', () => {
  const gateway = shareGateway({ environment: { API_MODE: 'read-only', CRUD_AUTH_TOKEN: WRITE_TOKEN } });

  for (const { method, path, audience } of operations) {
    if (audience !== 'operator') continue;
    const expected = method === 'GET' ? 404 : 405;
    it(`${method} ${path} is ${expected} for everybody`, async () => {
      const operator = await gateway().pki.operator('op@example.com', ['platform-team']);
      const cluster = await gateway().pki.cluster(DNS);
      const target = path
        .replace('{id}', 'podinfo')
        .replace('{cluster_dns}', DNS)
        .replace('{revision}', '1')
        .replace('{plan_hash}', '0'.repeat(64))
        .replace('{progress_id}', '0'.repeat(36))
        .replace('{asset}', 'page-0123456789abcdef.css');
      const body = ['POST', 'PUT', 'PATCH'].includes(method) ? { id: 'podinfo' } : undefined;
      for (const credential of [
        {},
        { token: READ_TOKEN },
        { token: WRITE_TOKEN },
        { token: 'unknown' },
        { certificate: operator },
        { certificate: cluster },
      ]) {
        const answer = await gateway().send({ method, path: target, body, ...credential });
        assert.equal(answer.status, expected);
        if (expected === 405) assert.equal(typeof answer.headers.allow, 'string', 'RFC 9110 §15.5.6');
      }
    });
  }

  it('serves the Flux and public routes', async () => {
    const certificate = await gateway().pki.cluster(DNS);
    const path = `/api/v2/flux/clusters/${DNS}/platform-components`;
    assert.equal((await gateway().send({ path, certificate })).status, 200);
    const list = { path: '/api/v2/flux/clusters', token: READ_TOKEN };
    assert.equal((await gateway().send(list)).status, 200);
    assert.equal((await gateway().send({ path: '/openapi.yaml' })).status, 200);
  });
});
