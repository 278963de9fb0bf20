import assert from 'node:assert/strict';
import { cp, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { serve } from '../../src/cli/serve.ts';
import { StartupError } from '../../src/core/errors.ts';
import { fluxgate } from '../support/spawned.ts';
import { type ServeEnvironment, serveEnvironment } from './serve-environment.ts';

const SECRET = 'a-token-that-nobody-must-see';

/** Runs `serve` in this process, where it costs a tenth; what it says is what main.ts prints. */
async function refusal(environment: Readonly<Record<string, string | undefined>>): Promise<string> {
  const context = {
    // The process of a test stays as it is.
    environment: { ...environment, SANDBOX: 'off' },
    host: {
      pid: 1,
      cores: 1,
      nodeOptions: [],
      program: '',
      channel: undefined,
      permission: undefined,
      userId: undefined,
      knowsOption: () => false,
      replace: undefined,
      forget: () => undefined,
      keepFilesPrivate: () => undefined,
    },
    workingDirectory: '/',
    logDestination: async () => ({ write: () => undefined }),
    print: () => undefined,
    stopSignal: Promise.withResolvers<NodeJS.Signals>().promise,
    onHangup: () => undefined,
    arguments: [],
    onRestart: () => undefined,
  };
  const error: unknown = await serve(context).then(
    () => undefined,
    (problem: unknown) => problem,
  );
  assert.ok(error instanceof StartupError, String(error));
  return error.message;
}

interface Case {
  readonly what: string;
  /** What is changed in an environment that works. */
  change(working: ServeEnvironment): Promise<Record<string, string>> | Record<string, string>;
  readonly says: RegExp;
}

async function file({ directory }: ServeEnvironment, content: string, name = 'changed'): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, content);
  return path;
}

const CASES: readonly Case[] = [
  {
    what: 'a CA file that is not there',
    change: () => ({ CLUSTER_CA_FILE: '/nowhere/ca.crt' }),
    says: /^CLUSTER_CA_FILE: \/nowhere\/ca\.crt does not exist$/,
  },
  {
    what: "a client's certificate where the server's should be",
    change: async (working) => {
      const client = await working.pki.cluster('demo-cluster-01.k8s.example.com');
      return {
        TLS_CERT_FILE: await file(working, client.chainPem),
        TLS_KEY_FILE: await file(working, client.keyPem, 'key'),
      };
    },
    says: /^TLS_CERT_FILE: \/\S+\/changed: the first certificate is none of a server \(its extended key usage lacks serverAuth\)/,
  },
  {
    what: 'an empty CA file',
    change: async (working) => ({ CLUSTER_CA_FILE: await file(working, '') }),
    says: /^CLUSTER_CA_FILE: \/.*\/changed: the file holds no certificate$/,
  },
  {
    what: 'a CA file that holds no CA',
    change: ({ environment }) => ({ CLUSTER_CA_FILE: environment['TLS_CERT_FILE'] ?? '' }),
    says: /^CLUSTER_CA_FILE: \/.*\/server\.crt: block 1.* is not a CA certificate/,
  },
  {
    what: 'a CA file that holds a private key',
    change: ({ environment }) => ({ OPERATOR_CA_FILE: environment['TLS_KEY_FILE'] ?? '' }),
    says: /^OPERATOR_CA_FILE: \/.*\/server\.key: block 1 is a private key/,
  },
  {
    what: 'one anchor in both bundles',
    change: ({ environment }) => ({ OPERATOR_CA_FILE: environment['CLUSTER_CA_FILE'] ?? '' }),
    says: /^CLUSTER_CA_FILE: \/\S+\.crt and OPERATOR_CA_FILE: \/\S+\.crt both hold /,
  },
  {
    what: "a server key that is another certificate's",
    change: async (working) => ({ TLS_KEY_FILE: await file(working, working.pki.serverCa.keyPem) }),
    says: /^TLS_KEY_FILE: \/\S+\/changed is not the key of the first certificate in TLS_CERT_FILE: \/\S+\/server\.crt$/,
  },
  {
    what: 'a server certificate of prose',
    change: async (working) => ({ TLS_CERT_FILE: await file(working, 'to be filled in') }),
    says: /^TLS_CERT_FILE: \/\S+\/changed holds no readable PEM certificate$/,
  },
  {
    what: 'a server key that nobody can read',
    change: async (working) => ({
      TLS_KEY_FILE: await file(working, `-----BEGIN PRIVATE KEY-----\n${SECRET}`),
    }),
    says: /^TLS_KEY_FILE: \/\S+\/changed holds no readable, unencrypted PEM private key$/,
  },
  {
    what: 'a token file without a token',
    change: async (working) => ({ AUTH_TOKEN_FILE: await file(working, '\n\n') }),
    says: /^AUTH_TOKEN_FILE: \/\S+\/changed holds no token$/,
  },
  {
    what: 'a token with a space',
    change: async (working) => ({ CRUD_AUTH_TOKEN_FILE: await file(working, `good\n${SECRET} ${SECRET}\n`) }),
    says: /^CRUD_AUTH_TOKEN_FILE: \/\S+\/changed, line 2: a token is visible ASCII/,
  },
  {
    what: 'policies that are not there',
    change: () => ({ POLICY_DIR: '/nowhere' }),
    says: /^POLICY_DIR: \/nowhere cannot be listed$/,
  },
  {
    what: 'a policy that Cedar cannot read',
    change: async ({ directory }) => {
      const policies = join(directory, 'policy');
      await cp(fileURLToPath(new URL('../../policy/', import.meta.url)), policies, { recursive: true });
      await writeFile(join(policies, 'clusters.cedar'), 'permit (principal, action');
      return { POLICY_DIR: policies };
    },
    says: /^POLICY_DIR: \/\S+\/policy\/clusters\.cedar:1:\d+: /,
  },
  {
    what: 'a seed that refers to what is not there',
    change: async (working) => {
      const cluster = { id: 'a', cluster_name: 'a', cluster_dns: 'a.example.com', environment: 'dev' };
      const clusters = [{ ...cluster, namespaces: [{ id: 'ghost' }] }];
      return { SEED_FILE: await file(working, JSON.stringify({ clusters })) };
    },
    says: /^seed .*ghost/,
  },
  {
    what: 'a data directory that is none',
    change: async (working) => ({ DATABASE_URL: `sqlite://${await file(working, '')}/fluxgate.db` }),
    says: /^DATABASE_URL: .*\/changed\/fluxgate\.db cannot be made or written: /,
  },
  {
    what: 'a damaged database, with how to restore it',
    change: async (working) => ({
      DATABASE_URL: `sqlite://${await file(working, 'not a database'.repeat(500))}`,
    }),
    says: /^DATABASE_URL: .*\/changed is damaged \(.*\): put a backup in its place .*: npm run -s fluxgate -- restore --database sqlite:\/\/\S+ --from FILE$/,
  },
];

describe('a refusal to start', () => {
  it('01 names each missing variable in a line of its own, with exit code 78', async (t) => {
    const { code, stdout, stderr } = await fluxgate(t, ['serve']).ended;
    assert.equal(code, 78);
    assert.equal(stdout, '');
    assert.deepEqual(stderr.split('\n'), [
      "fluxgate: TLS_CERT_FILE is required: the path of the server's certificate chain (PEM)",
      "fluxgate: TLS_KEY_FILE is required: the path of the server's private key (PEM)",
      'fluxgate: CLUSTER_CA_FILE is required: the path of the CAs of cluster certificates (PEM)',
      '',
    ]);
  });

  it('02 names every value that is wrong at once, and no secret', async (t) => {
    const { environment } = await serveEnvironment(t);
    const message = await refusal({
      ...environment,
      AUTH_TOKEN: SECRET,
      CRUD_AUTH_TOKEN: '',
      LISTEN_ADDR: 'abc',
      ADMIN_ADDR: '127.0.0.1:99999',
      API_MODE: 'ful',
      CLIENT_CERT: 'maybe',
      DATABASE_URL: `postgres://user:${SECRET}@host/db`,
      FLUXGATE_AUTH_TOKEN: SECRET,
      OPERATOR_CA_FLIE: 'x',
      OPERATOR_NETWORKS: '10.0.0.0/33',
      TLS_MIN_VERSION: 'TLSv1',
      LOG_LEVEL: 'loud',
    });
    assert.doesNotMatch(message, new RegExp(SECRET));
    const begins = [
      'FLUXGATE_AUTH_TOKEN is not a variable of Fluxgate',
      'OPERATOR_CA_FLIE is not a variable of Fluxgate: did you mean OPERATOR_CA_FILE?',
      'API_MODE="ful" is not one of: read-only, crud',
      'LISTEN_ADDR="abc" is not HOST:PORT',
      'ADMIN_ADDR="127.0.0.1:99999" is not HOST:PORT',
      'DATABASE_URL is neither ',
      'CLIENT_CERT="maybe" is not one of: optional, required',
      'TLS_MIN_VERSION="TLSv1" is not one of: TLSv1.3, TLSv1.2',
      'CRUD_AUTH_TOKEN is set but empty',
      'OPERATOR_NETWORKS: "10.0.0.0/33" is not a CIDR range',
      'LOG_LEVEL="loud" is not one of: ',
    ];
    const lines = message.split('\n');
    assert.equal(lines.length, begins.length, message);
    for (const begin of begins)
      assert.ok(
        lines.some((line) => line.startsWith(begin)),
        `${begin} in ${message}`,
      );
  });

  it('03 lets pass what Kubernetes puts beside a Service named fluxgate', async (t) => {
    const { environment } = await serveEnvironment(t);
    const links = { FLUXGATE_SERVICE_HOST: '10.0.0.1', FLUXGATE_PORT_8443_TCP: 'tcp://10.0.0.1:8443' };
    assert.equal(
      await refusal({ ...environment, ...links, API_MODE: 'ful' }),
      'API_MODE="ful" is not one of: read-only, crud',
    );
  });

  for (const [index, { what, change, says }] of CASES.entries()) {
    it(`${String(index + 4).padStart(2, '0')} says what is wrong with ${what}`, async (t) => {
      const working = await serveEnvironment(t);
      const message = await refusal({ ...working.environment, ...(await change(working)) });
      assert.match(message, says);
      assert.ok(!message.includes(SECRET), message);
      assert.ok(!message.includes('\n'), message);
    });
  }

  it('89 has a line for each file that cannot be read', async (t) => {
    const { directory, environment } = await serveEnvironment(t);
    const files = {
      TLS_KEY_FILE: '/nowhere/tls.key',
      CLUSTER_CA_FILE: directory,
      AUTH_TOKEN_FILE: '/nowhere/tokens',
    };
    assert.equal(
      await refusal({ ...environment, ...files }),
      `TLS_KEY_FILE: /nowhere/tls.key does not exist\nCLUSTER_CA_FILE: ${directory} is a directory\nAUTH_TOKEN_FILE: /nowhere/tokens does not exist`,
    );
  });

  it('90 names the variable of a port that is taken, for either listener', async (t) => {
    const { environment } = await serveEnvironment(t);
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    t.after(() => other.close());
    const address = other.address();
    assert.ok(typeof address === 'object' && address !== null);
    const taken = `127.0.0.1:${address.port}`;
    assert.equal(
      await refusal({ ...environment, LISTEN_ADDR: taken }),
      `LISTEN_ADDR: cannot listen on ${taken} (EADDRINUSE): something else does already. Name another port (LISTEN_ADDR=127.0.0.1:8444)`,
    );
    assert.equal(
      await refusal({ ...environment, ADMIN_ADDR: taken }),
      `ADMIN_ADDR: cannot listen on ${taken} (EADDRINUSE): something else does already. Name another port (ADMIN_ADDR=127.0.0.1:9091), or ADMIN_ADDR=off`,
    );
  });

  it('91 in the sandbox, where neither the certificates nor the folder of the store are there yet', async (t) => {
    const { directory, environment } = await serveEnvironment(t);
    const missing = join(directory, 'nowhere', 'tls.crt');
    const changed = {
      ...environment,
      ALLOW_ROOT: 'on',
      WORKERS: '1',
      TLS_CERT_FILE: missing,
      DATABASE_URL: `sqlite://${join(directory, 'nowhere-else', 'fleet.db')}`,
    };
    const { code, stderr } = await fluxgate(t, ['serve'], { environment: changed }).ended;
    assert.deepEqual([code, stderr], [78, `fluxgate: TLS_CERT_FILE: ${missing} does not exist\n`]);
  });
});
