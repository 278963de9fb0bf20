import { createHash, X509Certificate } from 'node:crypto';
import type { ClientAnswer } from './client.ts';
import type { TestGateway } from './gateway.ts';
import { WRITE_TOKEN } from './gateway.ts';

export interface Revoked {
  readonly id: string;
  readonly state: 'in_force' | 'expired' | 'lifted';
  readonly attempts: number;
  readonly in_force_at?: string;
  readonly connections_closed?: number;
  readonly last_attempt_at?: string;
  readonly [field: string]: unknown;
}

const sha256 = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');

export const certificateSha256 = (pem: string): string => sha256(new X509Certificate(pem).raw);

export const spkiSha256 = (pem: string): string =>
  sha256(new X509Certificate(pem).publicKey.export({ type: 'spki', format: 'der' }));

export const serialOf = (pem: string): string => new X509Certificate(pem).serialNumber;

type Gateway = Pick<TestGateway, 'send'>;

export function postRevocation(gateway: Gateway, body: unknown): Promise<ClientAnswer> {
  return gateway.send({ method: 'POST', path: '/revocations', token: WRITE_TOKEN, body });
}

/** Revokes as the write token, and throws unless that worked. */
export async function revoke(gateway: Gateway, target: object, more: object = {}): Promise<Revoked> {
  const answer = await postRevocation(gateway, { reason: 'test', ...target, ...more });
  if (answer.status !== 201) throw new Error(`POST /revocations: ${answer.status} ${answer.body}`);
  return answer.json<Revoked>();
}

export async function lift(gateway: Gateway, id: string): Promise<ClientAnswer> {
  return gateway.send({ method: 'DELETE', path: `/revocations/${id}`, token: WRITE_TOKEN });
}

export async function readRevocation(gateway: Gateway, id: string): Promise<Revoked> {
  const answer = await gateway.send({ path: `/revocations/${id}`, token: WRITE_TOKEN });
  if (answer.status !== 200) throw new Error(`GET /revocations/${id}: ${answer.status} ${answer.body}`);
  return answer.json<Revoked>();
}

export const inputsPath = (dns: string): string => `/api/v2/flux/clusters/${dns}/namespaces`;
