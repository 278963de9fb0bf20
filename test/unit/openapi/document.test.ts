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
];

/** Routes that came after the contract: what they are, and the headers of their success. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  'POST /clusters/{id}/state setClusterState operator cluster': ['ETag', 'X-Limit-Warning'],
  'GET /clusters/{id}/rendered getClusterRendered operator cluster': [],
  'GET /fleet listFleet operator cluster': [],
  'GET /fleet/{cluster_dns} getFleetCluster operator cluster': [],
  'POST /api/v2/flux/clusters/{cluster_dns}/events reportEvent flux -': [],
  'GET /clusters/{id}/history getClusterHistory operator cluster': [],
  'GET /revisions listRevisions operator -': ['X-Total-Count', 'Link'],
  'GET /revisions/{revision} getRevision operator -': [],
  'POST /revisions/{revision}/revert revertRevision operator -': ['X-Limit-Warning', 'Idempotency-Replayed'],
  'GET /plans listPlans operator -': ['X-Total-Count', 'Link'],
  'GET /plans/{plan_hash} getPlan operator -': [],
  'POST /plans/{plan_hash}/approve approvePlan operator -': [],
  'POST /bulk bulkChange operator -': ['X-Limit-Warning', 'Idempotency-Replayed'],
  'GET /progress/{progress_id} getWriteProgress operator -': [],
  'GET /export exportFleet operator -': [],
  'POST /import importFleet operator -': ['X-Limit-Warning', 'Idempotency-Replayed'],
  'GET /trust getTrust operator -': [],
  'GET /trust/clusters/{cluster_dns} getTrustCluster operator -': [],
  'DELETE /trust/pins/{cluster_dns} resetTrustPin operator -': [],
  'POST /trust/plan planTrust operator -': [],
  'GET /revocations listRevocations operator -': ['X-Total-Count', 'Link'],
  'POST /revocations createRevocation operator -': ['Location'],
  'GET /revocations/{id} getRevocation operator -': [],
  'DELETE /revocations/{id} liftRevocation operator -': [],
  'GET /tokens listTokens operator -': ['X-Total-Count', 'Link'],
  'POST /tokens createToken operator -': ['Location'],
  'GET /tokens/{id} getToken operator -': [],
  'DELETE /tokens/{id} revokeToken operator -': [],
  'GET /refusals listRefusals operator -': ['X-Total-Count', 'Link'],
  'GET /audit listAudit operator -': ['X-Total-Count', 'Link'],
  'GET /audit/head getAuditHead operator -': [],
  'POST /explain explain operator -': [],
  'GET /ui showFleet operator -': [],
  'POST /ui signInOnPage operator -': ['Set-Cookie'],
  'POST /ui/sign-out signOut operator -': ['Set-Cookie'],
  'GET /ui/clusters/{cluster_dns} showCluster operator -': [],
  'GET /ui/trust showTrust operator -': [],
  'GET /ui/revocations showRevocations operator -': [],
  'GET /ui/audit showAudit operator -': [],
  'GET /ui/plans showPlans operator -': [],
  'GET /ui/plans/{plan_hash} showPlan operator -': [],
  'POST /ui/plans/{plan_hash}/approve approveOnPage operator -': [],
  'GET /ui/events watchPages operator -': [],
  'GET /ui/assets/{asset} getAsset operator -': [],
};
const isLater = (operationId: string): boolean =>
  Object.keys(LATER).some((line) => line.split(' ')[2] === operationId);

test('the document has the routes of the contract, with audience and kind, and no others', () => {
  const documented = OPERATIONS.all.map(
    ({ method, path, operationId, audience, kind }) =>
      `${method} ${path} ${operationId} ${audience} ${kind ?? '-'}`,
  );
  assert.deepEqual(documented, [...CONTRACT, ...Object.keys(LATER)]);
});

test('public routes ask for no credential, all others for a certificate or a token', () => {
  assert.deepEqual(Object.keys(DOCUMENT.components.securitySchemes), [
    'mutualTLS',
    'bearerAuth',
    'basicAuth',
    'pageCookie',
  ]);
  for (const { path, method, audience, about, operationId } of OPERATIONS.all) {
    const { security } = documentedOperation(path, method);
    const isOpen = audience === 'public' || ['signInOnPage', 'getAsset'].includes(operationId);
    const cookie = about === 'page' ? ['pageCookie'] : [];
    const expected = isOpen ? [] : ['mutualTLS', 'bearerAuth', 'basicAuth', ...cookie];
    assert.deepEqual(security.flatMap(Object.keys), expected, `${method} ${path}`);
    assert.ok(
      security.every((alternative) => Object.keys(alternative).length === 1),
      'alternatives, not a set',
    );
  }
});

test('POST and PUT take JSON (the page: forms), PATCH takes a merge patch, nothing else takes a body', () => {
  for (const { path, method, operationId, about } of OPERATIONS.all) {
    if (['revertRevision', 'approvePlan'].includes(operationId)) continue; // the path says it all
    const { requestBody } = documentedOperation(path, method);
    const expected =
      method === 'PATCH'
        ? ['application/merge-patch+json']
        : method === 'POST' || method === 'PUT'
          ? [about === 'page' ? 'application/x-www-form-urlencoded' : 'application/json']
          : [];
    assert.deepEqual(Object.keys(requestBody?.content ?? {}), expected, `${method} ${path}`);
    assert.equal(requestBody?.required ?? true, true);
  }
});

test('a creation answers 201 with Location; lists say how many there are and where the next page is', () => {
  for (const { path, method, audience, operationId } of OPERATIONS.all) {
    if (isLater(operationId)) continue;
    const { responses } = documentedOperation(path, method);
    const [success] = Object.keys(responses).sort();
    assert.equal(success, '200', `${method} ${path}`); // of a creation: what a dry run answers
    assert.equal('201' in responses, method === 'POST', `${method} ${path}`);
    const written = audience === 'operator' && ['PUT', 'PATCH'].includes(method);
    const headers = Object.keys(responses[method === 'POST' ? '201' : '200']?.headers ?? {});
    const list = audience === 'operator' && method === 'GET' && !path.includes('{id}');
    const one = audience === 'operator' && method !== 'DELETE';
    const inputs = audience === 'flux' && path.includes('{cluster_dns}');
    assert.deepEqual(
      headers,
      method === 'POST'
        ? ['Location', 'ETag', 'X-Limit-Warning', 'Idempotency-Replayed']
        : list
          ? ['X-Total-Count', 'Link']
          : one
            ? ['ETag', ...(written ? ['X-Limit-Warning'] : [])]
            : inputs
              ? ['X-Client-Certificate-Not-After']
              : [],
    );
  }
});

test('the later routes answer 200, or 201 to what creates, with these headers', () => {
  for (const [line, headers] of Object.entries(LATER)) {
    const [method = '', path = ''] = line.split(' ');
    const { responses } = documentedOperation(path, method);
    // What a cluster reports is taken, and looked at later.
    const success = line.includes(' reportEvent ') ? '202' : headers.includes('Location') ? '201' : '200';
    assert.deepEqual(Object.keys(responses[success]?.headers ?? {}), headers, line);
    assert.deepEqual(
      Object.keys(responses).filter((status) => status < '300'),
      [success],
      line,
    );
  }
});

test('lists can be paged and filtered as the contract says', () => {
  const parameters = (path: string): string[] =>
    (documentedOperation(path, 'GET').parameters ?? []).map(({ $ref }) =>
      $ref.replace('#/components/parameters/', ''),
    );
  assert.deepEqual(parameters('/clusters'), [
    'Limit',
    'Offset',
    'ClusterDnsFilter',
    'EnvironmentFilter',
    'LabelFilter',
  ]);
  assert.deepEqual(parameters('/platform_components'), ['Limit', 'Offset', 'ComponentVersionFilter']);
  assert.deepEqual(parameters('/namespaces'), ['Limit', 'Offset']);
  assert.deepEqual(parameters('/rolebindings'), ['Limit', 'Offset']);
  assert.deepEqual(parameters('/api/v2/flux/clusters'), ['Limit', 'Offset', 'EnvironmentFilter']);
});
