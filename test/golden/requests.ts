/** What is asked of each operation in the golden matrix, so that whoever may do it does. */
import type { PageKeys } from '../../src/core/identity/page-session.ts';
import type { Operation } from '../../src/core/policy/operations.ts';
import { ROLES } from '../../src/core/policy/roles.ts';
import type { ClientRequest } from '../support/client.ts';
import type { TokenRequest } from '../support/tokens.ts';
import { formFor } from './page-forms.ts';

export const POLLED = 'demo-cluster-01.k8s.example.com';
export const NEVER_POLLED = 'demo-cluster-02.k8s.example.com';
export const unregistered = 'unregistered.k8s.example.com';

export interface Principal {
  readonly name: string;
  readonly credential: Partial<ClientRequest>;
  /** In the path of the Flux routes. */
  readonly clusterDns: string;
}

/** Token records, made by the write token before the others ask for anything. `environment` in the list's query. */
export const RECORDS: Readonly<Record<string, TokenRequest>> = {
  'cluster token, own path': { kind: 'cluster', cluster_dns: NEVER_POLLED },
  "cluster token, another's path": { kind: 'cluster', cluster_dns: unregistered },
  'cluster token, own path, after the ratchet': { kind: 'cluster', cluster_dns: POLLED },
  'reader token': { kind: 'reader' },
  ...Object.fromEntries(
    ROLES.map((role) => [`token of role ${role}`, { kind: 'operator', roles: [role] } as const]),
  ),
  'token of roles viewer, editor, approver in the environment of the objects': {
    kind: 'operator',
    roles: ['viewer', 'editor', 'approver'],
    environments: ['dev'],
  },
  'token of role viewer in another environment': {
    kind: 'operator',
    roles: ['viewer'],
    environments: ['uat'],
  },
  'token of role editor in another environment': {
    kind: 'operator',
    roles: ['editor'],
    environments: ['uat'],
  },
  'token of role editor for a label': { kind: 'operator', roles: ['editor'], labels: ['team=payments'] },
};

/** Valid bodies, so that whoever may write does. `golden` is there from its POST to its DELETE. */
export const BODIES: Readonly<Record<string, object>> = {
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
  createRevocation: { certificate_sha256: '00'.repeat(32), reason: 'golden' },
  createToken: { name: 'golden', kind: 'reader', ttl: 60 },
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
const BODILESS: readonly string[] = ['revertRevision', 'approvePlan'];
/** `id`: of the object that the collection of this path has for us; `bodies`: of operations whose bodies are this run's own. */
export function requestFor(
  operation: Operation,
  principal: Principal,
  id: string,
  keys: PageKeys,
  bodies: Readonly<Record<string, object>>,
): ClientRequest {
  const fields = BODIES[operation.kind ?? ''] ?? {};
  const ofFleet = operation.method === 'POST' ? { id, ...fields } : fields;
  const body = bodies[operation.operationId] ?? OTHER_BODIES[operation.operationId] ?? ofFleet;
  const path = operation.path
    .replace('{cluster_dns}', principal.clusterDns)
    .replace('{id}/', 'demo-cluster-01/')
    .replace('{id}', id)
    .replace('{revision}', '1')
    .replace('{plan_hash}', '0'.repeat(64))
    .replace('{progress_id}', '0'.repeat(36))
    .replace('{asset}', 'page-0123456789abcdef.css');
  const hasBody =
    ['POST', 'PUT', 'PATCH'].includes(operation.method) && !BODILESS.includes(operation.operationId);
  return {
    method: operation.method,
    path: `${path}${QUERIES[operation.operationId] ?? ''}`,
    ...(hasBody ? { body } : {}),
    ...formFor(operation.operationId, keys),
    ...principal.credential,
  };
}
