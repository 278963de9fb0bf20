import {
  createLocalJWKSet,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JSONWebKeySet,
  jwtVerify,
} from 'jose';
import type { OidcConfig } from '../core/config-oidc.ts';
import { FluxgateError } from '../core/errors.ts';
import type { KeySet } from '../core/identity/jwks.ts';
import type { WorkloadPrincipal } from '../core/identity/principal.ts';
import { headerProblem, JWT_ALGORITHMS, readWorkload } from '../core/identity/workload.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import { remoteKeys } from './oidc-keys.ts';

/** Why a token is not accepted, for the log; never the token. */
export interface OidcRefusal {
  readonly problem: string;
}

/** Tokens that pipelines bring from OIDC_ISSUER. */
export interface Oidc {
  /**
   * At this moment. Throws FluxgateError `unavailable` where the issuer's keys are needed and cannot be had: neither yes nor no
   * would be the truth.
   */
  verify(token: string): Promise<WorkloadPrincipal | OidcRefusal>;
}

export interface OidcParts {
  readonly clock: Clock;
  /** Of OIDC_JWKS_FILE, as it is now. */
  localKeys(): KeySet | undefined;
}

export function createOidc({ issuer, audience, keys }: OidcConfig, { clock, localKeys }: OidcParts): Oidc {
  const remote = keys.from === 'file' ? undefined : remoteKeys(keys, issuer, clock);
  return {
    async verify(token) {
      const premature = problemBeforeKeys(token, issuer);
      if (premature !== undefined) return { problem: premature };
      try {
        const getKey = remote ?? createLocalJWKSet((localKeys() ?? { keys: [] }) as JSONWebKeySet);
        const { payload } = await jwtVerify(token, getKey, {
          issuer,
          audience,
          algorithms: [...JWT_ALGORITHMS],
          clockTolerance: LIMITS.jwtSkewSeconds,
          maxTokenAge: LIMITS.jwtAgeMaxSeconds,
          requiredClaims: ['sub', 'iat', 'exp'],
          currentDate: new Date(clock.now()),
        });
        const reading = readWorkload(payload, issuer, audience);
        return 'principal' in reading ? reading.principal : { problem: `JWT: ${reading.problem}` };
      } catch (error) {
        if (error instanceof FluxgateError) throw error;
        // The library's messages name claims and rules; they do not quote the token.
        if (error instanceof errors.JOSEError) return { problem: `JWT: ${error.code}: ${error.message}` };
        return { problem: 'JWT: its signature cannot be checked' };
      }
    },
  };
}

/** Looked at unverified, so that a stranger's token makes nobody fetch anything. */
function problemBeforeKeys(token: string, issuer: string): string | undefined {
  try {
    const problem = headerProblem(decodeProtectedHeader(token));
    if (problem !== undefined) return `JWT: ${problem}`;
    return decodeJwt(token).iss === issuer ? undefined : 'JWT: it is of another issuer';
  } catch {
    return 'JWT: malformed';
  }
}
