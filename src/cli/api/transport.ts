import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { CommandFailed } from '../context.ts';
import { EXIT } from '../exit-codes.ts';
import { connectionFailure } from './connection-failures.ts';

export interface ApiRequest {
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: unknown;
  /** By the pointer into the body: the flag that whoever typed the command knows it by. */
  readonly flags?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  /** Octets of the body that are on their way. */
  readonly sent?: (octets: number, total: number) => void;
  /** Whoever may lose interest asks once: nothing is sent again. */
  readonly signal?: AbortSignal;
  /** Octets of the answer so far, and of all of it where that is known. */
  readonly received?: (octets: number, total: number | undefined) => void;
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Parsed JSON. */
  readonly body: unknown;
  /** What it answers. */
  readonly asked: ApiRequest;
}

export type SendRequest = (wanted: ApiRequest) => Promise<ApiAnswer>;

/** PEM texts and the token; whoever holds it can act as its owner. */
export interface Identity {
  readonly ca?: string | readonly string[];
  readonly cert?: string;
  readonly key?: string;
  readonly token?: string;
}

/** A whole fleet to plan may take the gateway a while. */
const SILENCE_MS = 120_000;
/** Somebody who sends an octet a minute keeps nobody waiting for ever. */
const ANSWER_MS = 600_000;
/** Twice the largest import: an export of it, escaped as JSON. */
const ANSWER_OCTETS_MAX = 64 * 1024 * 1024;
const TRIES = 4;
const RETRY_AFTER_MAX_S = 10;

/** TLS with the server verified, always. Follows no redirect: whoever could send one would get the credential. */
export function createTransport(origin: string, { token, ...identity }: Identity): SendRequest {
  const { ca, ...own } = identity;
  const agent = new Agent({
    keepAlive: true,
    maxSockets: 4,
    minVersion: 'TLSv1.2',
    ...own,
    ...(ca === undefined ? {} : { ca: typeof ca === 'string' ? ca : [...ca] }),
  });
  const credential = token === undefined ? {} : { authorization: `Bearer ${token}` };
  return async (wanted) => {
    const again = isRepeatable(wanted);
    for (let attempt = 1; ; attempt++) {
      const last = attempt === TRIES || !again;
      try {
        const answer = await once(origin, agent, credential, wanted);
        const wait = Number(answer.headers['retry-after']);
        const late = answer.status === 429 || answer.status === 503;
        if (last || !late || !(wait <= RETRY_AFTER_MAX_S)) return notRedirected(origin, answer);
        await sleep(wait * 1_000);
      } catch (error) {
        if (error instanceof CommandFailed) throw error;
        const broken = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        if (last || !broken || attempt > 1) throw connectionFailure(origin, error);
      }
    }
  };
}

/** Sent twice it happens once: reads, and what carries an Idempotency-Key. */
function isRepeatable({ method = 'GET', headers = {}, signal }: ApiRequest): boolean {
  if (signal !== undefined) return false;
  return method === 'GET' || headers['idempotency-key'] !== undefined;
}

function notRedirected(origin: string, answer: ApiAnswer): ApiAnswer {
  if (answer.status < 300 || answer.status > 399) return answer;
  throw new CommandFailed(
    `${origin}: answers with a redirect (HTTP ${answer.status}), which no gateway does: nothing was sent on. Is --url right?`,
    undefined,
    EXIT.unavailable,
  );
}

function once(origin: string, agent: Agent, credential: object, wanted: ApiRequest): Promise<ApiAnswer> {
  const { method = 'GET', body } = wanted;
  const content = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
  const given = Object.entries(wanted.headers ?? {}).filter(([, value]) => value !== undefined);
  const headers = {
    accept: 'application/json',
    ...credential,
    ...(Object.fromEntries(given) as Record<string, string>),
    ...(content === undefined ? {} : { 'content-type': type, 'content-length': content.length }),
  };
  return new Promise<ApiAnswer>((resolve, reject) => {
    const outgoing = request(urlOf(origin, wanted), {
      method,
      headers,
      agent,
      timeout: SILENCE_MS,
      ...(wanted.signal === undefined ? {} : { signal: wanted.signal }),
    });
    const noAnswer = (ms: number): void => {
      const error: NodeJS.ErrnoException = new Error(`no answer within ${ms / 1_000} s`);
      error.code = 'ERR_NO_ANSWER';
      outgoing.destroy(error);
    };
    const deadline = setTimeout(noAnswer, ANSWER_MS, ANSWER_MS);
    deadline.unref();
    outgoing.once('timeout', () => noAnswer(SILENCE_MS));
    outgoing.once('close', () => clearTimeout(deadline));
    outgoing.once('error', reject);
    outgoing.once('response', (response) => {
      read(response, wanted.received)
        .then((text) => resolve({ ...parsed(origin, response, text), asked: wanted }))
        .catch(reject);
    });
    if (content === undefined || wanted.sent === undefined) outgoing.end(content);
    else endInPieces(outgoing, content, wanted.sent);
  });
}

/** Octets between two calls of `sent`. */
const PIECE_OCTETS = 65_536;

/** What fails on the way is the request's own error. */
function endInPieces(
  outgoing: ClientRequest,
  content: Buffer,
  sent: (octets: number, total: number) => void,
): void {
  const from = (at: number): void => {
    const end = Math.min(at + PIECE_OCTETS, content.length);
    const told = (error?: Error | null): void => {
      if (error !== undefined && error !== null) return;
      sent(end, content.length);
      if (end < content.length) from(end);
    };
    const piece = content.subarray(at, end);
    if (end < content.length) outgoing.write(piece, told);
    else outgoing.end(piece, told);
  };
  from(0);
}

function urlOf(origin: string, { path, query = {} }: ApiRequest): URL {
  const url = new URL(path, origin);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  // The gateway knows one spelling of a space.
  url.search = url.search.replaceAll('+', '%20');
  return url;
}

async function read(
  response: IncomingMessage,
  received: (octets: number, total: number | undefined) => void = () => undefined,
): Promise<string> {
  const total = Number(response.headers['content-length']);
  const chunks: Buffer[] = [];
  let octets = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    octets += chunk.length;
    if (octets > ANSWER_OCTETS_MAX) {
      response.destroy();
      throw new CommandFailed(
        `the answer is larger than ${ANSWER_OCTETS_MAX} bytes, which is more than a gateway sends`,
        undefined,
        EXIT.unavailable,
      );
    }
    chunks.push(chunk);
    received(octets, Number.isSafeInteger(total) ? total : undefined);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parsed(
  origin: string,
  { statusCode = 0, headers }: IncomingMessage,
  text: string,
): Omit<ApiAnswer, 'asked'> {
  if (statusCode >= 300 && statusCode <= 399) return { status: statusCode, headers, body: undefined };
  try {
    return { status: statusCode, headers, body: JSON.parse(text) as unknown };
  } catch (error) {
    throw new CommandFailed(
      `${origin}: HTTP ${statusCode} with a body that is not JSON. Is that a gateway of Fluxgate?`,
      error,
      EXIT.unavailable,
    );
  }
}
