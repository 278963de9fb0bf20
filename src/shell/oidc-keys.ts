import { createRemoteJWKSet, customFetch, errors, type JWTVerifyGetKey } from 'jose';
import { isFetchable } from '../core/config-oidc.ts';
import { FluxgateError, StartupError } from '../core/errors.ts';
import { readKeySet } from '../core/identity/jwks.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';

/** Where the issuer's keys are: at a URL of their own, or where the issuer's discovery document says. */
export type RemoteKeys = { readonly url: string } | { readonly discoverAt: string };

/**
 * Keys from the issuer, fetched when a token first needs them and kept for a while. Whatever goes wrong on the way there is
 * `unavailable`, never an accepted token: no redirect is followed, nothing is read beyond its bound, and after a failure the
 * issuer is left alone for some seconds, whoever asks.
 */
export function remoteKeys(where: RemoteKeys, issuer: string, clock: Clock): JWTVerifyGetKey {
  const fetchOnce = createFetch(clock);
  let discovered: Promise<string> | undefined;
  let set: ReturnType<typeof createRemoteJWKSet> | undefined;
  const locate = async (): Promise<string> => {
    if ('url' in where) return where.url;
    discovered ??= discover(where.discoverAt, issuer, fetchOnce).catch((error: unknown) => {
      discovered = undefined;
      throw error;
    });
    return await discovered;
  };
  return async (header, token) => {
    try {
      set ??= createRemoteJWKSet(new URL(await locate()), {
        timeoutDuration: LIMITS.jwksTimeoutMs,
        cooldownDuration: LIMITS.jwksCooldownMs,
        cacheMaxAge: LIMITS.jwksAgeMaxMs,
        [customFetch]: async (url, { signal }) => {
          const text = await fetchOnce(url, signal, (keys) => {
            readKeySet(keys, url);
            return keys;
          });
          return new Response(text, { headers: { 'content-type': 'application/json' } });
        },
      });
      return await set(header, token);
    } catch (error) {
      if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys) {
        throw error;
      }
      throw unreachable(error);
    }
  };
}

/** What was fetched, as `read` makes it; what it throws is a failure of the issuer like any other. */
type FetchOnce = <T>(url: string, signal: AbortSignal, read: (text: string) => T) => Promise<T>;

function createFetch(clock: Clock): FetchOnce {
  let restUntil = Number.NEGATIVE_INFINITY;
  return async (url, signal, read) => {
    if (clock.elapsed() < restUntil) throw new Error(`${url} failed a moment ago`);
    try {
      return read(await fetchText(url, signal));
    } catch (error) {
      restUntil = clock.elapsed() + LIMITS.jwksRetryMs;
      throw error;
    }
  };
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const response = await fetch(url, {
    method: 'GET',
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal,
  });
  try {
    if (response.status !== 200) throw new Error(`${url} answered ${response.status}`);
    const chunks: Uint8Array[] = [];
    let octets = 0;
    for await (const chunk of response.body ?? []) {
      octets += chunk.byteLength;
      if (octets > LIMITS.jwksBytesMax)
        throw new Error(`${url} sent more than ${LIMITS.jwksBytesMax} octets`);
      chunks.push(chunk);
    }
    return Buffer.concat(chunks, octets).toString('utf8');
  } finally {
    // What was not read is not waited for.
    if (response.body !== null && !response.body.locked) await response.body.cancel();
  }
}

/** OpenID Connect Discovery 1.0 §4: the document must be of the very issuer, or another one could lend it its keys. */
async function discover(at: string, issuer: string, fetchOnce: FetchOnce): Promise<string> {
  return await fetchOnce(at, AbortSignal.timeout(LIMITS.jwksTimeoutMs), (text) => {
    const document = JSON.parse(text) as { issuer?: unknown; jwks_uri?: unknown } | null;
    if (document?.issuer !== issuer) throw new Error(`${at} is of another issuer than OIDC_ISSUER`);
    const { jwks_uri: url } = document;
    if (typeof url !== 'string' || !isFetchable(url)) throw new Error(`${at} has no jwks_uri that is https`);
    return url;
  });
}

function unreachable(error: unknown): FluxgateError {
  if (error instanceof FluxgateError) return error;
  const cause = error instanceof Error && error.cause instanceof Error ? `: ${error.cause.message}` : '';
  const reason =
    error instanceof Error || error instanceof StartupError ? `${error.message}${cause}` : 'fault';
  return new FluxgateError(
    'unavailable',
    'The keys of the issuer of this token cannot be had now. Try again later.',
    { logged: `OIDC: the issuer's keys cannot be had: ${reason}` },
  );
}
