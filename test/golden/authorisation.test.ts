/**
 * Every operation of openapi.yaml × every kind of principal × both API modes → status, found out by asking a real gateway.
 * `npm run test:update-golden` rewrites authorisation.json; the diff is what a change of policy means.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { parse } from 'yaml';
import { derivePageKeys, type PageKeys } from '../../src/core/identity/page-session.ts';
import { type Operation, readOperations } from '../../src/core/policy/operations.ts';
import { ROLES } from '../../src/core/policy/roles.ts';
import type { ClientRequest } from '../support/client.ts';
import { READ_TOKEN, startTestGateway, type TestGateway, WRITE_TOKEN } from '../support/gateway.ts';
import { HOSTILE_TRUST_DOMAIN } from '../support/hostile-case.ts';
import { hostileCertificates } from '../support/hostile-certificates.ts';
import { AUDIENCE, createIssuer } from '../support/issuer.ts';
import { createTestPki } from '../support/pki.ts';
import { withPolicy } from '../support/policies.ts';
import { type Matrix, serialise } from './matrix.ts';
import { FORMS, OWN_ROWS } from './page-forms.ts';
import {
  BODIES,
  NEVER_POLLED,
  POLLED,
  type Principal,
  RECORDS,
  requestFor,
  unregistered,
} from './requests.ts';

const GOLDEN = new URL('authorisation.json', import.meta.url);
const DOCUMENT = new URL('../../openapi.yaml', import.meta.url);
const operations = readOperations(parse(readFileSync(DOCUMENT, 'utf8'))).all;

const INSIDE = '127.0.0.2';
const OUTSIDE = '127.0.0.1';
const pki = await createTestPki();
const hostile = await hostileCertificates(pki);
const good = await pki.cluster(POLLED);
const operator = await pki.operator('op@example.com', ['platform-team']);
const issuer = await createIssuer('https://ci.example.com');
/** What an administrator might write for a pipeline: read the fleet, and what one environment's clusters are told. */
const PIPELINE_POLICY = `
  @id("golden-workload") @reason("a pipeline reads")
  permit (principal is Fluxgate::Workload, action in Fluxgate::Action::"fleetRead", resource)
  when { principal.claims.contains("repository=acme/fleet") };`;

/** Of operations that ask about certificates. */
const BODIES_OF_THIS_RUN: Readonly<Record<string, object>> = {
  planTrust: { cluster_ca_pem: pki.clusterBundlePem },
  explain: { chain_pem: good.pem },
};

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
  ...(await Promise.all(
    [
      ...ROLES.map((role) => [`certificate of role ${role}`, [`fluxgate:${role}`]] as const),
      [
        'certificate of role editor in another environment',
        ['fluxgate:editor', 'fluxgate:environment=uat'],
      ] as const,
      [
        'certificate of role admin in another environment',
        ['fluxgate:admin', 'fluxgate:environment=uat'],
      ] as const,
      ['certificate of a role with a slip', ['fluxgate:admin', 'fluxgate:enviroment=dev']] as const,
    ].map(async ([name, groups]) =>
      as(name, POLLED, { certificate: await pki.operator('role@example.com', groups) }),
    ),
  )),
  as('pipeline that a policy speaks of', NEVER_POLLED, { token: await issuer.sign() }),
  as('pipeline that no policy speaks of', NEVER_POLLED, {
    token: await issuer.sign({ repository: 'acme/other' }),
  }),
  as('pipeline with a forged token', NEVER_POLLED, {
    token: await (await createIssuer('https://ci.example.com')).sign(),
  }),
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

/** What no operator route ever lets in, whatever the operation: there is no list of exceptions. */
const NEVER_OPERATE: readonly string[] = [
  'cluster token, own path',
  "cluster token, another's path",
  'reader token',
  'certificate of a role with a slip',
  'pipeline that no policy speaks of',
];

/** Whoever is let in finds nothing: as the policies are shipped, no plan waits for a second person; and no write goes on. */
const NOTHING_THERE: readonly string[] = ['getPlan', 'approvePlan', 'showPlan', 'getWriteProgress'];
/** Of one kind and path, in the order in which they can all succeed. */
const TURN: readonly string[] = ['POST', 'GET', 'PUT', 'PATCH', 'DELETE'];
/** Of the path's first segment. */
const collectionOf = ({ path, kind }: Operation): string => `${kind} ${path.split('/')[1]}`;
const inTurn = [...operations].sort(
  (a, b) => collectionOf(a).localeCompare(collectionOf(b)) || TURN.indexOf(a.method) - TURN.indexOf(b.method),
);

/** For everybody who comes: an object to read and change, and none in the way of the one that they add. */
async function prepare(gateway: TestGateway, { kind, method, path }: Operation, agent: Agent): Promise<void> {
  if (kind === undefined || (method !== 'POST' && method !== 'GET')) return;
  const writer = { token: WRITE_TOKEN, localAddress: INSIDE, agent };
  const collection = `/${path.split('/')[1]}`;
  if (method === 'POST') await gateway.send({ ...writer, method: 'DELETE', path: `${collection}/golden` });
  else {
    const body = { id: 'golden', ...BODIES[kind] };
    await gateway.send({ ...writer, method: 'POST', body, path: collection });
  }
}

async function runAll(
  gateway: TestGateway,
  all: readonly Principal[],
  mode: string,
  keys: PageKeys,
): Promise<Matrix> {
  const poll = `/api/v2/flux/clusters/${POLLED}/namespaces`;
  assert.equal((await gateway.send({ path: poll, certificate: good })).status, 200, 'turns the ratchet');
  const statuses = new Map<string, number>();
  const ofWriter = new Agent({ keepAlive: true, maxSockets: 1 });
  for (const principal of all) {
    /** Where the gateway chooses the id. */
    let made = '';
    const refused = principal.name.startsWith('refused: ');
    // There is a key of this cluster to forget for each of them.
    if (!refused) await gateway.send({ path: poll, certificate: good });
    // Whoever is let in at all keeps the connection: handshakes are most of what this costs.
    const agent = refused ? undefined : new Agent({ keepAlive: true, maxSockets: 1 });
    for (const operation of inTurn) {
      const prepared = !refused && mode === 'crud' && operation.audience === 'operator';
      if (prepared) await prepare(gateway, operation, ofWriter);
      const id = operation.kind === undefined && made !== '' ? made : 'golden';
      const { status, headers } = await gateway.send({
        ...requestFor(operation, principal, id, keys, BODIES_OF_THIS_RUN),
        agent,
      });
      if (status === 201) made = String(headers['location']).split('/').at(-1) ?? '';
      statuses.set(`${operation.operationId} ${principal.name}`, status);
    }
    agent?.destroy();
  }
  ofWriter.destroy();
  const matrix: Matrix = {};
  for (const { operationId } of operations) {
    const row: Record<string, string[]> = {};
    for (const { name } of all) {
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
  /** Both modes share a store, so that the tokens that one makes are there for the other. */
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-golden-'));
  after(() => rm(directory, { recursive: true, force: true }));
  let holders: readonly Principal[] = [];
  const makeRecords = async (gateway: TestGateway): Promise<void> => {
    holders = await Promise.all(
      Object.entries(RECORDS).map(async ([name, request]) => {
        const answer = await gateway.send({
          method: 'POST',
          path: '/tokens',
          token: WRITE_TOKEN,
          localAddress: INSIDE,
          body: { name: `golden-${Object.keys(RECORDS).indexOf(name)}`, ttl: 3_600, ...request },
        });
        assert.equal(answer.status, 201, answer.body.toString());
        const { token } = answer.json<{ token: string }>();
        return as(name, name.includes('after the ratchet') ? POLLED : NEVER_POLLED, { token });
      }),
    );
  };

  for (const mode of ['crud', 'read-only']) {
    // Some 90 principals with some 50 operations each.
    it(`is as in authorisation.json: API_MODE=${mode}`, { timeout: 300_000 }, async (t) => {
      const gateway = await startTestGateway(t, {
        pki,
        environment: {
          API_MODE: mode,
          OPERATOR_NETWORKS: `${INSIDE}/32`,
          SPIFFE_TRUST_DOMAIN: HOSTILE_TRUST_DOMAIN,
          LOG_LEVEL: 'error',
          DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`,
        },
        prepare: async (files) => {
          await writeFile(join(files, 'jwks.json'), issuer.jwks);
          return {
            ...(await withPolicy(PIPELINE_POLICY)(files)),
            OIDC_ISSUER: issuer.issuer,
            OIDC_AUDIENCE: AUDIENCE,
            OIDC_JWKS_FILE: join(files, 'jwks.json'),
          };
        },
      });
      if (mode === 'crud') await makeRecords(gateway);
      const keys = derivePageKeys(pki.server.keyPem);
      const matrix = await runAll(gateway, [...principals, ...holders], mode, keys);
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
        if (mode === 'crud' && operationId in OWN_ROWS) {
          OWN_ROWS[operationId]?.(
            row,
            hostile.map(({ name }) => name),
          );
          continue;
        }
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
          const letIn = FORMS.includes(operationId)
            ? /^403$/
            : NOTHING_THERE.includes(operationId)
              ? /^404$/
              : /^20[01]$/;
          assert.match(statusOf('operator certificate') ?? '', letIn, operationId);
          for (const name of NEVER_OPERATE) assert.equal(statusOf(name), '403', `${operationId} ${name}`);
          for (const role of ROLES) {
            const [byToken, byCertificate] = ['token', 'certificate'].map(
              (credential) => statusOf(`${credential} of role ${role}`) === '403',
            );
            assert.equal(byToken, byCertificate, `${operationId} ${role}`);
          }
        }
        if (audience !== 'public') {
          const forged = statusOf('pipeline with a forged token');
          assert.equal(forged, statusOf('unknown token'), operationId);
          const denied = mode === 'crud' || audience === 'flux' ? ['401', '403'] : [];
          for (const status of denied) assert.ok(row[status] !== undefined, `${operationId}: no ${status}`);
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
