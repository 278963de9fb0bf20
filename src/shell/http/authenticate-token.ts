import type { IncomingMessage } from 'node:http';
import { FluxgateError } from '../../core/errors.ts';
import { ANONYMOUS, type Principal } from '../../core/identity/principal.ts';
import { type PresentedToken, readAuthorization } from '../../core/identity/token.ts';
import { looksLikeJwt } from '../../core/identity/workload.ts';
import type { Operation } from '../../core/policy/operations.ts';
import type { Clock } from '../clock.ts';
import type { Throttle } from '../edge/throttle.ts';
import type { LiveTrust } from '../live-trust.ts';
import type { Oidc } from '../oidc.ts';
import type { Tokens } from '../tokens.ts';
import { CHALLENGE } from './admission.ts';

export interface TokenAuthentication {
  readonly trust: Pick<LiveTrust, 'snapshot' | 'tokens'>;
  readonly tokens: Pick<Tokens, 'used'>;
  readonly clock: Clock;
  readonly throttle: Pick<Throttle, 'tokenSeen'>;
  /** undefined: OIDC_ISSUER is not set. */
  readonly oidc: Oidc | undefined;
}

/**
 * Whoever comes with a token, judged at this moment. Throws `unauthenticated`, the same for every token that is not accepted:
 * why it is not is for the log. Public routes look at no token, so that a stale one does not fail a probe.
 */
export async function authenticateToken(
  parts: TokenAuthentication,
  request: IncomingMessage,
  operation: Operation,
  record: { readonly source: string; holdMs: number; tokenRefused: boolean },
): Promise<Principal> {
  const found = await findInHeaders(parts, request, operation);
  if (found === undefined) return ANONYMOUS;
  record.tokenRefused = 'problem' in found;
  record.holdMs = parts.throttle.tokenSeen(record.source, 'problem' in found ? undefined : found.principal);
  if ('problem' in found) throw refused(found.problem);
  if (found.tokenId !== undefined) parts.tokens.used(found.tokenId, record.source);
  return found.principal;
}

/** The same for a request that was let in before: nothing is counted. */
export async function authenticateAgain(
  parts: Pick<TokenAuthentication, 'trust' | 'clock' | 'oidc'>,
  request: IncomingMessage,
  operation: Operation,
): Promise<Principal> {
  const found = await findInHeaders(parts, request, operation);
  if (found === undefined) return ANONYMOUS;
  if ('problem' in found) throw refused(found.problem);
  return found.principal;
}

/** Undefined: no token is asked for, or none was sent. */
async function findInHeaders(
  parts: Pick<TokenAuthentication, 'trust' | 'clock' | 'oidc'>,
  request: IncomingMessage,
  operation: Operation,
): Promise<Found | undefined> {
  if (operation.audience === 'public') return undefined;
  const headers = request.headersDistinct['authorization'] ?? [];
  const [header] = headers;
  if (header === undefined) return undefined;
  const presented: PresentedToken =
    headers.length > 1 ? { problem: 'more than one Authorization header' } : readAuthorization(header);
  return 'problem' in presented ? presented : await findPrincipal(parts, presented.token);
}

type Found = { readonly principal: Principal; readonly tokenId?: string } | { readonly problem: string };

async function findPrincipal(
  parts: Pick<TokenAuthentication, 'trust' | 'clock' | 'oidc'>,
  token: string,
): Promise<Found> {
  const shared = parts.trust.tokens.match(token);
  if (shared !== undefined) return { principal: shared };
  if (parts.oidc !== undefined && looksLikeJwt(token)) {
    const verified = await parts.oidc.verify(token);
    return 'problem' in verified ? verified : { principal: verified };
  }
  const match = parts.trust.snapshot.tokenRecords.match(token, parts.clock.now());
  return match.found ? match : { problem: match.problem };
}

function refused(logged: string): FluxgateError {
  return new FluxgateError('unauthenticated', 'The token is not accepted.', { headers: CHALLENGE, logged });
}
