import { nearest } from '../../core/nearest.ts';
import { CommandFailed } from '../context.ts';
import { errorBody, refusalOf } from './failures.ts';
import { segment } from './path.ts';
import type { ApiAnswer, ApiRequest, SendRequest } from './transport.ts';

/** One answer brings no more; of more objects it is not said which one is the nearest. */
const NAMES_MAX = 10_000;

/** RFC 1123, as openapi.yaml has it: what is no label is nobody's id. */
const ID = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/;

/** Paths that begin with one of these name an object by its id behind it, and the others a cluster by its DNS name. */
const BY_ID = /^(?<collection>\/(?:clusters|platform_components|namespaces|rolebindings))\/(?<name>[^/]+)/;
const BY_DNS = /^\/(?:fleet|trust\/clusters|trust\/pins)\/(?<name>[^/]+)/;

/** What the gateway said against it; where there is nothing of that name, with the one that may have been meant. `unwritten`: as of `refusalOf`. */
export async function refusalWithMeant(
  send: SendRequest,
  answer: ApiAnswer,
  unwritten?: string,
): Promise<CommandFailed> {
  return refusalOf(await ofHolder(send, answer), await meantBy(send, answer), unwritten);
}

/** Where a DNS name is taken, the hint speaks of the cluster that has it: whoever asks may see that one, or it is not named. */
async function ofHolder(send: SendRequest, answer: ApiAnswer): Promise<ApiAnswer> {
  const { status, asked } = answer;
  const { cluster_dns } = (asked.body ?? {}) as { readonly cluster_dns?: unknown };
  const isTaken = errorBody(answer).details.some(({ field }) => field === '/cluster_dns');
  if (
    status !== 409 ||
    !isTaken ||
    !/^\/clusters(\/|$)/.test(asked.path) ||
    typeof cluster_dns !== 'string'
  ) {
    return answer;
  }
  const [holder] = await stored(send, '/clusters', { cluster_dns });
  const path = holder === undefined ? '/clusters' : `/clusters/${segment(holder.id)}`;
  return { ...answer, asked: { method: 'GET', path } };
}

async function meantBy(send: SendRequest, { status, asked }: ApiAnswer): Promise<string | undefined> {
  if (status !== 404 && status !== 400) return undefined;
  const { collection, name } = (BY_ID.exec(asked.path) ?? BY_DNS.exec(asked.path))?.groups ?? {};
  if (name === undefined) return undefined;
  const text = decodeURIComponent(name);
  if (collection === undefined) return await clusterMeant(send, text);
  // Refused with a name that may be somebody's (400), it is the body that is wrong.
  if (status === 400 && ID.test(text)) return undefined;
  return collection === '/clusters'
    ? await clusterMeant(send, text, true)
    : await objectMeant(send, collection, text);
}

/** `collection`: the path of a kind's list. undefined: there is an object of this name, or none is near, or the gateway does not say. */
export async function objectMeant(
  send: SendRequest,
  collection: string,
  text: string,
  field: keyof Named = 'id',
): Promise<string | undefined> {
  const names = (await stored(send, collection)).map((one) => one[field]);
  const known = names.filter((name) => typeof name === 'string');
  return known.includes(text) ? undefined : nearest(text, known);
}

/** The id of a cluster whose id or DNS name is near; `isId`: a DNS name is nobody's id, however exactly it is one's name. */
export async function clusterMeant(
  send: SendRequest,
  text: string,
  isId = false,
): Promise<string | undefined> {
  const clusters = await stored(send, '/clusters');
  const idOf = new Map<string, string>();
  for (const { id, cluster_dns } of clusters) if (typeof cluster_dns === 'string') idOf.set(cluster_dns, id);
  for (const { id } of clusters) idOf.set(id, id);
  const known = idOf.get(text);
  if (known !== undefined) return isId && known !== text ? known : undefined;
  const near = nearest(text, [...idOf.keys()]);
  return near === undefined ? undefined : idOf.get(near);
}

interface Named {
  readonly id: string;
  readonly cluster_dns?: unknown;
}

/** None where they are too many, or whoever asks may not see them: what may have been meant is never worth a failure of its own. */
async function stored(
  send: SendRequest,
  path: string,
  filter: ApiRequest['query'] = {},
): Promise<readonly Named[]> {
  try {
    const { status, body, headers } = await send({ path, query: { ...filter, limit: NAMES_MAX } });
    if (status !== 200 || !Array.isArray(body) || Number(headers['x-total-count']) > NAMES_MAX) return [];
    return body.filter((one: Partial<Named> | null): one is Named => typeof one?.id === 'string');
  } catch (error) {
    if (error instanceof CommandFailed) return [];
    throw error;
  }
}
