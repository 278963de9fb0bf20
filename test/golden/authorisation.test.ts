/**
 * Every operation of openapi.yaml × every kind of principal × both API modes → status, found out by asking a real gateway.
 * `npm run test:update-golden` rewrites authorisation.json; the diff is what a change of policy means.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { type Operation, readOperations } from '../../src/core/policy/operations.ts';
import type { ClientRequest } from '../support/client.ts';
import { READ_TOKEN, startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { HOSTILE_TRUST_DOMAIN } from '../support/hostile-case.ts';
import { hostileCertificates } from '../support/hostile-certificates.ts';
import { createTestPki } from '../support/pki.ts';

const GOLDEN = new URL('authorisation.json', import.meta.url);
const DOCUMENT = new URL('../../openapi.yaml', import.meta.url);
const operations = readOperations(parse(readFileSync(DOCUMENT, 'utf8'))).all;

const INSIDE = '127.0.0.2';
const OUTSIDE = '127.0.0.1';
const POLLED = 'demo-cluster-01.k8s.example.com';
const NEVER_POLLED = 'demo-cluster-02.k8s.example.com';

/** operation → status → principals, in the order of `principals`. */
type Matrix = Record<string, Record<string, string[]>>;

interface Principal {
  readonly name: string;
  readonly credential: Partial<ClientRequest>;
  /** In the path of the Flux routes. */
  readonly clusterDns: string;
}

const pki = await createTestPki();
const hostile = await hostileCertificates(pki);
const good = await pki.cluster(POLLED);
const operator = await pki.operator('op@example.com', ['platform-team']);
const unregistered = 'unregistered.k8s.example.com';

const as = (name: string, clusterDns: string, credential: Partial<ClientRequest>): Principal => ({
  name,
  clusterDns,
  credential: { localAddress: INSIDE, ...credential },
});
const principals: readonly Principal[] = [
  as('anonymous', NEVER_POLLED, {}),
  as('unknown token', NEVER_POLLED, { token: 'unknown-token' }),
  as('cluster, own path', POLLED, { certificate: good }),
  as("cluster, another's path", NEVER_POLLED, { certificate: good }),
  as('cluster, own path, not registered', unregistered, { certificate: await pki.cluster(unregistered) }),
  as('reader, cluster before the ratchet', NEVER_POLLED, { token: READ_TOKEN }),
  as('reader, cluster after the ratchet', POLLED, { token: READ_TOKEN }),
  as('writer, cluster before the ratchet', NEVER_POLLED, { token: WRITE_TOKEN }),
  as('writer, cluster after the ratchet', POLLED, { token: WRITE_TOKEN }),
  as('writer, outside the operator networks', NEVER_POLLED, { token: WRITE_TOKEN, localAddress: OUTSIDE }),
  as('operator certificate', POLLED, { certificate: operator }),
  as('operator certificate, outside the operator networks', POLLED, {
    certificate: operator,
    localAddress: OUTSIDE,
  }),
  ...hostile.map((certificate) => as(`refused: ${certificate.name}`, POLLED, { certificate })),
  as('refused: expired, with a good token', POLLED, {
    certificate: hostile.find(({ name }) => name === 'expired'),
    token: WRITE_TOKEN,
  }),
];

/** Valid bodies, so that whoever may write does. `golden` is there from its POST to its DELETE. */
const BODIES: Readonly<Record<string, object>> = {
  cluster: {
    cluster_name: 'golden',
    cluster_dns: 'golden.k8s.example.com',
    environment: 'dev',
  },
  platform_component: {
    component_path: 'golden',
    component_version: '1',
    oci_url: 'oci://registry.example.com/golden',
    oci_tag: 'v1',
  },
  namespace: { labels: { a: 'b' } },
  rolebinding: { role: 'view', subjects: [{ kind: 'Group', name: 'golden' }] },
};
/** The same for operations on no object of the fleet. */
const OTHER_BODIES: Readonly<Record<string, object>> = {
  planTrust: { cluster_ca_pem: pki.clusterBundlePem },
  explain: { chain_pem: good.pem },
  createRevocation: { certificate_sha256: '00'.repeat(32), reason: 'golden' },
  setClusterState: { state: 'frozen', reason: 'golden' },
  bulkChange: { select: { environment: 'dev' }, operations: [{ op: 'enable', id: 'podinfo' }] },
  importFleet: { mode: 'merge', files: { 'namespaces/new.yaml': 'id: new' } },
};
/** Of operations that answer nothing without one, or are asked only what they would do: a fleet that they change would
 * answer others differently. */
const QUERIES: Readonly<Record<string, string>> = {
  listRefusals: '?cluster_dns=golden.example.com',
  revertRevision: '?dry_run=true',
  bulkChange: '?dry_run=true',
  importFleet: '?dry_run=true',
  setClusterState: '?dry_run=true',
};
const BODILESS: readonly string[] = ['revertRevision'];
/** Of one kind and path, in the order in which they can all succeed. */
const TURN: readonly string[] = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'];
const inTurn = [...operations].sort(
  (a, b) => String(a.kind).localeCompare(String(b.kind)) || TURN.indexOf(a.method) - TURN.indexOf(b.method),
);

/** `id`: of the object that the collection of this path has for us. */
function requestFor(operation: Operation, principal: Principal, id: string): ClientRequest {
  const fields = BODIES[operation.kind ?? ''] ?? {};
  const ofFleet = operation.method === 'POST' ? { id, ...fields } : fields;
  const body = OTHER_BODIES[operation.operationId] ?? ofFleet;
  const path = operation.path
    .replace('{cluster_dns}', principal.clusterDns)
    .replace('{id}/', 'demo-cluster-01/')
    .replace('{id}', id)
    .replace('{revision}', '1');
  const hasBody =
    ['POST', 'PUT', 'PATCH'].includes(operation.method) && !BODILESS.includes(operation.operationId);
  return {
    method: operation.method,
    path: `${path}${QUERIES[operation.operationId] ?? ''}`,
    ...(hasBody ? { body } : {}),
    ...principal.credential,
  };
}

async function runAll(gateway: TestGateway): Promise<Matrix> {
  const poll = `/api/v2/flux/clusters/${POLLED}/namespaces`;
  assert.equal((await gateway.send({ path: poll, certificate: good })).status, 200, 'turns the ratchet');
  const statuses = new Map<string, number>();
  for (const principal of principals) {
    /** Where the gateway chooses the id. */
    let made = '';
    // There is a key of this cluster to forget for each of them.
    await gateway.send({ path: poll, certificate: good });
    for (const operation of inTurn) {
      const id = operation.kind === undefined && made !== '' ? made : 'golden';
      const { status, headers } = await gateway.send(requestFor(operation, principal, id));
      if (status === 201) made = String(headers['location']).split('/').at(-1) ?? '';
      statuses.set(`${operation.operationId} ${principal.name}`, status);
    }
  }
  const matrix: Matrix = {};
  for (const { operationId } of operations) {
    const row: Record<string, string[]> = {};
    for (const { name } of principals) {
      const status = statuses.get(`${operationId} ${name}`);
      if (status === undefined) continue;
      row[status] = [...(row[status] ?? []), name];
    }
    matrix[operationId] = row;
  }
  return matrix;
}

describe('who may do what', async () => {
  const found: Record<string, Matrix> = {};

  for (const mode of ['crud', 'read-only']) {
    it(`is as in authorisation.json: API_MODE=${mode}`, async (t) => {
      const gateway = await startTestGateway(t, {
        pki,
        environment: {
          API_MODE: mode,
          OPERATOR_NETWORKS: `${INSIDE}/32`,
          SPIFFE_TRUST_DOMAIN: HOSTILE_TRUST_DOMAIN,
          LOG_LEVEL: 'error',
        },
      });
      const matrix = await runAll(gateway);
      found[mode] = matrix;
      if (process.env['UPDATE_GOLDEN'] === '1') return;
      const golden = JSON.parse(readFileSync(GOLDEN, 'utf8')) as Record<string, Matrix>;
      assert.deepEqual(matrix, golden[mode]);
    });
  }

  it('has a refused certificate refused everywhere, operators outside refused, and a denial for every operation', () => {
    for (const [mode, matrix] of Object.entries(found)) {
      for (const { operationId, audience } of operations) {
        const row = matrix[operationId] ?? {};
        const statusOf = (name: string): string | undefined =>
          Object.keys(row).find((status) => row[status]?.includes(name));
        for (const { name } of hostile) assert.equal(statusOf(`refused: ${name}`), '495', operationId);
        assert.equal(statusOf('refused: expired, with a good token'), '495', operationId);
        if (audience !== 'public') {
          const denied = mode === 'crud' || audience === 'flux' ? '401' : ['404', '405'];
          assert.ok([denied].flat().includes(statusOf('anonymous') ?? ''), `${mode} ${operationId}`);
        }
        if (audience === 'operator' && mode === 'crud') {
          assert.equal(statusOf('operator certificate, outside the operator networks'), '403', operationId);
          assert.equal(statusOf('writer, outside the operator networks'), '403', operationId);
          assert.equal(statusOf('cluster, own path'), '403', operationId);
          assert.equal(statusOf('reader, cluster before the ratchet'), '403', operationId);
          assert.match(statusOf('operator certificate') ?? '', /^20[01]$/, operationId);
        }
        assert.ok(
          Object.keys(row).some((status) => Number(status) >= 400),
          `${operationId} denies nobody`,
        );
      }
    }
    assert.deepEqual(Object.keys(found), ['crud', 'read-only']);
    if (process.env['UPDATE_GOLDEN'] === '1') writeFileSync(GOLDEN, `${serialise(found)}\n`);
  });
});

/** One line for each principal's status would be thousands: a line holds all principals of one status. */
function serialise(matrices: Readonly<Record<string, Matrix>>): string {
  const modes = Object.entries(matrices).map(([mode, matrix]) => {
    const rows = Object.entries(matrix).map(([operationId, row]) => {
      const lines = Object.entries(row).map(
        ([status, names]) => `      "${status}": ${JSON.stringify(names)}`,
      );
      return `    ${JSON.stringify(operationId)}: {\n${lines.join(',\n')}\n    }`;
    });
    return `  ${JSON.stringify(mode)}: {\n${rows.join(',\n')}\n  }`;
  });
  return `{\n${modes.join(',\n')}\n}`;
}
