import { LIMITS } from '../limits.ts';
import type { WorkloadPrincipal } from './principal.ts';

/** What a verified OpenID Connect token says → a principal, bounded; and what a token must look like before anybody verifies it. */

/** Asymmetric ones only: with HS* whoever knows the public key could sign, and `none` signs nothing (RFC 8725 §3.1). */
export const JWT_ALGORITHMS: readonly string[] = Object.freeze([
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'EdDSA',
  'Ed25519',
]);

/** A header may not bring its own key or say where to fetch one (RFC 8725 §3.10); `crit` asks for what we do not know. */
const HEADERS_REFUSED: readonly string[] = Object.freeze(['jku', 'jwk', 'x5u', 'x5c', 'crit', 'b64', 'zip']);

export function looksLikeJwt(token: string): boolean {
  return /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(token);
}

/** For the log: what is wrong with a header, before a key is looked for by it; undefined: nothing. */
export function headerProblem(header: Readonly<Record<string, unknown>>): string | undefined {
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !JWT_ALGORITHMS.includes(alg)) return 'its algorithm is not one of ours';
  const refused = HEADERS_REFUSED.find((name) => name in header);
  if (refused !== undefined) return `its header has ${refused}`;
  if (typeof kid !== 'string' || !/^[\x21-\x7e]{1,256}$/.test(kid)) return 'its header names no key (kid)';
  // Other kinds of JWT of the same issuer are meant for something else (RFC 8725 §3.11).
  if (typ !== undefined && (typeof typ !== 'string' || typ.toUpperCase() !== 'JWT'))
    return 'its typ is not JWT';
  return undefined;
}

export type WorkloadReading =
  | { readonly principal: WorkloadPrincipal }
  /** For the log. */
  | { readonly problem: string };

/** Control, format (bidirectional!) and line separator characters: what reads like something else. */
const DECEPTIVE = /[\p{C}\p{Zl}\p{Zp}]/u;
const CLAIM_NAME = /^[A-Za-z0-9_.:/-]{1,128}$/;
/** Of the token itself, and nothing of the workload. */
const OF_THE_TOKEN: readonly string[] = Object.freeze(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti']);

/**
 * `payload`: of a token whose signature, issuer, audience and times are right. Claims that are no text, number, truth or list of
 * texts, or are out of bounds, are not there for policies.
 */
export function readWorkload(
  payload: Readonly<Record<string, unknown>>,
  issuer: string,
  audience: string,
): WorkloadReading {
  const { sub, aud } = payload;
  // A token for two parties is a token that the other one can pass on.
  if (aud !== audience && !(Array.isArray(aud) && aud.length === 1 && aud[0] === audience)) {
    return { problem: 'it is for other audiences as well' };
  }
  if (
    typeof sub !== 'string' ||
    sub === '' ||
    sub.length > LIMITS.workloadSubjectCharactersMax ||
    DECEPTIVE.test(sub)
  ) {
    return { problem: 'its subject is empty, too long, or has control characters' };
  }
  const claims = Object.entries(payload).flatMap(([name, value]) => claimsOf(name, value));
  if (claims.length > LIMITS.workloadClaimsMax) return { problem: 'it has too many claims' };
  const principal = Object.freeze({ kind: 'workload', issuer, subject: sub, claims: Object.freeze(claims) });
  return { principal } as const;
}

function claimsOf(name: string, value: unknown): readonly string[] {
  if (OF_THE_TOKEN.includes(name) || !CLAIM_NAME.test(name)) return [];
  return [value].flat().flatMap((one: unknown) => {
    if (typeof one !== 'string' && typeof one !== 'number' && typeof one !== 'boolean') return [];
    const text = String(one);
    return text.length > LIMITS.workloadClaimCharactersMax || DECEPTIVE.test(text) ? [] : [`${name}=${text}`];
  });
}
