import assert from 'node:assert/strict';
import { chmod, cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { mintServerCertificate } from '../../certs-dev/mint.ts';
import { parseConfig } from '../../src/core/config.ts';
import { StartupError } from '../../src/core/errors.ts';
import { startGateway } from '../../src/gateway.ts';
import { systemClock } from '../../src/shell/clock.ts';
import { createLog } from '../../src/shell/log.ts';
import { createTestPki, type TestPki } from '../support/pki.ts';

const SHIPPED_POLICIES = fileURLToPath(new URL('../../policy/', import.meta.url));
const SECRET = 'a-token-that-must-not-be-printed';

type Environment = Record<string, string | undefined>;

describe('a gateway that is configured wrong', () => {
  let directory = '';
  let pki: TestPki;
  let good: Environment = {};
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), 'fluxgate-refusals-'));
    pki = await createTestPki();
    const { environment } = await pki.write(directory);
    good = {
      LISTEN_ADDR: '127.0.0.1:0',
      ADMIN_ADDR: 'off',
      DATABASE_URL: 'sqlite::memory:',
      AUTH_TOKEN: SECRET,
      ...environment,
    };
  });
  after(() => rm(directory, { recursive: true, force: true }));

  const file = async (name: string, content: string, mode = 0o600): Promise<string> => {
    const path = join(directory, name);
    await writeFile(path, content);
    await chmod(path, mode);
    return path;
  };
  const start = async (environment: Environment): Promise<void> => {
    const log = createLog('silent', { write: () => {} });
    const gateway = await startGateway(parseConfig(environment), { clock: systemClock, log });
    await gateway.close();
  };
  /** One clear line that names what is wrong, without a stack and without secrets. */
  const refused = async (environment: Environment, named: string | RegExp): Promise<void> => {
    await assert.rejects(start({ ...good, ...environment }), (error: unknown) => {
      assert.ok(error instanceof StartupError, String(error));
      const { message } = error;
      assert.ok(typeof named === 'string' ? message.includes(named) : named.test(message), message);
      assert.equal(message.split('\n').length, 1, message);
      assert.ok(message.length < 600, message);
      assert.doesNotMatch(message, /\bat \S+:\d+|node_modules|PRIVATE KEY|BEGIN/);
      assert.ok(!message.includes(SECRET));
      return true;
    });
  };

  it('does start when nothing is wrong', async () => {
    await start(good);
  });

  for (const name of ['TLS_CERT_FILE', 'TLS_KEY_FILE', 'CLUSTER_CA_FILE']) {
    it(`names what is missing: ${name}`, () => refused({ [name]: undefined }, name));
    it(`names a file that is not there: ${name}`, () =>
      refused({ [name]: join(directory, 'not-there.pem') }, name));
    it(`names a directory in place of a file: ${name}`, () => refused({ [name]: directory }, name));
    it(`names an empty file: ${name}`, async () => refused({ [name]: await file('empty.pem', '') }, name));
  }

  for (const [name, value] of [
    ['LISTEN_ADDR', 'abc'],
    ['LISTEN_ADDR', '127.0.0.1'],
    ['LISTEN_ADDR', ':8443'],
    ['LISTEN_ADDR', '127.0.0.1:65536'],
    ['LISTEN_ADDR', '127.0.0.1:-1'],
    ['LISTEN_ADDR', 'https://127.0.0.1:8443'],
    ['ADMIN_ADDR', 'no'],
    ['API_MODE', 'ful'],
    ['API_MODE', 'CRUD'],
    ['CLIENT_CERT', 'none'],
    ['TLS_MIN_VERSION', 'TLSv1.1'],
    ['TLS_MIN_VERSION', '1.3'],
    ['DATABASE_URL', 'postgres://localhost/x'],
    ['DATABASE_URL', 'sqlite://'],
    ['OPERATOR_NETWORKS', '10.0.0.0/33'],
    ['OPERATOR_NETWORKS', '10/8'],
    ['OPERATOR_NETWORKS', 'localhost'],
    ['OPERATOR_NETWORKS', '010.0.0.0/8'],
    ['OPERATOR_NETWORKS', 'fe80::1%eth0/64'],
    ['SPIFFE_TRUST_DOMAIN', 'Fleet.Example.com'],
    ['SPIFFE_TRUST_DOMAIN', 'spiffe://fleet.example.com'],
    ['LOG_LEVEL', 'loud'],
    ['AUTH_TOKEN', 'two words'],
    ['FLUXGATE_X', '1'],
    ['FLUXGATE_API_MODE', 'crud'],
    ['FLUXGATE_SERVICE', 'x'],
    ['API_MODES', 'crud'],
    ['LISTEN_ADR', '0.0.0.0:1'],
    ['CLUSTER_CA_FILES', '/x'],
    ['OPERATOR_NETWORK', '10.0.0.0/8'],
    ['CLIENT_CRET', 'required'],
    ['WORKERS', 'many'],
    ['PRUNE_GUARD', 'maybe'],
  ] as const) {
    it(`names ${name}="${value}"`, () => refused({ [name]: value }, name));
  }

  for (const name of [
    'API_MODE',
    'LISTEN_ADDR',
    'AUTH_TOKEN',
    'OPERATOR_NETWORKS',
    'OPERATOR_CA_FILE',
    'SEED_FILE',
  ]) {
    it(`takes empty for a mistake: ${name}`, async () => {
      await refused({ [name]: '' }, name);
      await refused({ [name]: '  ' }, name);
    });
  }

  it('names every wrong value at once, a line each', async () => {
    const wrong = { ...good, API_MODE: 'ful', LISTEN_ADDR: 'abc', FLUXGATE_X: '1', TLS_KEY_FILE: undefined };
    await assert.rejects(start(wrong), (error: unknown) => {
      assert.ok(error instanceof StartupError);
      const lines = error.message.split('\n');
      assert.equal(lines.length, 4);
      for (const name of ['API_MODE', 'LISTEN_ADDR', 'FLUXGATE_X', 'TLS_KEY_FILE']) {
        assert.equal(lines.filter((line) => line.includes(name)).length, 1, name);
      }
      return true;
    });
  });

  it('is not disturbed by the variables that Kubernetes adds for a Service called fluxgate', async () => {
    await start({
      ...good,
      FLUXGATE_SERVICE_HOST: '10.0.0.1',
      FLUXGATE_SERVICE_PORT: '8443',
      FLUXGATE_SERVICE_PORT_HTTPS: '8443',
      FLUXGATE_PORT: 'tcp://10.0.0.1:8443',
      FLUXGATE_PORT_8443_TCP: 'tcp://10.0.0.1:8443',
      FLUXGATE_PORT_8443_TCP_PROTO: 'tcp',
      FLUXGATE_PORT_8443_TCP_PORT: '8443',
      FLUXGATE_PORT_8443_TCP_ADDR: '10.0.0.1',
    });
  });

  it('refuses a CA file that is not a bundle of CA certificates', async () => {
    const leaf = await pki.cluster('x.example.com');
    const root = pki.clusterRoot;
    const garbled = root.pem.replace(/^([A-Za-z0-9+/]{20})/m, 'AAAAAAAAAAAAAAAAAAAA');
    for (const [what, content] of [
      ['text', 'no certificate in here\n'],
      ['a leaf', leaf.pem],
      ['a CA and a leaf', root.pem + leaf.pem],
      ['garbled base64', root.pem.replace('MII', '!!!')],
      ['garbled DER', garbled],
      ['cut off', root.pem.slice(0, 200)],
      ['a CA and the beginning of another', root.pem + root.pem.slice(0, 200)],
      ['a CA and its private key', root.pem + root.keyPem],
      ['a private key', root.keyPem],
      ['a certificate request', root.pem.replaceAll('CERTIFICATE', 'CERTIFICATE REQUEST')],
    ] as const) {
      // One function reads both bundles: a few kinds are enough to see that it is asked for both.
      const names = what.startsWith('a ') ? ['CLUSTER_CA_FILE'] : ['CLUSTER_CA_FILE', 'OPERATOR_CA_FILE'];
      for (const name of names) {
        await refused({ [name]: await file('bundle.pem', content) }, name).catch((error: unknown) => {
          throw new Error(`${name}: ${what}`, { cause: error });
        });
      }
    }
  });

  it('refuses one anchor in both bundles, and one bundle under the other', async () => {
    const both = await file('both.pem', pki.operatorBundlePem + pki.clusterRoot.pem);
    await refused({ OPERATOR_CA_FILE: both }, /CLUSTER_CA_FILE.*OPERATOR_CA_FILE/);
    await refused({ OPERATOR_CA_FILE: good['CLUSTER_CA_FILE'] }, /CLUSTER_CA_FILE.*OPERATOR_CA_FILE/);
    const below = await file('below.pem', pki.clusterIntermediate.pem);
    const above = await file('above.pem', pki.clusterRoot.pem);
    await refused({ CLUSTER_CA_FILE: above, OPERATOR_CA_FILE: below }, /OPERATOR_CA_FILE.*CLUSTER_CA_FILE/);
  });

  it('refuses a key that is not the certificate’s, and what is no key or certificate at all', async () => {
    const other = await mintServerCertificate(['localhost'], pki.serverCa);
    await refused({ TLS_KEY_FILE: await file('other.key', other.keyPem) }, 'TLS_KEY_FILE');
    await refused({ TLS_KEY_FILE: await file('x.key', 'nonsense') }, 'TLS_KEY_FILE');
    await refused({ TLS_KEY_FILE: good['TLS_CERT_FILE'] }, 'TLS_KEY_FILE');
    await refused({ TLS_CERT_FILE: good['TLS_KEY_FILE'] }, 'TLS_CERT_FILE');
    await refused({ TLS_CERT_FILE: await file('x.crt', 'nonsense') }, 'TLS_CERT_FILE');
  });

  it('names a token file that cannot be used, and never the token', async () => {
    const missing = join(directory, 'no-tokens');
    for (const name of ['AUTH_TOKEN_FILE', 'CRUD_AUTH_TOKEN_FILE']) {
      await refused({ [name]: missing }, name);
      await refused({ [name]: directory }, name);
      await refused({ [name]: await file('tokens', '') }, name);
      await refused({ [name]: await file('tokens', ' \n\n') }, name);
      await refused({ [name]: await file('tokens', `fine-token\n${SECRET} and more\n`) }, name);
    }
  });

  it('names the port that is taken', async () => {
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve));
    const address = taken.address();
    assert.ok(typeof address === 'object' && address !== null);
    const listen = `127.0.0.1:${address.port}`;
    try {
      await refused({ LISTEN_ADDR: listen }, /LISTEN_ADDR|cannot listen on 127\.0\.0\.1:\d+ \(EADDRINUSE\)/);
      await refused({ ADMIN_ADDR: listen }, 'ADMIN_ADDR');
    } finally {
      taken.close();
    }
  });

  it('names policies that cannot decide', async () => {
    const policies = async (
      name: string,
      change: (directory: string) => Promise<unknown>,
    ): Promise<string> => {
      const path = join(directory, name);
      await cp(SHIPPED_POLICIES, path, { recursive: true });
      await change(path);
      return path;
    };
    await start({ ...good, POLICY_DIR: await policies('policy-as-it-is', async () => {}) });
    await refused({ POLICY_DIR: join(directory, 'no-policies') }, 'POLICY_DIR');
    await mkdir(join(directory, 'empty-policies'));
    await refused({ POLICY_DIR: join(directory, 'empty-policies') }, 'POLICY_DIR');
    const withoutPolicies = await policies('policy-schema-only', async (path) => {
      for (const name of await readdir(path)) if (name.endsWith('.cedar')) await rm(join(path, name));
    });
    await refused({ POLICY_DIR: withoutPolicies }, /polic/i);
    const broken = await policies('policy-broken', (path) =>
      writeFile(join(path, 'clusters.cedar'), 'permit (principal, action'),
    );
    await refused({ POLICY_DIR: broken }, 'clusters.cedar');
    const unknown = await policies('policy-unknown-action', (path) =>
      writeFile(
        join(path, 'more.cedar'),
        '@id("x") @reason("x") permit (principal, action == Fluxgate::Action::"noSuchOperation", resource);',
      ),
    );
    await refused({ POLICY_DIR: unknown }, /more\.cedar|noSuchOperation/);
    const mistyped = await policies('policy-mistyped', (path) =>
      writeFile(
        join(path, 'more.cedar'),
        '@id("x") @reason("x") permit (principal is Fluxgate::Cluster, action, resource) when { principal.dnss == "x" };',
      ),
    );
    await refused({ POLICY_DIR: mistyped }, /more\.cedar|dnss/);
  });
});
