import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { FluxgateError } from '../../core/errors.ts';
import type { PageSession } from '../../core/identity/page-session.ts';
import { ANONYMOUS } from '../../core/identity/principal.ts';
import type { Verdict } from '../../core/identity/verdict.ts';
import type { Operation } from '../../core/policy/operations.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { Clock } from '../clock.ts';
import type { Throttle } from '../edge/throttle.ts';
import type { LiveTrust } from '../live-trust.ts';
import type { KeyPins } from '../pins.ts';
import type { Presented } from '../tls/peer.ts';
import type { Siblings } from '../workers/siblings.ts';
import {
  type Admission,
  type AdmissionParts,
  type Asked,
  admit,
  holdToPin,
  identifyAgain,
} from './admission.ts';
import { authenticateAgain, authenticateToken, type TokenAuthentication } from './authenticate-token.ts';
import { announcesBody, bodyBytesMax, bodyValuesMax, checkMediaType, parseForm, readBody } from './body.ts';
import { createCall } from './call.ts';
import type { Handlers } from './handlers/handlers.ts';
import { headerLines, joinedHeader } from './header-lines.ts';
import { type Answer, asFluxgateError, respond } from './respond.ts';
import type { Router } from './router.ts';
import { checkHost, checkProtocol, readTarget, type Target } from './target.ts';
import type { Page } from './ui/page.ts';
import { createPageRequest } from './ui/page-request.ts';
import { refusedAnswer } from './ui/refused.ts';

/** What is known of a request by the end of it, for its one line in the log. Filled in as the steps are taken. */
export interface RequestRecord extends Admission {
  readonly requestId: string;
  readonly method: string;
  readonly source: string;
  readonly startedMs: number;
  readonly path: string;
  /** What the peer showed in the handshake; undefined where it is gone, or the answer asked nobody who they are. */
  presented: Presented | undefined;
  /** For how long its refusal is held back. */
  holdMs: number;
  /** It came with a token that is not accepted. */
  tokenRefused: boolean;
  /** Whether the override for patches that look like secrets is asked for. */
  readonly allowsSecrets: boolean;
  /** Whether a write was asked only what it would do. */
  isDryRun: boolean;
  /** Whoever signed in to the status page. */
  session: PageSession | undefined;
}

/** Told of a request when it is over: on its path, so nothing waits for anything. */
export type RecordRequest = (record: RequestRecord, status: number, error: FluxgateError | undefined) => void;

/** What comes later builds upon what is remembered before. */
export const inTurn =
  (steps: readonly RecordRequest[]): RecordRequest =>
  (record, status, error) => {
    for (const step of steps) step(record, status, error);
  };

export interface PipelineParts extends AdmissionParts, TokenAuthentication {
  readonly router: Router;
  readonly handlers: Pick<Handlers, 'get'>;
  readonly page: Page;
  readonly trust: LiveTrust;
  readonly pins: KeyPins;
  readonly throttle: Throttle;
  readonly siblings: Pick<Siblings, 'behind'>;
  readonly clock: Clock;
  readonly newRequestId: () => string;
  isDraining(): boolean;
  /** Once per request, whatever became of it. */
  readonly record: RecordRequest;
  /** A fault of our own in answering; the connection is gone. */
  unanswerable(record: RequestRecord, error: unknown): void;
}

export interface Pipeline {
  /** `source`: the peer's canonical address, or what a trusted proxy says it is. */
  answer(request: IncomingMessage, response: ServerResponse, source: string): void;
  /** Resolves when every request that was begun has its line in the log. */
  settled(): Promise<void>;
}

/** The steps of a request, in order. What a later step needs, an earlier one has proven. */
export function createPipeline(parts: PipelineParts): Pipeline {
  let inFlight = 0;
  const waiting: (() => void)[] = [];
  // One promise for all of it: each step of its own would be another one for every request.
  const serve = async (
    request: IncomingMessage,
    response: ServerResponse,
    record: RequestRecord,
  ): Promise<void> => {
    try {
      let answer: Answer;
      let error: FluxgateError | undefined;
      try {
        answer = await answerRequest(parts, request, response, record);
      } catch (problem) {
        error = asFluxgateError(problem);
        await parts.throttle.hold(record.holdMs);
        answer = refusedAnswer(parts, request, record, error);
      }
      finish(parts, request, response, record, answer, error);
    } catch (error) {
      // Nothing that a peer sends may end the process: what cannot even be refused is cut off, and told.
      request.socket.destroy();
      parts.unanswerable(record, error);
    } finally {
      inFlight -= 1;
      if (inFlight === 0 && waiting.length > 0) for (const settled of waiting.splice(0)) settled();
    }
  };
  return {
    answer(request, response, source) {
      const record = beginRecord(parts, request, source);
      inFlight += 1;
      void serve(request, response, record);
    },
    async settled() {
      if (inFlight > 0) await new Promise<void>((resolve) => waiting.push(resolve));
    },
  };
}

async function answerRequest(
  parts: PipelineParts,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
): Promise<Answer> {
  const socket = request.socket as TLSSocket;
  const behind = parts.siblings.behind();
  if (behind !== undefined) await behind;
  parts.throttle.arrive({
    source: record.source,
    verdict: parts.trust.verdictOf(socket),
    token: request.headers.authorization !== undefined || request.headers.cookie !== undefined,
    probe: record.path === '/health' || record.path === '/ready',
  });
  checkProtocol(request.httpVersion, request.headers.expect);
  const target = readTarget(request.url ?? '');
  checkHost(headerLines(request, 'host'), socket.servername || undefined);
  const asked = new AskedByRequest(parts, record, socket, target, (operation) =>
    authenticateToken(parts, request, operation, record),
  );
  const operation = await admit(parts, asked, record);
  parts.throttle.admitted(record.principal);

  const accepted = parts.router.mediaTypes(operation);
  if (accepted.length === 0 && announcesBody(request)) {
    throw new FluxgateError('malformed_request', `${operation.method} takes no body here.`);
  }
  const body = accepted.length === 0 ? undefined : await takeBody(request, response, operation, accepted);
  // A body may take half a minute: whoever lost the right meanwhile, by certificate, token or policy, changes nothing any more.
  if (body !== undefined) await admit(parts, asked, record);
  const parameters = parts.router.validate(operation, target, body);
  record.isDryRun = parameters.query['dry_run'] === true;
  const handler = parts.handlers.get(operation.operationId);
  if (handler === undefined) throw new Error(`no handler for ${operation.operationId}`);
  const again = (): Asked =>
    new AskedByRequest(parts, record, socket, target, () => authenticateAgain(parts, request, operation));
  const call = createCall(parts, record, operation, {
    method: record.method,
    parameters,
    body,
    identifyAgain: () => identifyAgain(parts, again(), record),
    header: (name) => joinedHeader(request, name),
  });
  // Waited for here: a promise that an async function returns is waited for twice as long.
  if (operation.about !== 'page') return await handler(call);
  return await handler({ ...call, page: createPageRequest(parts, request, record, again()) });
}

/** Asked by a request, of each moment anew. A class, for there is one for each request. */
class AskedByRequest implements Asked {
  readonly #parts: PipelineParts;
  readonly #record: RequestRecord;
  readonly #socket: TLSSocket;
  readonly target: Target;
  readonly withoutCertificate: Asked['withoutCertificate'];

  constructor(
    parts: PipelineParts,
    record: RequestRecord,
    socket: TLSSocket,
    target: Target,
    withoutCertificate: Asked['withoutCertificate'],
  ) {
    this.#parts = parts;
    this.#record = record;
    this.#socket = socket;
    this.target = target;
    this.withoutCertificate = withoutCertificate;
  }

  get method(): string {
    return this.#record.method;
  }

  get source(): string {
    return this.#record.source;
  }

  get allowsSecrets(): boolean {
    return this.#record.allowsSecrets;
  }

  get nowMs(): number {
    return this.#parts.clock.now();
  }

  verdict(): Verdict | undefined {
    const { trust, pins } = this.#parts;
    const verdict = trust.verdictOf(this.#socket);
    // Taken behind the verdict, for which it may have been read again.
    this.#record.presented = trust.presentedBy(this.#socket);
    return holdToPin(verdict, (cluster) => pins.admit(cluster, this.#record));
  }
}

/** Characters of a path that is not one of ours, in the log. */
const LOGGED_PATH_MAX = 256;

function beginRecord(parts: PipelineParts, request: IncomingMessage, source: string): RequestRecord {
  return {
    requestId: parts.newRequestId(),
    method: request.method ?? '',
    source,
    startedMs: parts.clock.elapsed(),
    path: loggedPath(request.url ?? ''),
    operation: undefined,
    presented: undefined,
    verdict: undefined,
    principal: ANONYMOUS,
    clusterDns: undefined,
    objectId: undefined,
    cluster: undefined,
    isDryRun: false,
    allowsSecrets: joinedHeader(request, 'allow-suspected-secrets') === 'true',
    decision: undefined,
    revocationId: undefined,
    holdMs: 0,
    session: undefined,
    tokenRefused: false,
  };
}

function loggedPath(url: string): string {
  const mark = url.indexOf('?');
  return url.slice(0, mark < 0 ? LOGGED_PATH_MAX : Math.min(mark, LOGGED_PATH_MAX));
}

async function takeBody(
  request: IncomingMessage,
  response: ServerResponse,
  operation: Operation,
  accepted: readonly string[],
): Promise<unknown> {
  checkMediaType(request, accepted);
  if (request.headers.expect !== undefined) response.writeContinue();
  const octets = await readBody(request, bodyBytesMax(operation));
  return operation.about === 'page' ? parseForm(octets) : parseStrictJson(octets, bodyValuesMax(operation));
}

function finish(
  parts: PipelineParts,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
  answer: Answer,
  error: FluxgateError | undefined,
): void {
  // An unread body would be taken for the next request; Flux never reuses a connection; a refused peer gets no second try.
  const close =
    parts.isDraining() ||
    record.operation?.audience === 'flux' ||
    error?.code === 'certificate_rejected' ||
    error?.code === 'rate_limited' ||
    (announcesBody(request) && !request.complete);
  if (record.operation?.about !== 'page') parts.page.streams.noteRequest();
  if (record.principal.kind !== 'anonymous') parts.throttle.known(record.source);
  try {
    respond(response, answer, { requestId: record.requestId, close });
  } finally {
    // Behind the answer, which takes as long for whoever has a certificate as for everybody.
    if (error !== undefined) record.presented ??= parts.trust.shownBy(request.socket as TLSSocket);
    parts.record(record, answer.status, error);
  }
}
