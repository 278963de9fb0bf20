import type { IncomingMessage } from 'node:http';
import { FluxgateError } from '../../core/errors.ts';
import type { PageSession } from '../../core/identity/page-session.ts';
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
import type { FoundSession, Sessions } from './ui/sessions.ts';

export interface TokenAuthentication {
  readonly trust: Pick<LiveTrust, 'snapshot' | 'tokens'>;
  readonly tokens: Pick<Tokens, 'used'>;
  readonly clock: Clock;
  readonly throttle: Pick<Throttle, 'tokenSeen'>;
  /** undefined: OIDC_ISSUER is not set. */
  readonly oidc: Oidc | undefined;
  readonly page: { readonly sessions: Pick<Sessions, 'find'> };
}

/** What is found out about a request's token. */
interface AuthenticationRecord {
  readonly source: string;
  holdMs: number;
  tokenRefused: boolean;
}

/** What is asked for before anybody has signed in, so that a cookie that is worth nothing any more does not stand in the way. */
const BEFORE_SIGN_IN: readonly string[] = ['signInOnPage', 'getAsset'];

/**
 * Whoever comes with a token, judged at this moment. Throws `unauthenticated`, the same for every token that is not accepted:
 * why it is not is for the log. Public routes look at no token, so that a stale one does not fail a probe.
 */
export async function authenticateToken(
  parts: TokenAuthentication,
  request: IncomingMessage,
  operation: Operation,
  record: AuthenticationRecord & { session: PageSession | undefined },
): Promise<Principal> {
  const found = await findInHeaders(parts, request, operation);
  if (found === undefined) return ANONYMOUS;
  if ('ofSession' in found) {
    // Nobody guesses a sealed cookie, so one that has ended is no failed token.
    const { ofSession } = found;
    record.tokenRefused = 'problem' in ofSession;
    if ('problem' in ofSession) throw refused(ofSession.problem);
    record.session = ofSession.session;
    if (ofSession.tokenId !== undefined) parts.tokens.used(ofSession.tokenId, record.source);
    return ofSession.principal;
  }
  return accept(parts, found, record);
}

/**
 * A token that somebody signs in with: like one of a header, but it is kept for a while, so a pipeline's is not taken. Throws
 * `unauthenticated`.
 */
export function acceptToken(
  parts: Omit<TokenAuthentication, 'oidc' | 'page'>,
  token: string,
  record: AuthenticationRecord,
): Principal {
  return accept(parts, findKept(parts, token), record);
}

/** Counted, and refused where it is not accepted. */
function accept(
  parts: Pick<TokenAuthentication, 'throttle' | 'tokens'>,
  found: Found,
  record: AuthenticationRecord,
): Principal {
  record.tokenRefused = 'problem' in found;
  record.holdMs = parts.throttle.tokenSeen(record.source, 'problem' in found ? undefined : found.principal);
  if ('problem' in found) throw refused(found.problem);
  if (found.tokenId !== undefined) parts.tokens.used(found.tokenId, record.source);
  return found.principal;
}

/** The same for a request that was let in before: nothing is counted. */
export async function authenticateAgain(
  parts: Pick<TokenAuthentication, 'trust' | 'clock' | 'oidc' | 'page'>,
  request: IncomingMessage,
  operation: Operation,
): Promise<Principal> {
  const found = await findInHeaders(parts, request, operation);
  if (found === undefined) return ANONYMOUS;
  const known = 'ofSession' in found ? found.ofSession : found;
  if ('problem' in known) throw refused(known.problem);
  return known.principal;
}

/** Undefined: no token is asked for, or none was sent. */
async function findInHeaders(
  parts: Pick<TokenAuthentication, 'trust' | 'clock' | 'oidc' | 'page'>,
  request: IncomingMessage,
  operation: Operation,
): Promise<Found | { readonly ofSession: FoundSession } | undefined> {
  if (operation.audience === 'public' || BEFORE_SIGN_IN.includes(operation.operationId)) return undefined;
  const headers = request.headersDistinct['authorization'] ?? [];
  const [header] = headers;
  if (header === undefined) {
    // The page's own routes alone: no form and no script of another site reaches a JSON route with it.
    if (operation.about !== 'page') return undefined;
    const ofSession = await parts.page.sessions.find(request.headersDistinct['cookie'] ?? []);
    return ofSession === undefined ? undefined : { ofSession };
  }
  const presented: PresentedToken =
    headers.length > 1 ? { problem: 'more than one Authorization header' } : readAuthorization(header);
  return 'problem' in presented ? presented : await findPrincipal(parts, presented.token);
}

type Found = { readonly principal: Principal; readonly tokenId?: string } | { readonly problem: string };

async function findPrincipal(
  parts: Pick<TokenAuthentication, 'trust' | 'clock' | 'oidc'>,
  token: string,
): Promise<Found> {
  if (parts.oidc !== undefined && looksLikeJwt(token) && parts.trust.tokens.match(token) === undefined) {
    const verified = await parts.oidc.verify(token);
    return 'problem' in verified ? verified : { principal: verified };
  }
  return findKept(parts, token);
}

/** Among the shared tokens and the token records. */
function findKept(parts: Pick<TokenAuthentication, 'trust' | 'clock'>, token: string): Found {
  const shared = parts.trust.tokens.match(token);
  if (shared !== undefined) return { principal: shared };
  const match = parts.trust.snapshot.tokenRecords.match(token, parts.clock.now());
  return match.found ? match : { problem: match.problem };
}

function refused(logged: string): FluxgateError {
  return new FluxgateError('unauthenticated', 'The token is not accepted.', { headers: CHALLENGE, logged });
}
