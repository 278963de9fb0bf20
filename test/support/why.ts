import type { ClientAnswer } from './client.ts';
import type { TestGateway } from './gateway.ts';
import { WRITE_TOKEN } from './gateway.ts';

export interface Explained {
  readonly outcome: 'accepted' | 'accepted_if_openssl_agrees' | 'refused';
  readonly openssl: string;
  readonly principal?: string;
  readonly certificate_sha256?: string;
  readonly rule?: string;
  readonly position?: string;
  readonly detail?: string;
  readonly revocation?: string;
  readonly steps: readonly {
    readonly rule: string;
    readonly position: string;
    readonly bundle?: string;
    readonly passed: boolean;
    readonly saw: string;
    readonly decided?: boolean;
  }[];
  readonly request?: {
    readonly status: number;
    readonly error?: string;
    readonly reason: string;
    readonly operation?: string;
    readonly policies: readonly string[];
    readonly steps: readonly { readonly step: string; readonly passed: boolean; readonly saw: string }[];
  };
  readonly refusal?: { readonly [field: string]: unknown };
}

export function postQuestion(gateway: TestGateway, body: unknown): Promise<ClientAnswer> {
  return gateway.send({ method: 'POST', path: '/explain', token: WRITE_TOKEN, body });
}

export async function askWhy(gateway: TestGateway, body: unknown): Promise<Explained> {
  const answer = await postQuestion(gateway, body);
  if (answer.status !== 200) throw new Error(`POST /explain: ${answer.status} ${answer.body}`);
  return answer.json<Explained>();
}

export interface RefusedBefore {
  readonly known_by?: string;
  readonly count: number;
  readonly [field: string]: unknown;
}

export async function refusalsOf(gateway: TestGateway, query: string): Promise<readonly RefusedBefore[]> {
  const answer = await gateway.send({ path: `/refusals?${query}`, token: WRITE_TOKEN });
  if (answer.status !== 200) throw new Error(`GET /refusals?${query}: ${answer.status} ${answer.body}`);
  return answer.json<RefusedBefore[]>();
}
