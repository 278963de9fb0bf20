import assert from 'node:assert/strict';
import type { ClientAnswer } from './client.ts';
import { type TestGateway, WRITE_TOKEN } from './gateway.ts';

/** What POST /tokens takes besides a name and an end. */
export interface TokenRequest {
  readonly kind: 'cluster' | 'reader' | 'operator';
  readonly name?: string;
  readonly cluster_dns?: string;
  readonly roles?: readonly string[];
  readonly environments?: readonly string[];
  readonly labels?: readonly string[];
  readonly ttl?: number;
  readonly expires_at?: string;
}

export interface MadeToken {
  readonly id: string;
  readonly token: string;
  readonly [field: string]: unknown;
}

let made = 0;

/** As the write token does it unless `token` is another one. */
export function postToken(
  gateway: Pick<TestGateway, 'send'>,
  body: unknown,
  token: string | undefined = WRITE_TOKEN,
): Promise<ClientAnswer> {
  return gateway.send({ method: 'POST', path: '/tokens', token, body });
}

export async function makeToken(
  gateway: Pick<TestGateway, 'send'>,
  request: TokenRequest,
  token?: string,
): Promise<MadeToken> {
  const end = request.expires_at === undefined ? { ttl: 3_600 } : {};
  const answer = await postToken(gateway, { name: `test-${++made}`, ...end, ...request }, token);
  assert.equal(answer.status, 201, answer.body.toString());
  return answer.json<MadeToken>();
}

export const revokeToken = (gateway: Pick<TestGateway, 'send'>, id: string): Promise<ClientAnswer> =>
  gateway.send({ method: 'DELETE', path: `/tokens/${id}`, token: WRITE_TOKEN });
