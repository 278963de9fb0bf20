import type { IncomingMessage, ServerResponse } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { Config } from '../../core/config.ts';
import { FluxgateError } from '../../core/errors.ts';
import { isCanonicalDnsName } from '../../core/identity/names.ts';
import { ANONYMOUS, type Principal } from '../../core/identity/principal.ts';
import { readAuthorization } from '../../core/identity/token.ts';
import type { Verdict } from '../../core/identity/verdict.ts';
import { canonicalAddress } from '../../core/networks.ts';
import type { Decision } from '../../core/policy/decide.ts';
import type { Operation } from '../../core/policy/operations.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import type { Clock } from '../clock.ts';
import type { LiveTrust } from '../live-trust.ts';
import type { Ratchet } from '../ratchet.ts';
import { REFUSED_CERTIFICATE } from '../tls/malformed.ts';
import { authorise } from './authorise.ts';
import { announcesBody, bodyBytesMax, checkMediaType, readBody } from './body.ts';
import type { Handlers } from './handlers/handlers.ts';
import { type Answer, asFluxgateError, errorAnswer, respond } from './respond.ts';
import type { Route, Router } from './router.ts';
import { checkHost, readTarget } from './target.ts';

/** What is known of a request by the end of it, for its one line in the log. Filled in as the steps are taken. */
export interface RequestRecord {
  readonly requestId: string;
  readonly method: string;
  readonly source: string;
  readonly startedMs: number;
  readonly path: string;
  operation: Operation | undefined;
  verdict: Verdict | undefined;
  principal: Principal;
  clusterDns: string | undefined;
  objectId: string | undefined;
  /** Whether the override for patches that look like secrets is asked for. */
  allowsSecrets: boolean;
  decision: Decision | undefined;
}

export interface PipelineParts {
  readonly config: Config;
  readonly router: Router;
  readonly handlers: Handlers;
  readonly trust: LiveTrust;
  readonly ratchet: Ratchet;
  readonly clock: Clock;
  readonly newRequestId: () => string;
  isDraining(): boolean;
  /** One line per request, whatever became of it. */
  record(record: RequestRecord, status: number, error: FluxgateError | undefined): void;
}

export type Pipeline = (request: IncomingMessage, response: ServerResponse) => void;

/** The steps of a request, in order. What a later step needs, an earlier one has proven. */
export function createPipeline(parts: PipelineParts): Pipeline {
  return (request, response) => {
    const record = beginRecord(parts, request);
    answerRequest(parts, request, response, record).then(
      (answer) => finish(parts, request, response, record, answer, undefined),
      (problem: unknown) => {
        const error = asFluxgateError(problem);
        finish(parts, request, response, record, errorAnswer(error, record.requestId), error);
      },
    );
  };
}

async function answerRequest(
  parts: PipelineParts,
  request: IncomingMessage,
  response: ServerResponse,
  record: RequestRecord,
): Promise<Answer> {
  const socket = request.socket as TLSSocket;
  const target = readTarget(request.url ?? '');
  checkHost(request.headersDistinct['host'] ?? [], socket.servername || undefined);

  const route = parts.router.match(record.method, target);
  if (route.found) noteRoute(record, route.operation, route.params);
  if (record.clusterDns !== undefined) checkClusterDns(record.clusterDns);
  checkNetwork(parts.config, route, record.source);

  record.verdict = parts.trust.verdictOf(socket);
  const certificatePrincipal = judgeCertificate(record.verdict, parts.config, record.operation);
  const operation = resolveRoute(route, parts.config);
  record.principal = certificatePrincipal ?? authenticateToken(parts, request);

  record.decision = await authorise(parts.trust.policy, parts.config, parts.ratchet, operation, record);
  if (!record.decision.allowed) throw refusal(record.principal, record.decision);

  const body = await takeBody(parts, request, response, operation);
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
    header: (name) => request.headersDistinct[name]?.join(', '),
  });
}

/** Characters of a path that is not one of ours, in the log. */
const LOGGED_PATH_MAX = 256;

function beginRecord(parts: PipelineParts, request: IncomingMessage): RequestRecord {
  return {
    requestId: parts.newRequestId(),
    method: request.method ?? '',
    source: canonicalAddress(request.socket.remoteAddress ?? '') ?? 'unknown',
    startedMs: parts.clock.elapsed(),
    path: (request.url ?? '').split('?', 1)[0]?.slice(0, LOGGED_PATH_MAX) ?? '',
    operation: undefined,
    verdict: undefined,
    principal: ANONYMOUS,
    clusterDns: undefined,
    objectId: undefined,
    allowsSecrets: request.headersDistinct['allow-suspected-secrets']?.join(', ') === 'true',
    decision: undefined,
  };
}

function noteRoute(
  record: RequestRecord,
  operation: Operation,
  params: Readonly<Record<string, string>>,
): void {
  record.operation = operation;
  record.clusterDns = params['cluster_dns'];
  record.objectId = params['id'];
}

/** A name that is not in its one canonical spelling is nobody's, so it is refused before anybody is asked who they are. */
function checkClusterDns(clusterDns: string): void {
  if (isCanonicalDnsName(clusterDns)) return;
  throw new FluxgateError(
    'malformed_request',
    'The cluster_dns in the path is not a canonical DNS name: lower-case letters, digits and hyphens in labels of at ' +
      'most 63 octets, at most 253 in all, no trailing dot.',
  );
}

/** Before any credential is looked at, so that nobody outside can test a token (contract §4). */
function checkNetwork(config: Config, route: Route, source: string): void {
  if (!route.found || route.operation.audience !== 'operator' || config.apiMode === 'read-only') return;
  if (config.operatorNetworks.contains(source)) return;
  throw new FluxgateError('forbidden', 'Operator routes are not served to this network.', {
    logged: `${source} is outside OPERATOR_NETWORKS (${config.operatorNetworks.ranges.join(', ')})`,
  });
}

/** Load balancers and kubelets have no certificate of this PKI (contract: CLIENT_CERT). */
const PROBES: readonly string[] = ['getHealth', 'getReady'];

/** A certificate that was presented decides alone: refused, it never falls through to a token. */
function judgeCertificate(
  verdict: Verdict | undefined,
  config: Config,
  operation: Operation | undefined,
): Principal | undefined {
  if (verdict === undefined) {
    if (config.clientCert === 'optional' || PROBES.includes(operation?.operationId ?? '')) return undefined;
    throw new FluxgateError('unauthenticated', 'Present a client certificate: this gateway requires one.');
  }
  if (verdict.accepted) return verdict.principal;
  throw new FluxgateError(REFUSED_CERTIFICATE.code, REFUSED_CERTIFICATE.message, {
    logged: `${verdict.refusal.rule}: ${verdict.refusal.position}: ${verdict.refusal.detail}`,
  });
}

const WRITES: readonly string[] = ['POST', 'PUT', 'PATCH', 'DELETE'];

function resolveRoute(route: Route, config: Config): Operation {
  if (route.found) {
    if (route.operation.audience !== 'operator' || config.apiMode === 'crud') return route.operation;
    if (WRITES.includes(route.operation.method)) {
      throw new FluxgateError('method_not_allowed', 'This gateway is read-only (API_MODE).', {
        headers: { Allow: '' },
      });
    }
  } else if (route.allow.length > 0) {
    throw new FluxgateError('method_not_allowed', `This path has: ${route.allow.join(', ')}.`, {
      headers: { Allow: route.allow.join(', ') },
    });
  }
  throw new FluxgateError('not_found', 'There is no such route. GET /openapi.yaml lists them.');
}

function authenticateToken(parts: PipelineParts, request: IncomingMessage): Principal {
  const headers = request.headersDistinct['authorization'] ?? [];
  const [header] = headers;
  if (header === undefined) return ANONYMOUS;
  const presented =
    headers.length > 1 ? { problem: 'more than one Authorization header' } : readAuthorization(header);
  const principal = 'token' in presented ? parts.trust.tokens.match(presented.token) : undefined;
  if (principal !== undefined) return principal;
  throw new FluxgateError('unauthenticated', 'The token is not accepted.', {
    headers: CHALLENGE,
    logged: 'problem' in presented ? presented.problem : 'unknown token',
  });
}

const CHALLENGE = Object.freeze({ 'WWW-Authenticate': 'Bearer realm="fluxgate"' });

function refusal(principal: Principal, decision: Decision): FluxgateError {
  if (principal.kind === 'anonymous') {
    return new FluxgateError('unauthenticated', 'Present a client certificate or a token.', {
      headers: CHALLENGE,
      logged: decision.reason,
    });
  }
  return new FluxgateError('forbidden', 'This credential is known, but it may not do this.', {
    logged: decision.reason,
  });
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
    (announcesBody(request) && !request.complete);
  try {
    respond(response, answer, { requestId: record.requestId, close });
  } finally {
    parts.record(record, answer.status, error);
  }
}
