import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { it } from 'node:test';
import { type Document, OpenAPIBackend } from 'openapi-backend';
import { parse } from 'yaml';
import { readOperations } from '../../../src/core/policy/operations.ts';
import { createRouteIndex } from '../../../src/shell/http/route-index.ts';

const document = parse(readFileSync(new URL('../../../openapi.yaml', import.meta.url), 'utf8')) as Document;
const operations = readOperations(document).all;
const index = createRouteIndex(operations);
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'get', 'TRACE', ''];
/** Values of a parameter, among them what is a route's own segment elsewhere. */
const VALUES = [
  'a',
  'us-east-prod-01.k8s.example.com',
  'rendered',
  'clusters',
  '{id}',
  '__proto__',
  'a.b~c',
  '..',
];

it('finds the same whatever was asked in between, and nobody changes what the next one is given', () => {
  const [one, other] = ['/clusters/a', '/clusters/b'] as const;
  assert.deepEqual(index.find('GET', one)?.params, { id: 'a' });
  assert.deepEqual(index.find('GET', one)?.params, { id: 'a' });
  assert.deepEqual(index.find('GET', other)?.params, { id: 'b' });
  assert.equal(index.find('DELETE', other)?.operation.method, 'DELETE');
  assert.equal(index.find('TRACE', other), undefined);
  assert.deepEqual(index.find('GET', one)?.params, { id: 'a' });
  for (const path of [one, '/health']) assert.ok(Object.isFrozen(index.find('GET', path)?.params), path);
});

it('finds what openapi-backend finds, with the same parameters', async () => {
  const backend = new OpenAPIBackend({ definition: document, quick: true, ignoreTrailingSlashes: false });
  await backend.init();
  const paths = new Set<string>([
    '/',
    '/nothing',
    '/clusters/',
    '/clusters/a/b/c',
    '/Clusters',
    '/clusters-of-others',
  ]);
  for (const { path } of operations) {
    for (const value of VALUES) {
      const filled = path.replaceAll(/\{[^}]+\}/g, value);
      for (const near of [filled, `${filled}/`, `${filled}/more`, filled.slice(0, -1), `/x${filled}`])
        paths.add(near);
    }
  }
  let found = 0;
  for (const path of paths) {
    for (const method of METHODS) {
      const request = { method, path, headers: {} };
      // The backend takes a method in any case; the gateway refuses all but the ones that it knows.
      const theirs =
        method === method.toUpperCase() && method !== '' ? backend.matchOperation(request) : undefined;
      const ours = index.find(method, path);
      assert.equal(ours?.operation.operationId, theirs?.operationId, `${method} ${path}`);
      if (theirs === undefined) continue;
      found++;
      const { params } = backend.router.parseRequest(request, theirs);
      assert.deepEqual({ ...ours?.params }, { ...params }, `${method} ${path}`);
    }
  }
  assert.ok(found > operations.length * 3, `${found}`);
});
