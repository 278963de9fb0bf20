import { type ErrorDetail, FluxgateError } from '../../../core/errors.ts';
import type { Environment } from '../../../core/fleet/objects.ts';
import { isCanonicalDnsName } from '../../../core/identity/names.ts';
import type { Principal } from '../../../core/identity/principal.ts';
import type { TokenKind } from '../../../core/identity/token-text.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { FLEET_WIDE_ROLES, isScoped, type Role } from '../../../core/policy/roles.ts';
import { parseDateTime } from '../../../core/rfc3339.ts';
import type { KnownToken, TokenOrder } from '../../tokens.ts';
import { numberOf, pageHeaders } from '../parameters.ts';
import type { Handler, HandlerParts } from './handlers.ts';

/** Tokens that operators make and take back. */
export function tokensHandler(operation: Operation, { tokens, clock }: HandlerParts): Handler | undefined {
  switch (operation.operationId) {
    case 'createToken':
      return async ({ principal, audited, body, authorise, identifyAgain }) => {
        const order = readOrder(body as TokenBody, clock.now());
        const { kind: tokenKind, clusterDns, grants } = order;
        authorise({ kind: 'token', tokenKind, clusterDns, grants });
        refuseOutliving(principal, order);
        const { token, record } = await tokens.make(order, audited, identifyAgain);
        return {
          status: 201,
          body: { token, ...shown(record) },
          headers: { Location: `${operation.path}/${record.id}` },
        };
      };
    case 'listTokens':
      return async ({ parameters: { query } }) => {
        const limit = numberOf(query['limit'], LIMITS.pageItemsMax);
        const offset = numberOf(query['offset'], 0);
        const { items, total } = await tokens.list({ limit, offset });
        const headers = pageHeaders(operation.path, {}, { limit, offset, items: items.length, total });
        return { status: 200, body: items.map(shown), headers };
      };
    case 'getToken':
      return async ({ parameters }) => {
        const record = await tokens.get(parameters.path['id'] ?? '');
        if (record === undefined) throw new FluxgateError('not_found', 'There is no token of this id.');
        return { status: 200, body: shown(record) };
      };
    case 'revokeToken':
      return async ({ audited, parameters, identifyAgain }) => {
        const revoked = await tokens.revoke(parameters.path['id'] ?? '', audited, identifyAgain);
        return { status: 200, body: shown(revoked) };
      };
    default:
      return undefined;
  }
}

/** Of the document's schema TokenOrder. */
interface TokenBody {
  readonly name: string;
  readonly kind: TokenKind;
  readonly cluster_dns?: string;
  readonly roles?: readonly Role[];
  readonly environments?: readonly Environment[];
  readonly labels?: readonly string[];
  readonly expires_at?: string;
  readonly ttl?: number;
}

/** Which fields belong to which kind; the first of each is required. */
const FIELDS = Object.freeze({
  cluster: ['cluster_dns'],
  reader: [],
  operator: ['roles', 'environments', 'labels'],
} as const satisfies Record<TokenKind, readonly (keyof TokenBody)[]>);

function readOrder(body: TokenBody, nowMs: number): TokenOrder {
  const problems: ErrorDetail[] = [...fieldProblems(body)];
  const { expiresMs, problem } = readEnd(body, nowMs);
  if (problem !== undefined) problems.push(problem);
  const { name, kind, cluster_dns: clusterDns, roles = [], environments = [], labels = [] } = body;
  // In one order, so that two orders for the same are equal.
  const grants =
    kind === 'operator'
      ? { roles: roles.toSorted(), environments: environments.toSorted(), labels: labels.toSorted() }
      : undefined;
  if (grants !== undefined && isScoped(grants) && roles.some((role) => FLEET_WIDE_ROLES.includes(role))) {
    const without = `must be without ${FLEET_WIDE_ROLES.join(' and ')} beside environments or labels: they are about the whole fleet`;
    problems.push({ field: '/roles', problem: without });
  }
  if (clusterDns !== undefined && !isCanonicalDnsName(clusterDns)) {
    problems.push({ field: '/cluster_dns', problem: 'must be a canonical DNS name, as the cluster has it' });
  }
  if (problems.length > 0 || expiresMs === undefined) {
    throw new FluxgateError('validation_error', 'The token is not valid; see details.', {
      details: problems,
    });
  }
  return { name, kind, clusterDns, grants, expiresMs };
}

function fieldProblems(body: TokenBody): readonly ErrorDetail[] {
  const mine: readonly string[] = FIELDS[body.kind];
  const [required] = mine;
  const missing =
    required === undefined || required in body
      ? []
      : [{ field: `/${required}`, problem: `is required for a token of kind ${body.kind}` }];
  const foreign = Object.values(FIELDS)
    .flat()
    .filter((field) => field in body && !mine.includes(field))
    .map((field) => ({ field: `/${field}`, problem: `is not for a token of kind ${body.kind}` }));
  return [...missing, ...foreign];
}

interface End {
  readonly expiresMs?: number;
  readonly problem?: ErrorDetail;
}

function readEnd({ expires_at: at, ttl }: TokenBody, nowMs: number): End {
  if ((at === undefined) === (ttl === undefined)) {
    return { problem: { field: '/', problem: 'must have exactly one of expires_at and ttl' } };
  }
  const expiresMs = ttl === undefined ? parseDateTime(at ?? '') : nowMs + ttl * 1_000;
  const field = ttl === undefined ? '/expires_at' : '/ttl';
  if (expiresMs === undefined) {
    return { problem: { field, problem: 'must be a moment that exists, as in 2030-01-31T12:00:00Z' } };
  }
  const lifetimeMs = expiresMs - nowMs;
  if (lifetimeMs < LIMITS.tokenLifetimeMsMin || lifetimeMs > LIMITS.tokenLifetimeMsMax) {
    return { problem: { field, problem: 'must be at least a minute and at most 365 days away' } };
  }
  return { expiresMs };
}

/** Or whoever has stolen a token for a day would have one for a year. */
function refuseOutliving(principal: Principal, { expiresMs }: TokenOrder): void {
  if (principal.kind !== 'operator_token' || expiresMs <= principal.expiresMs) return;
  throw new FluxgateError(
    'forbidden',
    `A token makes none that outlives it: expires_at at most ${new Date(principal.expiresMs).toISOString()}.`,
    { logged: `the token asked for would outlive token ${principal.tokenId}` },
  );
}

const dateTime = (ms: number): string => new Date(ms).toISOString();

/** As in the document's schema TokenRecord: what is not so is left out, the hash as well. */
function shown(record: KnownToken): Record<string, unknown> {
  const { id, name, kind, state, clusterDns, grants, lastUse, revoked } = record;
  const { roles = [], environments = [], labels = [] } = grants ?? {};
  return {
    id,
    name,
    kind,
    state,
    ...(clusterDns === undefined ? {} : { cluster_dns: clusterDns }),
    ...(roles.length === 0 ? {} : { roles }),
    ...(environments.length === 0 ? {} : { environments }),
    ...(labels.length === 0 ? {} : { labels }),
    created_at: dateTime(record.createdMs),
    created_by: record.createdBy,
    expires_at: dateTime(record.expiresMs),
    ...(lastUse === undefined
      ? {}
      : { last_used_at: dateTime(lastUse.lastMs), last_used_from: lastUse.source }),
    ...(revoked === undefined ? {} : { revoked_at: dateTime(revoked.atMs), revoked_by: revoked.by }),
  };
}
