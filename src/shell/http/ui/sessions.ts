import { randomBytes } from 'node:crypto';
import {
  NONCE_OCTETS,
  type PageSession,
  SESSION_ID_OCTETS,
  sealSession,
  unsealSession,
} from '../../../core/identity/page-session.ts';
import type { Principal } from '../../../core/identity/principal.ts';
import { PAGE_LIMITS } from '../../../core/page-limits.ts';
import type { Clock } from '../../clock.ts';
import type { LiveTrust } from '../../live-trust.ts';
import type { EndedSessionStore } from '../../store/store.ts';

/** `__Host-`: only this host can have set it, over TLS, for all of its paths; no other program beside it can plant one (RFC 6265bis). */
export const SESSION_COOKIE = '__Host-fluxgate';
/** What binds the form to sign in with to the browser that it was shown in. */
export const FORM_COOKIE = '__Host-fluxgate-form';
const ATTRIBUTES = 'Path=/; Secure; HttpOnly; SameSite=Strict';

export type FoundSession =
  | { readonly session: PageSession; readonly principal: Principal; readonly tokenId: string | undefined }
  /** For the log. */
  | { readonly problem: string };

export interface Sessions {
  /** The session of somebody whose token was accepted just now, and the cookie that hands it out. */
  begin(tokenSha256: string): { readonly session: PageSession; readonly cookie: string };
  /** Judged at this moment: as the session stands, and as its token does. undefined: no cookie of ours. */
  find(cookies: readonly string[]): Promise<FoundSession | undefined>;
  /** No copy of its cookie is worth anything any more. Throws `unavailable` where that cannot be kept. */
  end(session: PageSession): Promise<void>;
}

/** Takes the cookie back. */
export const FORGET_SESSION = `${SESSION_COOKIE}=; Max-Age=0; ${ATTRIBUTES}`;

export const formCookie = (nonce: string): string => `${FORM_COOKIE}=${nonce}; ${ATTRIBUTES}`;

export function createSessions(parts: {
  readonly trust: Pick<LiveTrust, 'snapshot'>;
  readonly clock: Clock;
  readonly ended: EndedSessionStore;
}): Sessions {
  const { trust, clock, ended } = parts;
  return {
    begin(tokenSha256) {
      const startedMs = clock.now();
      const session: PageSession = {
        id: randomBytes(SESSION_ID_OCTETS).toString('hex'),
        tokenSha256,
        startedMs,
        endsMs: startedMs + PAGE_LIMITS.sessionMs,
      };
      const sealed = sealSession(trust.snapshot.pageKeys, session, randomBytes(NONCE_OCTETS));
      const maxAge = PAGE_LIMITS.sessionMs / 1_000;
      return { session, cookie: `${SESSION_COOKIE}=${sealed}; Max-Age=${maxAge}; ${ATTRIBUTES}` };
    },
    async find(cookies) {
      const sealed = readCookie(cookies, SESSION_COOKIE);
      if (sealed === undefined) return undefined;
      const { pageKeys } = trust.snapshot;
      const session = unsealSession(pageKeys, sealed);
      if (session === undefined) return { problem: 'the page’s cookie is not of this gateway’s making' };
      if (clock.now() >= session.endsMs) return { problem: 'the page’s session has ended' };
      if (await ended.has(session)) return { problem: 'the page’s session was signed out' };
      // After the store was asked: whatever was revoked meanwhile counts.
      const { tokens, tokenRecords } = trust.snapshot;
      const shared = tokens.matchSha256(session.tokenSha256);
      if (shared !== undefined) return { session, principal: shared, tokenId: undefined };
      const match = tokenRecords.matchSha256(session.tokenSha256, clock.now());
      return match.found ? { session, ...match } : { problem: `the page’s session: ${match.problem}` };
    },
    end: (session) => ended.add(session, clock.now()),
  };
}

/** The one cookie of this name; of two, one was planted, so there is none. */
export function readCookie(cookies: readonly string[], name: string): string | undefined {
  const text = cookies.join('; ');
  if (text.length > PAGE_LIMITS.cookieBytesMax) return undefined;
  const values = text
    .split(';')
    .map((pair) => pair.trim())
    .filter((pair) => pair.startsWith(`${name}=`))
    .map((pair) => pair.slice(name.length + 1));
  return values.length === 1 ? values[0] : undefined;
}
