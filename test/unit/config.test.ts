import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Config, parseConfig } from '../../src/core/config.ts';
import { isOneEditApart } from '../../src/core/config-names.ts';
import { StartupError } from '../../src/core/errors.ts';

const REQUIRED = { TLS_CERT_FILE: 'server.crt', TLS_KEY_FILE: 'server.key', CLUSTER_CA_FILE: 'ca.crt' };

function refusal(environment: Readonly<Record<string, string>>): string {
  try {
    parseConfig({ ...REQUIRED, ...environment });
  } catch (error) {
    assert.ok(error instanceof StartupError, String(error));
    return error.message;
  }
  throw new assert.AssertionError({ message: 'it was accepted' });
}

describe('the environment', () => {
  it('has the defaults of the contract', () => {
    const config = parseConfig(REQUIRED);
    const { operatorNetworks, ...rest } = config;
    assert.deepEqual(operatorNetworks.ranges, ['127.0.0.0/8', '::1/128']);
    const expected: Partial<Config> = {
      apiMode: 'read-only',
      listen: { host: '0.0.0.0', port: 8443 },
      admin: { host: '127.0.0.1', port: 9090 },
      databaseUrl: 'sqlite://data/fluxgate.db',
      clientCert: 'optional',
      tlsMinVersion: 'TLSv1.3',
      logLevel: 'info',
      trustedProxies: undefined,
      connectionsMax: 40_000,
      clustersPerAddressMax: 10_000,
      pruneGuard: true,
      requireIfMatch: false,
    };
    for (const [name, value] of Object.entries(expected))
      assert.deepEqual(rest[name as keyof typeof rest], value, name);
  });

  it('names everything that is missing at once', () => {
    assert.throws(
      () => parseConfig({}),
      (error: unknown) => {
        const lines = (error as Error).message.split('\n');
        return Object.keys(REQUIRED).every((name) =>
          lines.some((line) => line.startsWith(`${name} is required`)),
        );
      },
    );
  });

  for (const [name, value] of [
    ['API_MODE', 'ful'],
    ['API_MODE', 'CRUD'],
    ['LISTEN_ADDR', 'abc'],
    ['LISTEN_ADDR', '0.0.0.0'],
    ['LISTEN_ADDR', '0.0.0.0:99999'],
    ['LISTEN_ADDR', '::1:8443'],
    ['ADMIN_ADDR', 'OFF'],
    ['DATABASE_URL', 'postgres://x'],
    ['DATABASE_URL', 'sqlite://'],
    ['DATABASE_URL', 'sqlite://x?mode=ro'],
    ['CLIENT_CERT', 'none'],
    ['TLS_MIN_VERSION', 'TLSv1.1'],
    ['OPERATOR_NETWORKS', '10.0.0.0/99'],
    ['LOG_LEVEL', 'loud'],
    ['WORKERS', '0'],
    ['WORKERS', '1.5'],
    ['WORKERS', '257'],
    ['WORKERS', 'AUTO'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', 'lb=10.0.0.0/8'],
    ['TRUSTED_PROXIES', '0.0.0.0/0'],
    ['TRUSTED_PROXIES', '10.0.0.0/8,::/0'],
    ['TRUSTED_PROXIES', '10.0.0.0/00'],
    ['OPERATOR_NETWORKS', 'CI=10.0.0.0/8'],
    ['CONNECTIONS_MAX', '0'],
    ['CONNECTIONS_MAX', '1e4'],
    ['CONNECTIONS_MAX', '99'],
    ['CLUSTERS_PER_ADDRESS_MAX', '0'],
    ['CLUSTERS_PER_ADDRESS_MAX', '10000000'],
    ['PRUNE_GUARD', 'yes'],
    ['REQUIRE_IF_MATCH', 'true'],
    ['AUTH_TOKEN', ''],
    ['SEED_FILE', ' '],
    ['TLS_CERT_FILE', ''],
  ] as const) {
    it(`refuses ${name}="${value}" in one line that names it`, () => {
      const message = refusal({ [name]: value });
      assert.ok(message.startsWith(name), message);
      assert.equal(message.split('\n').length, 1);
    });
  }

  it('refuses names that nobody knows and names that were meant differently', () => {
    assert.match(refusal({ FLUXGATE_MODE: 'x' }), /FLUXGATE_MODE/);
    assert.match(refusal({ LISTEN_ADRR: 'x' }), /did you mean LISTEN_ADDR/);
    assert.match(refusal({ AUTH_TOKENS: 'x' }), /did you mean AUTH_TOKEN\?/);
    assert.match(refusal({ CLUSTER_CA_FIL: 'x' }), /did you mean CLUSTER_CA_FILE/);
  });

  it('bears what Kubernetes puts beside a Service of this name, and what is none of its business', () => {
    parseConfig({
      ...REQUIRED,
      FLUXGATE_SERVICE_HOST: '10.0.0.1',
      FLUXGATE_SERVICE_PORT: '8443',
      FLUXGATE_SERVICE_PORT_HTTPS: '8443',
      FLUXGATE_PORT: 'tcp://10.0.0.1:8443',
      FLUXGATE_PORT_8443_TCP: 'tcp://10.0.0.1:8443',
      FLUXGATE_PORT_8443_TCP_ADDR: '10.0.0.1',
      PATH: '/bin',
      HOSTNAME: 'x',
    });
  });

  it('never repeats a token', () => {
    assert.doesNotMatch(refusal({ AUTH_TOKEN: 'hunter2hunter2', API_MODE: 'x' }), /hunter2/);
  });

  it('reads addresses and the switch of the admin listener', () => {
    const config = parseConfig({ ...REQUIRED, LISTEN_ADDR: '[::]:443', ADMIN_ADDR: 'off' });
    assert.deepEqual(config.listen, { host: '::', port: 443 });
    assert.equal(config.admin, undefined);
  });
});

describe('one edit apart', () => {
  for (const [a, b, apart] of [
    ['ABC', 'AB', true],
    ['ABC', 'ABCD', true],
    ['ABC', 'AXC', true],
    ['ABC', 'BAC', true],
    ['ABC', 'ABC', false],
    ['ABC', 'CBA', false],
    ['ABC', 'A', false],
  ] as const) {
    it(`${a} and ${b}: ${apart}`, () => assert.equal(isOneEditApart(a, b), apart));
  }
});

describe('OpenID Connect', () => {
  const OIDC = { OIDC_ISSUER: 'https://ci.example.com', OIDC_AUDIENCE: 'fluxgate' };

  it('takes its keys from where the environment says', () => {
    assert.equal(parseConfig(REQUIRED).oidc, undefined);
    const keysOf = (more: Readonly<Record<string, string>>): unknown =>
      parseConfig({ ...REQUIRED, ...OIDC, ...more }).oidc?.keys;
    const discoverAt = 'https://ci.example.com/.well-known/openid-configuration';
    assert.deepEqual(keysOf({}), { from: 'discovery', discoverAt });
    assert.deepEqual(keysOf({ OIDC_ISSUER: 'https://ci.example.com/' }), { from: 'discovery', discoverAt });
    assert.deepEqual(keysOf({ OIDC_JWKS_FILE: 'keys.json' }), { from: 'file', file: 'keys.json' });
    const url = 'https://keys.example.com/jwks';
    assert.deepEqual(keysOf({ OIDC_JWKS_URL: url }), { from: 'url', url });
  });

  it('refuses half of a configuration, two sources of keys, and keys in the clear', () => {
    assert.match(refusal({ OIDC_ISSUER: 'https://ci.example.com' }), /^OIDC_AUDIENCE is required/);
    assert.match(refusal({ OIDC_AUDIENCE: 'fluxgate' }), /^OIDC_AUDIENCE is set without OIDC_ISSUER/);
    assert.match(refusal({ OIDC_JWKS_FILE: 'x' }), /^OIDC_JWKS_FILE is set without OIDC_ISSUER/);
    assert.match(
      refusal({ ...OIDC, OIDC_JWKS_FILE: 'x', OIDC_JWKS_URL: 'https://a.example.com' }),
      /both set/,
    );
    for (const url of [
      'http://ci.example.com',
      'http://localhost.example.com',
      'http://127.0.0.1.example.com',
      'ftp://ci.example.com',
      'https://user:secret@ci.example.com',
      'https://ci.example.com?x=1',
      'https://ci.example.com#x',
      'ci.example.com',
    ]) {
      assert.match(refusal({ ...OIDC, OIDC_ISSUER: url }), /^OIDC_ISSUER is not an https:/, url);
      assert.match(refusal({ ...OIDC, OIDC_JWKS_URL: url }), /^OIDC_JWKS_URL is not an https:/, url);
    }
  });
});
