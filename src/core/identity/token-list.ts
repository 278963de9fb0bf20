import { createHash, timingSafeEqual } from 'node:crypto';
import type { Grants } from '../policy/roles.ts';
import type { TokenRecordPrincipal } from './principal.ts';
import { readTokenText, type TokenKind } from './token-text.ts';

/** The token records of the store, frozen into a list: one look-up by hash, whatever its length. */

/** What a token is for. */
export interface TokenGrant {
  readonly kind: TokenKind;
  /** Canonical; of kind cluster only. */
  readonly clusterDns: string | undefined;
  /** Of kind operator only. */
  readonly grants: Grants | undefined;
}

export interface TokenEntry extends TokenGrant {
  readonly id: string;
  readonly name: string;
  /** SHA-256 of the token, lower-case hex. The token itself is nowhere. */
  readonly sha256: string;
  /** Milliseconds since the epoch; from then on it is nobody's. */
  readonly expiresMs: number;
  readonly revoked: boolean;
}

/** `problem` is for the log: outside, all of them are the same 401. */
export type TokenMatch =
  | { readonly found: true; readonly tokenId: string; readonly principal: TokenRecordPrincipal }
  | { readonly found: false; readonly problem: string };

export interface TokenList {
  /** Of the store's state that this is: a list never gives way to one of a lower version. */
  readonly version: number;
  /** Judged at this moment (milliseconds since the epoch): what has expired since the list was made is refused. */
  match(presented: string, nowMs: number): TokenMatch;
  /** The same for whoever kept the token's SHA-256 (lower-case hex) only. */
  matchSha256(sha256: string, nowMs: number): TokenMatch;
}

export function hashOfToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex');
}

/** `entries`: all that have not expired, revoked ones included, so that the log can tell them from unknown ones. */
export function createTokenList(entries: readonly TokenEntry[], version: number): TokenList {
  const byHash = new Map(
    entries.map((entry) => [
      entry.sha256,
      { entry, hash: Buffer.from(entry.sha256, 'hex'), principal: principalOf(entry) },
    ]),
  );
  return Object.freeze<TokenList>({
    version,
    match(presented, nowMs) {
      const form = readTokenText(presented);
      if (form === 'foreign') return { found: false, problem: 'unknown token' };
      if (form === 'mistyped') {
        return { found: false, problem: 'mistyped or cut token: its checksum does not fit' };
      }
      return this.matchSha256(hashOfToken(presented), nowMs);
    },
    matchSha256(sha256, nowMs) {
      const known = byHash.get(sha256);
      // The look-up compares hashes of a secret that nobody can steer; the last word is said in constant time all the same.
      if (known === undefined || !timingSafeEqual(known.hash, Buffer.from(sha256, 'hex'))) {
        return { found: false, problem: 'unknown token, of the form that this gateway makes' };
      }
      const { entry, principal } = known;
      if (entry.revoked) return { found: false, problem: `token ${entry.id} (${entry.name}) is revoked` };
      if (nowMs >= entry.expiresMs) {
        return { found: false, problem: `token ${entry.id} (${entry.name}) has expired` };
      }
      return { found: true, tokenId: entry.id, principal };
    },
  });
}

function principalOf(entry: TokenEntry): TokenRecordPrincipal {
  const { id: tokenId, name, kind, clusterDns, grants, expiresMs } = entry;
  if (kind === 'reader') return Object.freeze({ kind, tokenId });
  if (kind === 'cluster' && clusterDns !== undefined) {
    return Object.freeze({ kind: 'cluster_token', dns: clusterDns, tokenId });
  }
  if (kind === 'operator' && grants !== undefined) {
    return Object.freeze({ kind: 'operator_token', name, tokenId, grants, expiresMs });
  }
  throw new Error(`token ${entry.id} of kind ${kind} does not say for whom it is`);
}

export const NO_TOKENS: TokenList = createTokenList([], -1);
