import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Document, OpenAPIBackend } from 'openapi-backend';
import { readOperations } from '../../../src/core/policy/operations.ts';
import { DOCUMENT, documentedOperation } from './document.ts';

const OPERATIONS = readOperations(DOCUMENT);

test('openapi-backend takes the document in its strict mode, and compiles all that is in it', async () => {
  const backend = new OpenAPIBackend({
    definition: structuredClone(DOCUMENT) as unknown as Document,
    strict: true,
    quick: false,
    ajvOpts: { strict: true, allowUnionTypes: true, logger: false },
  });
  await backend.init();
  assert.equal(backend.getOperations().length, OPERATIONS.all.length);
});

// The routes of the contract: other people's scripts and Flux rely on them.
const COLLECTIONS = [
  ['clusters', 'Cluster', 'Clusters', 'cluster'],
  ['platform_components', 'PlatformComponent', 'PlatformComponents', 'platform_component'],
  ['namespaces', 'Namespace', 'Namespaces', 'namespace'],
  ['rolebindings', 'Rolebinding', 'Rolebindings', 'rolebinding'],
] as const;

const CONTRACT: readonly string[] = [
  'GET /health getHealth public -',
  'GET /ready getReady public -',
  'GET /openapi.yaml getOpenapi public -',
  'GET /api/v2/flux/clusters listFluxClusters flux cluster',
  'GET /api/v2/flux/clusters/{cluster_dns}/platform-components getPlatformComponentInputs flux platform_component',
  'GET /api/v2/flux/clusters/{cluster_dns}/namespaces getNamespaceInputs flux namespace',
  'GET /api/v2/flux/clusters/{cluster_dns}/rolebindings getRolebindingInputs flux rolebinding',
  ...COLLECTIONS.flatMap(([path, one, many, kind]) => [
    `GET /${path} list${many} operator ${kind}`,
    `POST /${path} create${one} operator ${kind}`,
    `GET /${path}/{id} get${one} operator ${kind}`,
    `PUT /${path}/{id} put${one} operator ${kind}`,
    `PATCH /${path}/{id} patch${one} operator ${kind}`,
    `DELETE /${path}/{id} delete${one} operator ${kind}`,
  ]),
  'GET /trust getTrust operator -',
  'GET /trust/clusters/{cluster_dns} getTrustCluster operator -',
  'DELETE /trust/pins/{cluster_dns} resetTrustPin operator -',
  'POST /trust/plan planTrust operator -',
  'GET /revocations listRevocations operator -',
  'POST /revocations createRevocation operator -',
  'GET /revocations/{id} getRevocation operator -',
  'DELETE /revocations/{id} liftRevocation operator -',
  'GET /tokens listTokens operator -',
  'POST /tokens createToken operator -',
  'GET /tokens/{id} getToken operator -',
  'DELETE /tokens/{id} revokeToken operator -',
  'GET /refusals listRefusals operator -',
  'POST /explain explain operator -',
];

test('the document has the routes of the contract, with audience and kind, and no others', () => {
  const documented = OPERATIONS.all.map(
    ({ method, path, operationId, audience, kind }) =>
      `${method} ${path} ${operationId} ${audience} ${kind ?? '-'}`,
  );
  assert.deepEqual(documented, CONTRACT);
});

test('public routes ask for no credential, all others for a certificate or a token', () => {
  assert.deepEqual(Object.keys(DOCUMENT.components.securitySchemes), [
    'mutualTLS',
    'bearerAuth',
    'basicAuth',
  ]);
  for (const { path, method, audience } of OPERATIONS.all) {
    const { security } = documentedOperation(path, method);
    const expected = audience === 'public' ? [] : ['mutualTLS', 'bearerAuth', 'basicAuth'];
    assert.deepEqual(security.flatMap(Object.keys), expected, `${method} ${path}`);
    assert.ok(
      security.every((alternative) => Object.keys(alternative).length === 1),
      'alternatives, not a set',
    );
  }
});

test('POST and PUT take JSON, PATCH takes a merge patch, nothing else takes a body', () => {
  for (const { path, method } of OPERATIONS.all) {
    const { requestBody } = documentedOperation(path, method);
    const expected =
      method === 'PATCH'
        ? ['application/merge-patch+json']
        : method === 'POST' || method === 'PUT'
          ? ['application/json']
          : [];
    assert.deepEqual(Object.keys(requestBody?.content ?? {}), expected, `${method} ${path}`);
    assert.equal(requestBody?.required ?? true, true);
  }
});

/** Asked by POST, because the question is a body; they change nothing. */
const QUESTIONS: readonly string[] = ['/explain', '/trust/plan'];

test('a creation answers 201 with Location; lists say how many there are and where the next page is', () => {
  for (const { path, method, audience } of OPERATIONS.all) {
    const { responses } = documentedOperation(path, method);
    const [success] = Object.keys(responses).sort();
    const creates = method === 'POST' && !QUESTIONS.includes(path);
    assert.equal(success, creates ? '201' : '200', `${method} ${path}`);
    const headers = Object.keys(responses[success ?? '']?.headers ?? {});
    const one = path.includes('{') || path === '/trust';
    const list = audience === 'operator' && method === 'GET' && !one;
    const inputs = audience === 'flux' && path.includes('{cluster_dns}');
    const expected = creates
      ? ['Location']
      : list
        ? ['X-Total-Count', 'Link']
        : inputs
          ? ['X-Client-Certificate-Not-After']
          : [];
    assert.deepEqual(headers, expected, `${method} ${path}`);
  }
});

test('lists can be paged and filtered as the contract says', () => {
  const parameters = (path: string): string[] =>
    (documentedOperation(path, 'GET').parameters ?? []).map(({ $ref }) =>
      $ref.replace('#/components/parameters/', ''),
    );
  assert.deepEqual(parameters('/clusters'), ['Limit', 'Offset', 'ClusterDnsFilter', 'EnvironmentFilter']);
  assert.deepEqual(parameters('/platform_components'), ['Limit', 'Offset', 'ComponentVersionFilter']);
  assert.deepEqual(parameters('/namespaces'), ['Limit', 'Offset']);
  assert.deepEqual(parameters('/rolebindings'), ['Limit', 'Offset']);
  assert.deepEqual(parameters('/api/v2/flux/clusters'), ['Limit', 'Offset', 'EnvironmentFilter']);
});
