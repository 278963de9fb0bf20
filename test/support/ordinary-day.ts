import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Minted, mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import type { ClientCertificate } from './client.ts';
import { startTestGateway, type TestGateway, WRITE_TOKEN } from './gateway.ts';
import { createTestPki, type TestPki, withChain } from './pki.ts';

/**
 * A fleet in the middle of an ordinary day, for whoever looks at the status page: a CA rotation that three clusters have not followed, one
 * revoked, one with a certificate that has expired, two that fell silent, one that was never there, changes that have not been polled yet, a
 * component that fails, and a plan that waits for a second person.
 */
export interface OrdinaryDay {
  readonly gateway: TestGateway;
  readonly pki: TestPki;
  /** May do everything, by certificate. */
  readonly sam: ClientCertificate;
  /** Approves, by certificate. */
  readonly kim: ClientCertificate;
  readonly viewer: ClientCertificate;
  readonly planHash: string;
  /** Has most to tell. */
  readonly cluster: string;
}

const POLICY = fileURLToPath(new URL('../../policy/', import.meta.url));
const MINUTE = 60_000;
const DAY = 86_400_000;

const REGIONS = ['us-east', 'us-west', 'eu-central', 'eu-north', 'ap-south'];
const TIERS = [
  ['dev', 2],
  ['qa', 1],
  ['uat', 1],
  ['prod', 4],
] as const;

const names = REGIONS.flatMap((region) =>
  TIERS.flatMap(([environment, count]) =>
    Array.from({ length: count }, (_, index) => ({
      id: `${region}-${environment}-0${index + 1}`,
      environment,
    })),
  ),
);
const dnsOf = (id: string): string => `${id}.k8s.example.com`;

const SEED = {
  ...DEMO_SEED,
  clusters: names.map(({ id, environment }) => ({
    ...DEMO_SEED.clusters[environment === 'prod' ? 2 : environment === 'dev' ? 0 : 1],
    id,
    cluster_name: id,
    cluster_dns: dnsOf(id),
    environment,
  })),
};

const STILL_ON_THE_OLD_CA = ['eu-north-prod-02', 'us-west-qa-01', 'ap-south-prod-04'];
const SILENT = ['ap-south-dev-02', 'eu-north-prod-02'];
const NEVER = ['ap-south-uat-01'];
const EXPIRED = 'us-west-prod-03';
const REVOKED = 'eu-central-dev-02';
const NOT_YET = ['us-east-dev-01', 'us-east-dev-02'];

export async function startOrdinaryDay(t: Pick<TestContext, 'after'>): Promise<OrdinaryDay> {
  let aheadMs = 0;
  const clock = { now: () => Date.now() + aheadMs, elapsed: () => performance.now() + aheadMs };
  const pki = await createTestPki();
  const years = (from: number, to: number) => ({
    notBefore: new Date(Date.now() + from * 365 * DAY),
    notAfter: new Date(Date.now() + to * 365 * DAY),
  });
  const oldCa = await mintCa('Example Corp Cluster CA 2023', years(-3, 0.4));
  const newCa = await mintCa('Example Corp Cluster CA 2026', years(-0.1, 4.9));
  const gateway = await startTestGateway(t, {
    pki,
    seed: SEED,
    clock,
    async prepare(directory) {
      const policies = join(directory, 'policy');
      await cp(POLICY, policies, { recursive: true });
      await cp(join(POLICY, 'examples/second-person.cedar'), join(policies, 'second-person.cedar'));
      const bundle = join(directory, 'rotating-ca.crt');
      await writeFile(bundle, oldCa.pem + newCa.pem);
      return { POLICY_DIR: policies, CLUSTER_CA_FILE: bundle };
    },
  });

  const certificates = new Map<string, ClientCertificate>();
  const certificateOf = async (id: string): Promise<ClientCertificate> => {
    const known = certificates.get(id);
    if (known !== undefined) return known;
    const ca: Minted = STILL_ON_THE_OLD_CA.includes(id) ? oldCa : newCa;
    const soon = id === 'us-west-qa-01' ? { notAfter: new Date(Date.now() + 5 * DAY) } : {};
    const minted = withChain(await mintClusterCertificate(dnsOf(id), ca, soon));
    certificates.set(id, minted);
    return minted;
  };
  const poll = async (
    ids: readonly string[],
    routes: readonly string[] = ['platform-components'],
  ): Promise<void> => {
    for (const id of ids) {
      const certificate = await certificateOf(id);
      for (const route of routes) {
        const path = `/api/v2/flux/clusters/${dnsOf(id)}/${route}`;
        const headers = { 'user-agent': 'flux-operator/0.30.0' };
        assert.equal((await gateway.send({ path, certificate, headers })).status, 200);
      }
    }
  };

  const sam = await pki.operator('sam@example.com', ['fluxgate:admin']);
  const kim = await pki.operator('kim@example.com', ['fluxgate:approver']);
  const viewer = await pki.operator('vic@example.com', ['fluxgate:viewer']);
  const asSam = async (method: string, path: string, body?: unknown, headers = {}) =>
    await gateway.send({ method, path, certificate: sam, headers, ...(body === undefined ? {} : { body }) });

  await poll([...SILENT, REVOKED], ['platform-components']);
  aheadMs = 41 * MINUTE;
  const expired = withChain(
    await mintClusterCertificate(dnsOf(EXPIRED), oldCa, {
      notBefore: new Date(Date.now() - 90 * DAY),
      notAfter: new Date(Date.now() - 1 * DAY),
    }),
  );
  const refused = {
    path: `/api/v2/flux/clusters/${dnsOf(EXPIRED)}/platform-components`,
    certificate: expired,
  };
  assert.equal((await gateway.send(refused)).status, 495);
  const order = { cluster_dns: dnsOf(REVOKED), reason: 'laptop with its kubeconfig was stolen' };
  assert.equal((await asSam('POST', '/revocations', order)).status, 201);
  const revoked = await certificateOf(REVOKED);
  const attempt = {
    path: `/api/v2/flux/clusters/${dnsOf(REVOKED)}/platform-components`,
    certificate: revoked,
  };
  for (let n = 0; n < 3; n++) assert.equal((await gateway.send(attempt)).status, 495);

  const others = names
    .map(({ id }) => id)
    .filter((id) => ![...SILENT, ...NEVER, EXPIRED, REVOKED].includes(id));
  await poll(NOT_YET);
  const reason = { 'change-reason': 'podinfo 6.9.3: fixes the readiness probe' };
  const changed = await asSam(
    'PATCH',
    '/platform_components/podinfo',
    { component_version: '6.9.3', oci_tag: '6.9.3' },
    reason,
  );
  assert.equal(changed.status, 200);
  const cluster = 'us-east-prod-01';
  const labelled = {
    labels: { team: 'payments', region: 'us-east' },
    patches: { traefik: { 'deployment.replicas': '5', 'service.type': 'LoadBalancer' } },
  };
  const scaled = await asSam('PATCH', `/clusters/${cluster}`, labelled, {
    'change-reason': 'more replicas before the sale',
  });
  assert.equal(scaled.status, 200, scaled.body.toString());
  aheadMs += 2 * MINUTE;
  await poll(others.filter((id) => !NOT_YET.includes(id) && id !== cluster));
  await poll([cluster], ['platform-components', 'namespaces', 'rolebindings']);

  for (const [name, severity, eventReason, message] of [
    ['cert-manager', 'info', 'ReconciliationSucceeded', 'Reconciliation finished in 1.2s, next run in 10m0s'],
    [
      'metrics-server',
      'info',
      'ReconciliationSucceeded',
      'Reconciliation finished in 0.8s, next run in 10m0s',
    ],
    [
      'traefik',
      'error',
      'HealthCheckFailed',
      "health check failed after 5m0s: timeout waiting for: [Deployment/traefik/traefik status: 'InProgress']",
    ],
  ] as const) {
    const event = {
      involvedObject: {
        apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
        kind: 'Kustomization',
        namespace: 'flux-system',
        name,
      },
      severity,
      timestamp: new Date(clock.now()).toISOString(),
      message,
      reason: eventReason,
      metadata: { revision: '1.0.0@sha256:0c2f' },
      reportingController: 'kustomize-controller',
    };
    const path = `/api/v2/flux/clusters/${dnsOf(cluster)}/events`;
    const told = await gateway.send({
      method: 'POST',
      path,
      body: event,
      certificate: await certificateOf(cluster),
    });
    assert.equal(told.status, 202, told.body.toString());
  }
  const stranger = await certificateOf('us-east-dev-01');
  const other = {
    path: `/api/v2/flux/clusters/${dnsOf(cluster)}/platform-components`,
    certificate: stranger,
  };
  assert.equal((await gateway.send(other)).status, 403);

  const taken = { namespaces: [{ id: 'cert-manager' }] };
  const guarded = await asSam('PATCH', '/clusters/eu-central-prod-01', taken);
  const { plan } = guarded.json<{ plan: { plan_hash: string } }>();
  const waiting = await asSam('PATCH', '/clusters/eu-central-prod-01', taken, {
    'confirm-plan': plan.plan_hash,
    'change-reason': 'traefik moves to its own cluster',
  });
  assert.equal(waiting.json()['error'], 'approval_required');
  assert.equal((await gateway.send({ path: '/clusters', token: WRITE_TOKEN })).status, 200);
  return { gateway, pki, sam, kim, viewer, planHash: plan.plan_hash, cluster: dnsOf(cluster) };
}
