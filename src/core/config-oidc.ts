import { StartupError } from './errors.ts';

/** OpenID Connect, as far as the environment configures it. */
export interface OidcConfig {
  /** Exactly as tokens have it in `iss`. */
  readonly issuer: string;
  readonly audience: string;
  readonly keys:
    | { readonly from: 'file'; readonly file: string }
    | { readonly from: 'url'; readonly url: string }
    | { readonly from: 'discovery'; readonly discoverAt: string };
}

export interface OidcVariables {
  readonly issuer: string | undefined;
  readonly audience: string | undefined;
  readonly jwksFile: string | undefined;
  readonly jwksUrl: string | undefined;
}

/** Throws StartupError where half of it is missing, or two sources of keys are named. undefined: it is not used. */
export function oidcConfig({ issuer, audience, jwksFile, jwksUrl }: OidcVariables): OidcConfig | undefined {
  if (issuer === undefined) {
    const lonely =
      audience !== undefined
        ? 'OIDC_AUDIENCE'
        : jwksFile !== undefined
          ? 'OIDC_JWKS_FILE'
          : jwksUrl !== undefined
            ? 'OIDC_JWKS_URL'
            : undefined;
    if (lonely === undefined) return undefined;
    throw new StartupError(`${lonely} is set without OIDC_ISSUER: whose tokens are meant?`);
  }
  if (audience === undefined) {
    throw new StartupError('OIDC_AUDIENCE is required beside OIDC_ISSUER: a token for anybody is nobody’s');
  }
  if (jwksFile !== undefined && jwksUrl !== undefined) {
    throw new StartupError('OIDC_JWKS_FILE and OIDC_JWKS_URL are both set: keep one');
  }
  const keys =
    jwksFile !== undefined
      ? ({ from: 'file', file: jwksFile } as const)
      : jwksUrl !== undefined
        ? ({ from: 'url', url: jwksUrl } as const)
        : ({ from: 'discovery', discoverAt: discoveryUrl(issuer) } as const);
  return Object.freeze({ issuer, audience, keys: Object.freeze(keys) });
}

/** OpenID Connect Discovery 1.0 §4.1. */
function discoveryUrl(issuer: string): string {
  return `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
}

/** For OIDC_ISSUER and OIDC_JWKS_URL. Throws StartupError. */
export function fetchableUrl(text: string, name: string): string {
  if (isFetchable(text) && !/[?#\s]/.test(text)) return text;
  throw new StartupError(`${name} is not an https:// URL without credentials, query and fragment`);
}

/** Keys that came in the clear are anybody's; loopback is where tests have their issuers. */
export function isFetchable(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '') return false;
  return url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.includes(url.hostname));
}

const LOOPBACK: readonly string[] = Object.freeze(['127.0.0.1', '[::1]']);
