import { createHash, timingSafeEqual } from 'node:crypto';
import { StartupError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import type { SharedTokenPrincipal } from './principal.ts';

/**
 * Shared tokens from the environment. Kept as SHA-256 hashes only: nothing that could be printed by mistake, and
 * hashes of equal length compare in constant time.
 */
export interface TokenSet {
  /** Each token's kind and id, for the log. */
  readonly ids: readonly string[];
  /** Every known hash is compared, matching or not, so that time tells nothing about which or how many. */
  match(presented: string): SharedTokenPrincipal | undefined;
  /** The same for whoever kept the token's SHA-256 (lower-case hex) only. */
  matchSha256(sha256: string): SharedTokenPrincipal | undefined;
}

interface KnownToken {
  readonly hash: Buffer;
  readonly principal: SharedTokenPrincipal;
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text, 'utf8').digest();

/** RFC 6750 §2.1 b64token is the outer bound; anything visible without spaces, quotes and commas is accepted. */
const TOKEN_SHAPE = /^[\x21\x23-\x2b\x2d-\x7e]+$/;

/** A token in both lists is a write token. `read` and `write` are the tokens themselves. */
export function createTokenSet(read: readonly string[], write: readonly string[]): TokenSet {
  const known = new Map<string, KnownToken>();
  const readHashes = new Set(read.map((token) => sha256(token).toString('hex')));
  for (const [tokens, kind] of [
    [read, 'reader'],
    [write, 'writer'],
  ] as const) {
    for (const token of tokens) {
      const hash = sha256(token);
      const hex = hash.toString('hex');
      const alsoReads = kind === 'writer' && readHashes.has(hex) ? { alsoReads: true as const } : {};
      known.set(hex, { hash, principal: Object.freeze({ kind, tokenId: hex.slice(0, 12), ...alsoReads }) });
    }
  }
  const entries = Object.freeze([...known.values()]);
  const matchHash = (hash: Buffer): SharedTokenPrincipal | undefined => {
    let found: SharedTokenPrincipal | undefined;
    for (const entry of entries) {
      if (timingSafeEqual(entry.hash, hash)) found = entry.principal;
    }
    return found;
  };
  return Object.freeze({
    ids: Object.freeze(entries.map(({ principal }) => `${principal.kind} ${principal.tokenId}`)),
    match: (presented: string) => matchHash(sha256(presented)),
    matchSha256: (hex: string) => matchHash(Buffer.from(hex, 'hex')),
  });
}

/** One token a line; empty lines are skipped. Throws StartupError naming the source, never the token. */
export function parseTokens(text: string, source: string): readonly string[] {
  const tokens = text
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== '');
  if (tokens.length === 0) throw new StartupError(`${source} holds no token`);
  tokens.forEach((token, index) => {
    if (!TOKEN_SHAPE.test(token) || token.length > LIMITS.tokenBytesMax) {
      throw new StartupError(
        `${source}, line ${index + 1}: a token is visible ASCII without spaces, quotes or commas`,
      );
    }
  });
  return tokens;
}

/** Whether somebody could guess it who tries for years: the limit on failures leaves an address about one guess a second. */
export const isGuessable = (token: string): boolean => token.length < LIMITS.tokenCharactersAdvised;

/** What an Authorization header holds: a token, or a reason (for the log) why it holds none. */
export type PresentedToken = { readonly token: string } | { readonly problem: string };

/** `Bearer TOKEN` (RFC 6750) or `Basic base64(NAME:TOKEN)` (RFC 7617); Flux Operator can send both kinds. */
export function readAuthorization(header: string): PresentedToken {
  if (header.length > LIMITS.tokenBytesMax * 2) return { problem: 'Authorization header too long' };
  const [scheme = '', credentials = '', ...rest] = header.trim().split(/ +/);
  if (rest.length > 0 || credentials === '')
    return { problem: 'Authorization header is not "SCHEME CREDENTIALS"' };
  switch (scheme.toLowerCase()) {
    case 'bearer':
      return TOKEN_SHAPE.test(credentials) ? { token: credentials } : { problem: 'malformed bearer token' };
    case 'basic':
      return readBasic(credentials);
    default:
      return { problem: 'Authorization scheme is neither Bearer nor Basic' };
  }
}

function readBasic(credentials: string): PresentedToken {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(credentials)) return { problem: 'Basic credentials are not base64' };
  const pair = Buffer.from(credentials, 'base64').toString('utf8');
  const colon = pair.indexOf(':');
  const token = pair.slice(colon + 1);
  if (colon < 0 || !TOKEN_SHAPE.test(token)) return { problem: 'Basic credentials are not NAME:TOKEN' };
  return { token };
}
