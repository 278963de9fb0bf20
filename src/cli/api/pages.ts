import { CommandFailed } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { refusalWithMeant } from './meant.ts';
import type { ApiAnswer, ApiRequest, SendRequest } from './transport.ts';

export interface PageOptions {
  readonly limit?: number;
  readonly offset?: number;
}

/** As many as one answer brings; the gateway takes up to 10,000. */
const PAGE = 1_000;
const ROWS_MAX = 1_000_000;

/** Throws what the gateway says against it. */
export async function answered(send: SendRequest, wanted: ApiRequest): Promise<ApiAnswer> {
  const answer = await send(wanted);
  if (answer.status < 200 || answer.status > 299) throw await refusalWithMeant(send, answer);
  return answer;
}

/** One object of an answer; a server that is no gateway may send anything. */
export function recordOf({ body }: ApiAnswer): Record<string, unknown> {
  if (typeof body === 'object' && body !== null && !Array.isArray(body))
    return body as Record<string, unknown>;
  throw notOurs();
}

/** All of a list, page after page, or the page that was asked for. */
export async function listed<T>(
  send: SendRequest,
  wanted: ApiRequest,
  { limit, offset = 0 }: PageOptions = {},
): Promise<readonly T[]> {
  const rows: T[] = [];
  for (;;) {
    const left = limit === undefined ? PAGE : Math.min(PAGE, limit - rows.length);
    const query = { ...wanted.query, limit: left, offset: offset + rows.length };
    const { body, headers } = await answered(send, { ...wanted, query });
    if (!Array.isArray(body)) throw notOurs();
    rows.push(...(body as T[]));
    const total = Number(headers['x-total-count'] ?? 0);
    const done = body.length === 0 || offset + rows.length >= total || rows.length === limit;
    if (done || rows.length > ROWS_MAX) return rows;
  }
}

const notOurs = (): CommandFailed =>
  new CommandFailed('the answer is of another form than a gateway sends', undefined, EXIT.unavailable);
