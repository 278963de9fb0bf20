/** The environment's variables by name, and names that are near one of them. */

/** All of them; docs/configuration.md has each. */
export const VARIABLES = Object.freeze([
  'API_MODE',
  'LISTEN_ADDR',
  'ADMIN_ADDR',
  'DATABASE_URL',
  'SEED_FILE',
  'TLS_CERT_FILE',
  'TLS_KEY_FILE',
  'CLUSTER_CA_FILE',
  'OPERATOR_CA_FILE',
  'CLUSTER_CA_OBSERVE_FILE',
  'PIN_CLUSTER_KEYS',
  'CRL_DIR',
  'CRL_POLICY',
  'CLIENT_CERT',
  'TLS_MIN_VERSION',
  'AUTH_TOKEN',
  'AUTH_TOKEN_FILE',
  'CRUD_AUTH_TOKEN',
  'CRUD_AUTH_TOKEN_FILE',
  'OPERATOR_NETWORKS',
  'TRUSTED_PROXIES',
  'CONNECTIONS_MAX',
  'CLUSTERS_PER_ADDRESS_MAX',
  'POLICY_DIR',
  'AUDIT_SIGNING_KEY_FILE',
  'SPIFFE_TRUST_DOMAIN',
  'OIDC_ISSUER',
  'OIDC_AUDIENCE',
  'OIDC_JWKS_FILE',
  'OIDC_JWKS_URL',
  'PRUNE_GUARD',
  'REQUIRE_IF_MATCH',
  'WORKERS',
  'LOG_LEVEL',
  'SANDBOX',
  'ALLOW_ROOT',
] as const);
export type Variable = (typeof VARIABLES)[number];

/** Kubernetes puts these into every pod beside a Service named "fluxgate"; they are not ours and mean no harm. */
const KUBERNETES_SERVICE_LINK =
  /^FLUXGATE_(SERVICE_(HOST|PORT)(_\w+)?|PORT(_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)?)$/;

/** Where the command line has its contexts: in the shell of whoever also starts a gateway. Nothing of a gateway's. */
const COMMAND_LINE = 'FLUXGATE_CONFIG';

export type Environment = Readonly<Record<string, string | undefined>>;

/** A line for each name that somebody meant as one of ours. */
export function misspelt(environment: Environment): string[] {
  const known: readonly string[] = VARIABLES;
  const problems: string[] = [];
  for (const name of Object.keys(environment).sort()) {
    if (known.includes(name) || name === COMMAND_LINE) continue;
    if (name.startsWith('FLUXGATE_') && !KUBERNETES_SERVICE_LINK.test(name)) {
      problems.push(`${name} is not a variable of Fluxgate: no variable starts with FLUXGATE_`);
      continue;
    }
    const meant = known.find((candidate) => isOneEditApart(name, candidate));
    if (meant !== undefined) problems.push(`${name} is not a variable of Fluxgate: did you mean ${meant}?`);
  }
  return problems;
}

/** One letter inserted, left out, changed, or swapped with its neighbour: what fingers do. */
export function isOneEditApart(a: string, b: string): boolean {
  if (a === b || Math.abs(a.length - b.length) > 1) return false;
  let start = 0;
  while (start < a.length && a[start] === b[start]) start++;
  const rest = (text: string, skip: number): string => text.slice(start + skip);
  return (
    rest(a, 1) === rest(b, 1) ||
    rest(a, 1) === rest(b, 0) ||
    rest(a, 0) === rest(b, 1) ||
    (a[start] === b[start + 1] && a[start + 1] === b[start] && rest(a, 2) === rest(b, 2))
  );
}
