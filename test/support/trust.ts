/** What operators are told of trust, as far as tests look at it. */
import assert from 'node:assert/strict';
import { readCertificate } from '../../src/core/identity/certificate.ts';
import type { ClientAnswer, ClientCertificate } from './client.ts';
import { type TestGateway, WRITE_TOKEN } from './gateway.ts';

export interface ShownNames {
  readonly total: number;
  readonly names: readonly string[];
}

export interface ShownSighting {
  readonly name: string;
  readonly certificate?: { readonly sha256: string; readonly not_after: string };
  readonly token_id?: string;
  readonly count: number;
  readonly source: string;
  readonly tls: { readonly version: string; readonly cipher: string; readonly group: string | null };
}

export interface ShownTrust {
  readonly generation: number;
  readonly authorities: readonly {
    readonly kind: string;
    readonly role: string;
    readonly status: string;
    readonly revoked_by?: string;
    readonly refused?: {
      readonly rule: string;
      readonly sha256: string;
      readonly detail: string;
      readonly revocation?: string;
    };
    readonly sha256: string;
    readonly last_seen: ShownNames;
  }[];
  readonly crls: readonly {
    readonly source: string;
    readonly issuer_sha256: string;
    readonly status: string;
  }[];
  readonly last_seen_by_token: ShownNames;
  readonly would_be_accepted: { readonly total: number; readonly clusters: readonly ShownSighting[] };
  readonly conflicts: {
    readonly total: number;
    readonly clusters: readonly {
      readonly cluster_dns: string;
      readonly conflict: { readonly count: number };
    }[];
  };
  readonly expiring?: { readonly total: number; readonly clusters: readonly ShownSighting[] };
}

export interface ShownPlan {
  readonly safe: boolean;
  readonly openssl_asked: boolean;
  readonly warnings: readonly string[];
  readonly clusters: {
    readonly refused: {
      readonly total: number;
      readonly entries: readonly {
        readonly name: string;
        readonly registered: boolean;
        readonly rule: string;
        readonly refused_now: boolean;
      }[];
    };
    readonly stays: ShownNames;
  };
  readonly unknown: ShownNames;
  readonly operators: { readonly refused: { readonly total: number }; readonly stays: ShownNames };
}

export const demoDns = (number: number): string =>
  `demo-cluster-${String(number).padStart(2, '0')}.k8s.example.com`;

export function poll(
  gateway: TestGateway,
  dns: string,
  certificate: ClientCertificate | undefined,
  token?: string,
): Promise<ClientAnswer> {
  return gateway.send({ path: `/api/v2/flux/clusters/${dns}/namespaces`, certificate, token });
}

export async function readTrust(gateway: TestGateway, query = ''): Promise<ShownTrust> {
  const answer = await gateway.send({ path: `/trust${query}`, token: WRITE_TOKEN });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<ShownTrust>();
}

export async function planTrust(gateway: TestGateway, body: object): Promise<ShownPlan> {
  const answer = await gateway.send({ method: 'POST', path: '/trust/plan', token: WRITE_TOKEN, body });
  assert.equal(answer.status, 200, answer.body.toString());
  return answer.json<ShownPlan>();
}

export const sha256Of = (minted: { readonly der: Uint8Array }): string => readCertificate(minted.der).sha256;
