import assert from 'node:assert/strict';
import { type Clock, systemClock } from '../../src/shell/clock.ts';
import type { ClientAnswer, ClientRequest } from './client.ts';
import { type TestGateway, WRITE_TOKEN } from './gateway.ts';

export interface FleetAnswer {
  readonly revision: number;
  readonly total: number;
  readonly counts: Readonly<Record<string, number>>;
  readonly clusters: readonly FleetClusterAnswer[];
}

export interface FleetClusterAnswer {
  readonly id: string;
  readonly cluster_dns: string;
  readonly state: string;
  readonly last_poll: string | null;
  readonly refusal: { readonly reason: string; readonly known_by: string; readonly route: string } | null;
  readonly revoked_by?: string;
  readonly routes: readonly {
    readonly route: string;
    readonly state: string;
    readonly revision: number | null;
    readonly digest: string | null;
    readonly served_since: string | null;
    readonly client: string | null;
    readonly interval_seconds: number | null;
    readonly credential: { readonly method: string; readonly name: string } | null;
  }[];
  readonly reported: { readonly applied: number; readonly failed: number; readonly last: string | null };
  readonly components?: readonly ComponentAnswer[];
  readonly unreported?: readonly string[];
}

export interface ComponentAnswer {
  readonly component: string;
  readonly result: string;
  readonly revision: string | null;
  readonly message: string;
  readonly reason: string;
  readonly at: string;
  readonly served: { readonly component_version: string } | null;
}

export async function fleetStatus(
  gateway: TestGateway,
  query = '',
  token = WRITE_TOKEN,
): Promise<FleetAnswer> {
  const answer = await gateway.send({ path: `/fleet${query}`, token });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<FleetAnswer>();
}

export async function clusterStatusOf(gateway: TestGateway, dns: string): Promise<FleetClusterAnswer> {
  const answer = await gateway.send({ path: `/fleet/${dns}`, token: WRITE_TOKEN });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<FleetClusterAnswer>();
}

export const inputsPath = (dns: string, route = 'platform-components'): string =>
  `/api/v2/flux/clusters/${dns}/${route}`;

/** An event as notification-controller posts it. */
export function fluxEvent(change: object = {}, kind = 'Kustomization', name = 'cert-manager'): object {
  return {
    involvedObject: {
      apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
      kind,
      name,
      namespace: 'flux-system',
      uid: '7d0cdc51-ddcf-4743-b223-83ca5c699632',
      resourceVersion: '4711',
    },
    severity: 'info',
    timestamp: new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
    message: 'Reconciliation finished in 1.2s, next run in 10m0s',
    reason: 'ReconciliationSucceeded',
    metadata: { revision: 'v1.18.2@sha256:0c2f' },
    reportingController: 'kustomize-controller',
    reportingInstance: 'kustomize-controller-6d5f',
    ...change,
  };
}

export const report = (
  gateway: TestGateway,
  dns: string,
  body: unknown,
  credential: Pick<ClientRequest, 'certificate' | 'token' | 'headers'>,
): Promise<ClientAnswer> =>
  gateway.send({ method: 'POST', path: inputsPath(dns, 'events'), body, ...credential });

/** The system's clock, moved forward by hand; durations are not. */
export function movedClock(): Clock & { forward(ms: number): void } {
  let ahead = 0;
  return {
    now: () => systemClock.now() + ahead,
    elapsed: systemClock.elapsed,
    forward(ms) {
      ahead += ms;
    },
  };
}
