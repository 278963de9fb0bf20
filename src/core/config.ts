import { type Environment, misspelt, type Variable } from './config-names.ts';
import { fetchableUrl, type OidcConfig, oidcConfig } from './config-oidc.ts';
import {
  asIs,
  databaseUrl,
  type ListenAddress,
  listenAddress,
  nothing,
  oneOf,
  onOrOff,
  proxies,
  required,
  type TokenSource,
  wholeNumber,
  workerCount,
  writeTokens,
} from './config-values.ts';
import { StartupError } from './errors.ts';
import { CRL_POLICIES, type CrlPolicy } from './identity/crl-state.ts';
import type { PinMode } from './identity/pins.ts';
import { LIMITS } from './limits.ts';
import { type NamedNetworks, type Networks, parseNamedNetworks } from './networks.ts';

/** The environment, parsed once (contract §2). Unknown, misspelt and malformed values are refusals to start. */
export interface Config {
  readonly apiMode: 'read-only' | 'crud';
  readonly listen: ListenAddress;
  /** undefined: no admin listener. */
  readonly admin: ListenAddress | undefined;
  readonly databaseUrl: string;
  readonly seedFile: string | undefined;
  readonly tlsCertFile: string;
  readonly tlsKeyFile: string;
  readonly clusterCaFile: string;
  readonly operatorCaFile: string | undefined;
  /** A cluster CA to be: counted, never believed. */
  readonly clusterCaObserveFile: string | undefined;
  readonly pinClusterKeys: PinMode;
  /** undefined: no CRLs. */
  readonly crlDir: string | undefined;
  readonly crlPolicy: CrlPolicy;
  readonly clientCert: 'optional' | 'required';
  readonly tlsMinVersion: 'TLSv1.2' | 'TLSv1.3';
  readonly readTokens: TokenSource;
  /** undefined: the read tokens are the write tokens as well. */
  readonly writeTokens: TokenSource | undefined;
  readonly operatorNetworks: NamedNetworks;
  /** undefined: nobody's PROXY protocol header is read. */
  readonly trustedProxies: Networks | undefined;
  readonly connectionsMax: number;
  readonly clustersPerAddressMax: number;
  /** undefined: the policies that ship with the project. */
  readonly policyDir: string | undefined;
  /** PEM; signs the end of the audit trail. */
  readonly auditSigningKeyFile: string | undefined;
  readonly spiffeTrustDomain: string | undefined;
  /** undefined: no OpenID Connect tokens. */
  readonly oidc: OidcConfig | undefined;
  /** PUT, PATCH and DELETE without If-Match are 428. */
  readonly requireIfMatch: boolean;
  /** Whether a write that takes something away from clusters has to be confirmed. */
  readonly pruneGuard: boolean;
  /** Processes that terminate TLS; `auto`: one for each core. */
  readonly workers: number | 'auto';
  readonly logLevel: LogLevel;
  /** Whether the serving process gives up all that it does not need. */
  readonly sandbox: boolean;
  /** NODE_ENV=production: root is refused, unless allowed. */
  readonly production: boolean;
  readonly allowRoot: boolean;
}

const LOG_LEVELS = Object.freeze(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const);
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Throws StartupError with one line for every value that is wrong, all of them at once. */
export function parseConfig(environment: Environment): Config {
  const problems: string[] = misspelt(environment);
  const attempt = <T>(parse: () => T): T | undefined => {
    try {
      return parse();
    } catch (error) {
      if (!(error instanceof StartupError)) throw error;
      problems.push(error.message);
      return undefined;
    }
  };
  const read = <T>(
    name: Variable,
    parse: (text: string, name: Variable) => T,
    absent: () => T,
  ): T | undefined =>
    attempt(() => {
      const text = environment[name];
      if (text === undefined) return absent();
      if (text.trim() === '') throw new StartupError(`${name} is set but empty: unset it or give it a value`);
      return parse(text, name);
    });
  const text = (name: Variable): string | undefined => read<string | undefined>(name, asIs, nothing);

  const config = {
    apiMode: read('API_MODE', oneOf(['read-only', 'crud'] as const), () => 'read-only'),
    listen: read('LISTEN_ADDR', listenAddress, () => ({ host: '0.0.0.0', port: 8443 })),
    admin: read<ListenAddress | undefined>(
      'ADMIN_ADDR',
      (value, name) => (value === 'off' ? undefined : listenAddress(value, name)),
      () => ({ host: '127.0.0.1', port: 9090 }),
    ),
    databaseUrl: read('DATABASE_URL', databaseUrl, () => 'sqlite://data/fluxgate.db'),
    seedFile: text('SEED_FILE'),
    tlsCertFile: read('TLS_CERT_FILE', asIs, required('TLS_CERT_FILE', "the server's certificate chain")),
    tlsKeyFile: read('TLS_KEY_FILE', asIs, required('TLS_KEY_FILE', "the server's private key")),
    clusterCaFile: read(
      'CLUSTER_CA_FILE',
      asIs,
      required('CLUSTER_CA_FILE', 'the CAs of cluster certificates'),
    ),
    operatorCaFile: text('OPERATOR_CA_FILE'),
    clusterCaObserveFile: text('CLUSTER_CA_OBSERVE_FILE'),
    pinClusterKeys: read('PIN_CLUSTER_KEYS', oneOf(['observe', 'enforce', 'off'] as const), () => 'observe'),
    crlDir: text('CRL_DIR'),
    crlPolicy: read('CRL_POLICY', oneOf(CRL_POLICIES), () => 'require-fresh'),
    clientCert: read('CLIENT_CERT', oneOf(['optional', 'required'] as const), () => 'optional'),
    tlsMinVersion: read('TLS_MIN_VERSION', oneOf(['TLSv1.3', 'TLSv1.2'] as const), () => 'TLSv1.3'),
    readTokens: { inline: text('AUTH_TOKEN'), file: text('AUTH_TOKEN_FILE') },
    writeTokens: writeTokens(text('CRUD_AUTH_TOKEN'), text('CRUD_AUTH_TOKEN_FILE')),
    operatorNetworks: read('OPERATOR_NETWORKS', parseNamedNetworks, () =>
      parseNamedNetworks('127.0.0.0/8,::1/128', 'OPERATOR_NETWORKS'),
    ),
    trustedProxies: read<Networks | undefined>('TRUSTED_PROXIES', proxies, nothing),
    connectionsMax: read('CONNECTIONS_MAX', wholeNumber(100, 1_000_000), () => LIMITS.connectionsMax),
    clustersPerAddressMax: read(
      'CLUSTERS_PER_ADDRESS_MAX',
      wholeNumber(1, 1_000_000),
      () => LIMITS.clustersPerAddressMax,
    ),
    policyDir: text('POLICY_DIR'),
    auditSigningKeyFile: text('AUDIT_SIGNING_KEY_FILE'),
    spiffeTrustDomain: text('SPIFFE_TRUST_DOMAIN'),
    oidc: attempt(() =>
      oidcConfig({
        issuer: read<string | undefined>('OIDC_ISSUER', fetchableUrl, nothing),
        audience: text('OIDC_AUDIENCE'),
        jwksFile: text('OIDC_JWKS_FILE'),
        jwksUrl: read<string | undefined>('OIDC_JWKS_URL', fetchableUrl, nothing),
      }),
    ),
    requireIfMatch: read('REQUIRE_IF_MATCH', onOrOff, () => false),
    pruneGuard: read('PRUNE_GUARD', onOrOff, () => true),
    workers: read<number | 'auto'>('WORKERS', workerCount, () => 'auto'),
    logLevel: read('LOG_LEVEL', oneOf(LOG_LEVELS), () => 'info'),
    sandbox: read('SANDBOX', onOrOff, () => true),
    production: environment['NODE_ENV'] === 'production',
    allowRoot: read('ALLOW_ROOT', onOrOff, () => false),
  };
  if (problems.length > 0) throw new StartupError(problems.join('\n'));
  return Object.freeze(config as Config);
}
