import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { pipeline, Readable } from 'node:stream';
import { type ErrorCode, FluxgateError, STATUS_OF } from '../../core/errors.ts';

/** What a handler gives back; `body` is serialised by the one writer below. */
export interface Answer {
  readonly status: number;
  /** JSON, unless `contentType` says otherwise; text, bytes and pieces of bytes are sent as they are. */
  readonly body: string | Uint8Array | Pieces | Live | object;
  /** The body as JSON, where somebody has serialised it already. */
  readonly text?: string;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Whole Set-Cookie lines; of the status page only. */
  readonly cookies?: readonly string[];
}

/** A body without an end that is known: `start` writes to the response until one of the two closes it. */
export class Live {
  readonly start: (response: ServerResponse) => void;

  constructor(start: (response: ServerResponse) => void) {
    this.start = start;
  }
}

/** A large body: written piece by piece, as the peer takes it, so that no request waits for all of it to be encrypted. */
export class Pieces {
  readonly pieces: readonly Uint8Array[];

  constructor(pieces: readonly Uint8Array[]) {
    this.pieces = pieces;
  }

  get octets(): number {
    return this.pieces.reduce((sum, { length }) => sum + length, 0);
  }
}

export interface ResponseFrame {
  readonly requestId: string;
  /** True: the connection ends with this answer. */
  readonly close: boolean;
}

/** The only writer of responses. Never a redirect: Flux would follow one to another host, in the clear. */
export function respond(response: ServerResponse, answer: Answer, frame: ResponseFrame): void {
  if (response.destroyed || response.headersSent) return;
  const body = answer.text ?? asSent(answer.body);
  const headers = ['Content-Type', answer.contentType ?? 'application/json'];
  const octets = octetsOf(body);
  if (octets !== undefined) headers.push('Content-Length', String(octets));
  headers.push('X-Content-Type-Options', 'nosniff', 'X-Request-Id', frame.requestId);
  if (frame.close || body instanceof Live) headers.push('Connection', 'close');
  if (answer.headers?.['Cache-Control'] === undefined) headers.push('Cache-Control', 'no-store');
  for (const name in answer.headers) headers.push(name, answer.headers[name] as string);
  for (const cookie of answer.cookies ?? []) headers.push('Set-Cookie', cookie);
  if (answer.status === STATUS_OF.certificate_rejected) response.statusMessage = 'SSL Certificate Error';
  // All of them at once, checked by Node as they are written; one by one they would be kept and looked up on the way.
  response.writeHead(answer.status, headers);
  // Node throws at a body where none may be (RFC 9110 §9.3.2).
  if (response.req.method === 'HEAD') response.end();
  else if (body instanceof Live) body.start(response);
  else if (body instanceof Pieces)
    pipeline(Readable.from(body.pieces, { objectMode: false }), response, goneAway);
  // As many octets as characters: ASCII, which Node writes together with the head, and without room for three octets a character.
  else if (typeof body === 'string') response.end(body, octets === body.length ? 'latin1' : 'utf8');
  else response.end(body);
}

/** undefined: there is no end that is known. */
function octetsOf(body: string | Uint8Array | Pieces | Live): number | undefined {
  if (body instanceof Live) return undefined;
  if (body instanceof Pieces) return body.octets;
  return typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
}

/** A peer that does not read to the end is nobody's fault: the line in the log was written when the answer was made. */
function goneAway(): void {}

function asSent(body: Answer['body']): string | Uint8Array | Pieces | Live {
  const isReady =
    typeof body === 'string' || body instanceof Uint8Array || body instanceof Pieces || body instanceof Live;
  return isReady ? body : JSON.stringify(body);
}

/** An error as outsiders see it: code, what to do, the id that finds it in the log. */
export function errorAnswer(error: FluxgateError, requestId: string): Answer {
  return {
    status: error.status,
    headers: error.headers,
    body: {
      error: error.code,
      message: error.message,
      request_id: requestId,
      ...(error.details === undefined ? {} : { details: error.details }),
      ...(error.plan === undefined ? {} : { plan: error.plan }),
    },
  };
}

/** Anything that is not ours is a fault of ours: it is answered as such and told in full to the log only. */
export function asFluxgateError(error: unknown): FluxgateError {
  if (error instanceof FluxgateError) return error;
  return new FluxgateError(
    'unavailable',
    'Fluxgate cannot answer truthfully now. Try again; the request id finds the cause in its log.',
    { cause: error },
  );
}

/** For bytes that never became a request: written to the socket by hand, and the connection ends. */
export function refuseSocket(socket: Socket, code: ErrorCode, message: string, requestId: string): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(errorAnswer(new FluxgateError(code, message), requestId).body);
  socket.end(
    `HTTP/1.1 ${STATUS_OF[code]} ${code}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
      `Cache-Control: no-store\r\nX-Request-Id: ${requestId}\r\nConnection: close\r\n\r\n${body}`,
  );
}
