import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import { type AuditRequest, actorOf } from '../../core/audit/entry.ts';
import { FluxgateError } from '../../core/errors.ts';
import { ANONYMOUS } from '../../core/identity/principal.ts';
import type { Decision } from '../../core/policy/decide.ts';
import type { PolicyResource } from '../../core/policy/entities.ts';
import type { Operation } from '../../core/policy/operations.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { Clock } from '../clock.ts';
import type { Throttle } from '../edge/throttle.ts';
import type { LiveTrust } from '../live-trust.ts';
import type { KeyPins } from '../pins.ts';
import type { Presented } from '../tls/peer.ts';
import {
  type Admission,
  type AdmissionParts,
  type Asked,
  admit,
  holdToPin,
  identifyAgain,
  refusal,
} from './admission.ts';
import { authenticateAgain, authenticateToken, type TokenAuthentication } from './authenticate-token.ts';
import { contextOf } from './authorise.ts';
import { announcesBody, bodyBytesMax, checkMediaType, readBody } from './body.ts';
import type { Handlers } from './handlers/handlers.ts';
import { type Answer, asFluxgateError, errorAnswer, respond } from './respond.ts';
import type { Router } from './router.ts';
import { checkHost, checkProtocol, readTarget } from './target.ts';

/** What is known of a request by the end of it, for its one line in the log. Filled in as the steps are taken. */
export interface RequestRecord extends Admission {
  readonly requestId: string;
  readonly method: string;
  readonly source: string;
  readonly startedMs: number;
  readonly path: string;
  /** What the peer showed in the handshake; undefined where the request did not get that far. */
  presented: Presented | undefined;
  /** For how long its refusal is held back. */
  holdMs: number;
  /** Whether the override for patches that look like secrets is asked for. */
  readonly allowsSecrets: boolean;
}

export interface PipelineParts extends AdmissionParts, TokenAuthentication {
  readonly router: Router;
  readonly handlers: Handlers;
  readonly trust: LiveTrust;
  readonly pins: KeyPins;
  readonly throttle: Throttle;
  readonly clock: Clock;
  readonly newRequestId: () => string;
  isDraining(): boolean;
  /** One line per request, whatever became of it. */
  record(record: RequestRecord, status: number, error: FluxgateError | undefined): void;
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
  const inFlight = new Set<Promise<void>>();
  return {
    answer(request, response, source) {
      const record = beginRecord(parts, request, source);
      const answered = answerRequest(parts, request, response, record)
        .then(
          (answer) => finish(parts, request, response, record, answer, undefined),
          async (problem: unknown) => {
            const error = asFluxgateError(problem);
            await parts.throttle.hold(record.holdMs);
            finish(parts, request, response, record, errorAnswer(error, record.requestId), error);
          },
        )
        // Nothing that a peer sends may end the process: what cannot even be refused is cut off, and told.
        .catch((error: unknown) => {
          request.socket.destroy();
          parts.unanswerable(record, error);
        });
      inFlight.add(answered);
      answered.then(() => inFlight.delete(answered));
    },
    async settled() {
      await Promise.all(inFlight);
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
  parts.throttle.arrive({
    source: record.source,
    verdict: parts.trust.verdictOf(socket),
    token: request.headers.authorization !== undefined,
    probe: record.path === '/health' || record.path === '/ready',
  });
  checkProtocol(request.httpVersion, request.headers.expect);
  const target = readTarget(request.url ?? '');
  checkHost(request.headersDistinct['host'] ?? [], socket.servername || undefined);
  const asked: Asked = {
    method: record.method,
    target,
    source: record.source,
    allowsSecrets: record.allowsSecrets,
    get nowMs() {
      return parts.clock.now();
    },
    verdict() {
      record.presented = parts.trust.presentedBy(socket);
      return holdToPin(parts.trust.verdictOf(socket), parts.pins.admit);
    },
    withoutCertificate: (operation) => authenticateToken(parts, request, operation, record),
  };
  const operation = await admit(parts, asked, record);
  parts.throttle.admitted(record.principal);

  const body = await takeBody(parts, request, response, operation);
  // A body may take half a minute: whoever lost the right meanwhile, by certificate, token or policy, changes nothing any more.
  if (body !== undefined) await admit(parts, asked, record);
  const parameters = parts.router.validate(operation, target, body);
  const handler = parts.handlers.get(operation.operationId);
  if (handler === undefined) throw new Error(`no handler for ${operation.operationId}`);
  return handler({
    principal: record.principal,
    method: record.method,
    operationId: operation.operationId,
    parameters,
    body,
    requestId: record.requestId,
    identifyAgain: () => {
      const again = {
        verdict: asked.verdict,
        withoutCertificate: () => authenticateAgain(parts, request, operation),
      };
      return identifyAgain(parts, again, record);
    },
    audited: auditedRequest(record, operation),
    header: (name) => request.headersDistinct[name]?.join(', '),
    authorise: (resource) => authoriseFurther(parts, record, operation, resource),
    permits: (resource) => decideFurther(parts, record, operation, resource).allowed,
  });
}

/** What the audit trail says of a request that was let in. */
export function auditedRequest(record: RequestRecord, operation: Operation): AuditRequest {
  const { decision } = record;
  return {
    actor: actorOf(record.principal),
    source: record.source,
    request_id: record.requestId,
    operation: operation.operationId,
    ...(decision === undefined
      ? {}
      : { decision: decision.allowed ? 'allow' : 'deny', policies: decision.policies }),
  };
}

/** By the policies of this moment, for what only the body or the store says is asked for. */
function decideFurther(
  parts: PipelineParts,
  record: RequestRecord,
  { operationId }: Operation,
  resource: PolicyResource,
): Decision {
  const { principal } = record;
  const context = contextOf(parts.config, { ...record, nowMs: parts.clock.now() });
  return parts.trust.policy.decide({ principal, operationId, resource, context });
}

function authoriseFurther(
  parts: PipelineParts,
  record: RequestRecord,
  operation: Operation,
  resource: PolicyResource,
): void {
  record.decision = decideFurther(parts, record, operation, resource);
  if (!record.decision.allowed) throw refusal(record.principal, record.decision, record.allowsSecrets);
}

/** Characters of a path that is not one of ours, in the log. */
const LOGGED_PATH_MAX = 256;

function beginRecord(parts: PipelineParts, request: IncomingMessage, source: string): RequestRecord {
  return {
    requestId: parts.newRequestId(),
    method: request.method ?? '',
    source,
    startedMs: parts.clock.elapsed(),
    path: (request.url ?? '').split('?', 1)[0]?.slice(0, LOGGED_PATH_MAX) ?? '',
    operation: undefined,
    presented: undefined,
    verdict: undefined,
    principal: ANONYMOUS,
    clusterDns: undefined,
    objectId: undefined,
    allowsSecrets: request.headersDistinct['allow-suspected-secrets']?.join(', ') === 'true',
    decision: undefined,
    revocationId: undefined,
    holdMs: 0,
  };
}

async function takeBody(
  parts: PipelineParts,
  request: IncomingMessage,
  response: ServerResponse,
  operation: Operation,
): Promise<unknown> {
  const accepted = parts.router.mediaTypes(operation);
  if (accepted.length === 0) {
    if (announcesBody(request)) {
      throw new FluxgateError('malformed_request', `${operation.method} takes no body here.`);
    }
    return undefined;
  }
  checkMediaType(request, accepted);
  if (request.headers.expect !== undefined) response.writeContinue();
  return parseStrictJson(await readBody(request, bodyBytesMax(operation)));
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
  if (record.principal.kind !== 'anonymous') parts.throttle.known(record.source);
  try {
    respond(response, answer, { requestId: record.requestId, close });
  } finally {
    parts.record(record, answer.status, error);
  }
}
