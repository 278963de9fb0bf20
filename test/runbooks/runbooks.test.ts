import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import {
  chainPem,
  type Minted,
  mintCa,
  mintClusterCertificate,
  mintOperatorCertificate,
  mintServerCertificate,
} from '../../certs-dev/mint.ts';
import { mintCrl } from '../../certs-dev/mint-crl.ts';
import {
  READ_TOKEN,
  startTestGateway,
  type TestGateway,
  type TestGatewayOptions,
} from '../support/gateway.ts';
import { readPage } from '../support/page.ts';
import { missingTools } from '../support/page-shell.ts';
import { createTestPki, type MintedChain, withChain } from '../support/pki.ts';
import { executeRunbook } from '../support/runbook.ts';

const skip = missingTools() ?? false;
const CLUSTERS = ['demo-cluster-01', 'demo-cluster-02', 'demo-cluster-03'].map(
  (name) => `${name}.k8s.example.com`,
);
const [FIRST = '', SECOND = '', THIRD = ''] = CLUSTERS;

interface Stage {
  readonly gateway: TestGateway;
  readonly environment: Readonly<Record<string, string>>;
  put(name: string, content: string): Promise<void>;
  putIdentity(name: string, minted: Minted): Promise<void>;
  /** The cluster polls; the status of the answer must be this one. */
  poll(dns: string, certificate: MintedChain | undefined, status: number): Promise<void>;
}

async function setStage(t: TestContext, options: TestGatewayOptions = {}): Promise<Stage> {
  const pki = await createTestPki({
    clusterRoot: { subject: { CN: 'old cluster CA' } },
    operatorRoot: { subject: { CN: 'old operator CA' } },
  });
  const gateway = await startTestGateway(t, { ...options, pki });
  const put = (name: string, content: string): Promise<void> =>
    writeFile(join(gateway.directory, name), content);
  const putIdentity = async (name: string, minted: Minted): Promise<void> => {
    await put(`${name}.crt`, chainPem(minted));
    await put(`${name}.key`, minted.keyPem);
  };
  await putIdentity('operator', await pki.operator('operator@example.com', ['platform-team']));
  return {
    gateway,
    put,
    putIdentity,
    environment: {
      GATEWAY: `https://localhost:${gateway.port}`,
      SERVER_CA: 'server-ca.crt',
      OPERATOR: 'operator',
      TRUST: gateway.directory,
      TLS_CERT_FILE: join(gateway.directory, 'server.crt'),
      TLS_KEY_FILE: join(gateway.directory, 'server.key'),
    },
    async poll(dns, certificate, status) {
      const path = `/api/v2/flux/clusters/${dns}/platform-components`;
      const token = certificate === undefined ? READ_TOKEN : undefined;
      assert.equal((await gateway.send({ path, certificate, token })).status, status, dns);
    },
  };
}

test('rotate the cluster CA', { skip }, async (t) => {
  const { gateway, environment, put, poll } = await setStage(t);
  for (const dns of CLUSTERS) await poll(dns, await gateway.pki.cluster(dns), 200);
  const newCa = await mintCa('new cluster CA');
  await put('old-ca.crt', gateway.pki.clusterRoot.pem);
  await put('new-ca.crt', newCa.pem);
  const reissue = async (dns: string): Promise<void> =>
    poll(dns, withChain(await mintClusterCertificate(dns, newCa)), 200);
  const old = await gateway.pki.cluster(FIRST);
  await executeRunbook('rotate-cluster-ca.md', {
    directory: gateway.directory,
    environment,
    events: {
      'reissue all clusters but the last': async () => {
        await reissue(FIRST);
        await reissue(SECOND);
      },
      'reissue the last cluster': () => reissue(THIRD),
    },
  });
  await poll(FIRST, old, 495);
  await reissue(FIRST);
});

test('rotate the operator CA', { skip }, async (t) => {
  const { gateway, environment, put, putIdentity } = await setStage(t);
  const newCa = await mintCa('new operator CA');
  await put('old-ca.crt', gateway.pki.operatorRoot.pem);
  await put('new-operator-ca.crt', newCa.pem);
  await putIdentity(
    'new-operator',
    await mintOperatorCertificate('operator@example.com', ['platform-team'], newCa),
  );
  await executeRunbook('rotate-operator-ca.md', { directory: gateway.directory, environment, events: {} });
});

test("rotate the gateway's server certificate", { skip }, async (t) => {
  const { gateway, environment, putIdentity } = await setStage(t);
  await putIdentity(
    'new-server',
    await mintServerCertificate(['localhost', '127.0.0.1'], gateway.pki.serverCa),
  );
  await executeRunbook('rotate-server-certificate.md', {
    directory: gateway.directory,
    environment,
    events: {},
  });
});

test('revoke a cluster', { skip }, async (t) => {
  const { gateway, environment, putIdentity, poll } = await setStage(t);
  const first = await gateway.pki.cluster(FIRST);
  const second = await gateway.pki.cluster(SECOND);
  await putIdentity('demo-cluster-02', second);
  await poll(FIRST, first, 200);
  await executeRunbook('revoke-a-cluster.md', {
    directory: gateway.directory,
    environment,
    events: {
      'the first cluster polls and is refused': () => poll(FIRST, first, 495),
      'the second cluster polls and is refused': async () => {
        await poll(SECOND, second, 495);
        await poll(SECOND, await gateway.pki.cluster(SECOND), 200);
      },
      'both clusters poll and are served': async () => {
        await poll(FIRST, first, 200);
        await poll(SECOND, second, 200);
      },
    },
  });
});

test('a wait for a reload that does not know since when says so, and does not end as if it had been read', {
  skip,
}, () => {
  const { setup = '' } = readPage('docs/runbooks/README.md');
  for (const before of ['', 'null']) {
    const answer = `operator() { echo '{"loaded_at":"2026-11-20T00:00:00.000Z"}'; }`;
    const ran = spawnSync('bash', ['-uc', `${setup}\n${answer}\nin_force "${before}"`], { encoding: 'utf8' });
    assert.equal(ran.status, 1, before);
    assert.match(ran.stderr, /^in_force: since when\?/);
  }
});

test('move a fleet from tokens to certificates', { skip }, async (t) => {
  const { gateway, environment, put, poll } = await setStage(t);
  await put('read-token', READ_TOKEN);
  await poll(FIRST, undefined, 200);
  await poll(SECOND, undefined, 200);
  await poll(THIRD, await gateway.pki.cluster(THIRD), 200);
  await executeRunbook('tokens-to-certificates.md', {
    directory: gateway.directory,
    environment,
    events: {
      'the first two clusters poll with certificates': async () => {
        for (const dns of [FIRST, SECOND]) await poll(dns, await gateway.pki.cluster(dns), 200);
      },
    },
  });
});

test('recover from a stale CRL', { skip }, async (t) => {
  const pki = await createTestPki({ clusterRoot: { subject: { CN: 'old cluster CA' } } });
  const hour = 3_600_000;
  const crl = async (from: number, until: number, number: number): Promise<string> =>
    (
      await mintCrl({
        issuer: pki.clusterRoot,
        thisUpdate: new Date(Date.now() + from),
        nextUpdate: new Date(Date.now() + until),
        number,
        revoked: [],
      })
    ).pem;
  const gateway = await startStaleGateway(t, pki, await crl(-2 * hour, -hour, 1));
  const certificate = await pki.cluster(FIRST);
  const poll = async (status: number): Promise<void> => {
    const path = `/api/v2/flux/clusters/${FIRST}/platform-components`;
    assert.equal((await gateway.send({ path, certificate })).status, status);
  };
  await poll(495);
  await writeFile(
    join(gateway.directory, 'operator.crt'),
    (await pki.operator('operator@example.com')).chainPem,
  );
  const operator = await pki.operator('operator@example.com');
  await writeFile(join(gateway.directory, 'operator.crt'), operator.chainPem);
  await writeFile(join(gateway.directory, 'operator.key'), operator.keyPem);
  await executeRunbook('stale-crl.md', {
    directory: gateway.directory,
    environment: {
      GATEWAY: `https://localhost:${gateway.port}`,
      SERVER_CA: 'server-ca.crt',
      OPERATOR: 'operator',
      TRUST: gateway.directory,
    },
    events: {
      'the CA signs a fresh CRL into new.crl': async () =>
        writeFile(join(gateway.directory, 'new.crl'), await crl(-hour, hour, 2)),
    },
  });
  await poll(200);
});

async function startStaleGateway(
  t: TestContext,
  pki: Awaited<ReturnType<typeof createTestPki>>,
  crlPem: string,
): Promise<TestGateway> {
  return await startTestGateway(t, {
    pki,
    prepare: async (directory) => {
      await mkdir(join(directory, 'crl'));
      await writeFile(join(directory, 'crl', 'cluster-ca.crl'), crlPem);
      return { CRL_DIR: join(directory, 'crl') };
    },
  });
}
