import type { ClientAnswer, ClientRequest } from './client.ts';
import { READ_TOKEN, type TestGateway, WRITE_TOKEN } from './gateway.ts';

const ROUTES = ['platform-components', 'namespaces', 'rolebindings'];

/** Status and body of all three routes, as Flux on the cluster `NAME.k8s.example.com` gets them. */
export async function poll(gateway: Pick<TestGateway, 'send'>, name: string): Promise<readonly string[]> {
  const answers: string[] = [];
  for (const route of ROUTES) {
    const path = `/api/v2/flux/clusters/${name}.k8s.example.com/${route}`;
    const answer = await gateway.send({ path, token: READ_TOKEN });
    answers.push(answer.status === 200 ? answer.body.toString('utf8') : String(answer.status));
  }
  return answers;
}

/** The ids of one route's inputs, in their order. */
export async function servedIds(
  gateway: Pick<TestGateway, 'send'>,
  name: string,
  route: string,
): Promise<readonly string[]> {
  const body = (await poll(gateway, name))[ROUTES.indexOf(route)] ?? '';
  return (JSON.parse(body) as { inputs: { id: string }[] }).inputs.map(({ id }) => id);
}

/** Requests of an operator by the write token. */
export function operator(
  gateway: Pick<TestGateway, 'send'>,
): (
  method: string,
  path: string,
  body?: unknown,
  headers?: Readonly<Record<string, string>>,
) => Promise<ClientAnswer> {
  return (method, path, body, headers = {}) => {
    const request: ClientRequest = { method, path, token: WRITE_TOKEN, headers };
    return gateway.send(body === undefined ? request : { ...request, body });
  };
}

/** `409 prune_guard several_inputs,empty_route`: what became of a write, and which rules of the guard stopped it. */
export function verdict(answer: ClientAnswer): string {
  if (answer.status < 400) return String(answer.status);
  const { error, plan } = answer.json<{ error: string; plan?: { reasons: { rule: string }[] } }>();
  const rules = plan === undefined ? '' : ` ${plan.reasons.map(({ rule }) => rule).join(',')}`;
  return `${answer.status} ${error}${rules}`;
}

/** Carries a guarded write out, by the hash of the plan that refused it. */
export async function confirmed(
  send: ReturnType<typeof operator>,
  method: string,
  path: string,
  body?: unknown,
): Promise<ClientAnswer> {
  const refused = await send(method, path, body);
  const { plan } = refused.json<{ plan?: { plan_hash: string } }>();
  if (refused.status !== 409 || plan === undefined)
    throw new Error(`${method} ${path}: ${refused.status}, and no plan to confirm`);
  return send(method, path, body, { 'confirm-plan': plan.plan_hash });
}
