import assert from 'node:assert/strict';
import type { ClientAnswer, ClientRequest } from './client.ts';
import type { TestGateway } from './gateway.ts';

interface Guarded {
  readonly error: string;
  readonly plan: { readonly plan_hash: string };
}

/** Sends a destructive request as an operator does who has looked: refused with its plan, then sent again with its hash. */
export async function sendConfirmed(
  gateway: Pick<TestGateway, 'send'>,
  request: ClientRequest,
): Promise<ClientAnswer> {
  const refused = await gateway.send(request);
  const { error, plan } = refused.json<Guarded>();
  assert.equal(`${refused.status} ${error}`, '409 prune_guard');
  return gateway.send({ ...request, headers: { ...request.headers, 'confirm-plan': plan.plan_hash } });
}
