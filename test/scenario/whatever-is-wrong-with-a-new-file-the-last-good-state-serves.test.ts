import assert from 'node:assert/strict';
import { mkdir, readFile, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { mintCa, mintClusterCertificate, mintServerCertificate } from '../../certs-dev/mint.ts';
import { READ_TOKEN, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { largeCrl } from '../support/large-crl.ts';
import { type MintedChain, withChain } from '../support/pki.ts';

const DNS = 'demo-cluster-01.k8s.example.com';
const INPUTS = `/api/v2/flux/clusters/${DNS}/namespaces`;

async function poll(gateway: TestGateway, certificate: MintedChain): Promise<number> {
  return (await gateway.send({ path: INPUTS, certificate })).status;
}

/** Until `condition` holds; the contract promises five seconds for a change to be noticed. */
async function within(ms: number, condition: () => Promise<boolean> | boolean): Promise<void> {
  const end = Date.now() + ms;
  while (!(await condition())) {
    if (Date.now() > end) throw new assert.AssertionError({ message: `not within ${ms} ms` });
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const refusals = (gateway: TestGateway) => gateway.log.filter(({ msg }) => msg.startsWith('reload refused'));

/** What is written over which file, and what the one error line must say. */
const BROKEN: Readonly<
  Record<
    string,
    readonly [file: string, content: (gateway: TestGateway) => Promise<string> | string, says: RegExp]
  >
> = {
  'an empty CA file': ['cluster-ca.crt', () => '', /CLUSTER_CA_FILE/],
  'a CA file of prose': ['cluster-ca.crt', () => 'to be filled in', /CLUSTER_CA_FILE/],
  'a CA file that was cut off': [
    'cluster-ca.crt',
    ({ pki }) => pki.clusterBundlePem.slice(0, -40),
    /CLUSTER_CA_FILE/,
  ],
  'a CA file with a leaf in it': [
    'cluster-ca.crt',
    async ({ pki }) => pki.clusterBundlePem + (await pki.cluster(DNS)).pem,
    /CLUSTER_CA_FILE.*not a CA/,
  ],
  'a CA file with a private key in it': [
    'cluster-ca.crt',
    ({ pki }) => pki.clusterBundlePem + pki.clusterRoot.keyPem,
    /CLUSTER_CA_FILE/,
  ],
  "the operators' anchor among the clusters'": [
    'cluster-ca.crt',
    ({ pki }) => pki.clusterBundlePem + pki.operatorRoot.pem,
    /CLUSTER_CA_FILE|OPERATOR_CA_FILE/,
  ],
  'a server certificate that does not fit its key': [
    'server.crt',
    async ({ pki }) => (await mintServerCertificate(['localhost'], pki.serverCa)).pem,
    /TLS_KEY_FILE/,
  ],
  'a garbled server key': [
    'server.key',
    () => '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n',
    /TLS_KEY_FILE/,
  ],
  'a token file that holds no token': ['read-tokens', () => '\n\n', /AUTH_TOKEN_FILE/],
};

async function start(t: TestContext): Promise<TestGateway> {
  return await startTestGateway(t, {
    prepare: async (directory) => {
      await writeFile(join(directory, 'read-tokens'), `${READ_TOKEN}\n`);
      return { AUTH_TOKEN_FILE: join(directory, 'read-tokens') };
    },
    environment: { AUTH_TOKEN: undefined },
  });
}

describe('the last good state serves', () => {
  for (const [what, [file, content, says]] of Object.entries(BROKEN)) {
    it(`after ${what}: one error line, a metric, a detail in /ready; and the next right file is taken`, async (t) => {
      const gateway = await start(t);
      const certificate = await gateway.pki.cluster(DNS);
      const path = join(gateway.directory, file);
      const good = await readFile(path, 'utf8');
      await writeFile(path, await content(gateway));
      assert.equal(await gateway.gateway.reload('SIGHUP'), false);

      assert.equal(await poll(gateway, certificate), 200);
      const second = await gateway.send({ path: INPUTS.replace('01', '02'), token: READ_TOKEN });
      assert.equal(second.status, 200);
      const [line] = refusals(gateway);
      assert.equal(line?.level, 'error');
      assert.match(String(line?.['reason']), says);
      assert.doesNotMatch(JSON.stringify(line), /PRIVATE KEY-----/);
      const ready = await gateway.send({ path: '/ready' });
      assert.equal(ready.status, 200);
      assert.equal(ready.json<{ details: { field: string }[] }>().details[0]?.field, 'reload');
      assert.match(await metrics(gateway), /fluxgate_reloads_total\{result="refused"\} [1-9]/);

      await writeFile(path, good);
      assert.equal(await gateway.gateway.reload('SIGHUP'), true);
      assert.equal((await gateway.send({ path: '/ready' })).json<{ details?: unknown }>().details, undefined);
    });
  }

  it('while a Kubernetes mount is half swapped, and the whole swap is taken by itself within five seconds', async (t) => {
    const next = await mintCa('next CA');
    const gateway = await startTestGateway(t, {
      prepare: async (directory) => {
        const mount = join(directory, 'mount');
        await mkdir(join(mount, '..v1'), { recursive: true });
        await writeFile(join(mount, '..v1', 'ca.crt'), await readFile(join(directory, 'cluster-ca.crt')));
        await symlink('..v1', join(mount, '..data'));
        await symlink(join('..data', 'ca.crt'), join(mount, 'ca.crt'));
        return { CLUSTER_CA_FILE: join(mount, 'ca.crt') };
      },
    });
    const mount = join(gateway.directory, 'mount');
    const certificate = await gateway.pki.cluster(DNS);
    const renewed = withChain(await mintClusterCertificate(DNS, next));

    await mkdir(join(mount, '..v2'));
    await writeFile(join(mount, '..v2', 'ca.crt'), next.pem.slice(0, 100));
    await swap(mount, '..v2');
    await within(5_000, () => refusals(gateway).length > 0);
    assert.equal(await poll(gateway, certificate), 200, 'half written: the old CA is in force');

    await mkdir(join(mount, '..v3'));
    await writeFile(join(mount, '..v3', 'ca.crt'), next.pem);
    await swap(mount, '..v3');
    await within(5_000, async () => (await poll(gateway, renewed)) === 200);
    assert.equal(await poll(gateway, certificate), 495, 'swapped: the new one is');
  });

  it('through ten reloads in a second, every other one broken, with polls in between', async (t) => {
    const gateway = await start(t);
    const certificate = await gateway.pki.cluster(DNS);
    const path = join(gateway.directory, 'cluster-ca.crt');
    const results: Promise<boolean>[] = [];
    for (let i = 0; i < 10; i++) {
      await writeFile(path, i % 2 === 0 ? 'broken' : gateway.pki.clusterBundlePem);
      const reload = gateway.gateway.reload('SIGHUP');
      results.push(reload);
      if (i % 2 === 0) assert.equal(await reload, false);
      assert.equal(await poll(gateway, certificate), 200);
    }
    assert.equal(await results.at(-1), true);
    assert.equal(await poll(gateway, certificate), 200);
  });

  it('when a reload is asked for while the gateway drains', async (t) => {
    const gateway = await start(t);
    const closing = gateway.gateway.close();
    assert.equal(await gateway.gateway.reload('SIGHUP'), false);
    await closing;
    assert.ok(!gateway.log.some(({ msg }) => msg === 'reloaded'));
  });

  it('when the gateway is asked to stop in the midst of a large reload, which it does not wait for', async (t) => {
    const gateway = await startTestGateway(t, {
      prepare: async (directory) => {
        await mkdir(join(directory, 'crls'));
        return { CRL_DIR: join(directory, 'crls') };
      },
    });
    const dates = { thisUpdate: new Date(), nextUpdate: new Date(Date.now() + 3_600_000) };
    const large = largeCrl({ issuer: gateway.pki.clusterRoot, ...dates, number: 1, fillers: 400_000 });
    await writeFile(join(gateway.directory, 'crls', 'large.crl'), large);
    const reload = gateway.gateway.reload('SIGHUP');
    let loaded = false;
    void reload.then(() => {
      loaded = true;
    });
    // It has begun once everything that was waiting had its turn.
    await new Promise((resolve) => setImmediate(resolve));
    await gateway.gateway.close();
    assert.equal(loaded, false, 'the reload was under way');
    assert.equal(gateway.log.at(-1)?.msg, 'stopped');
    assert.equal(await reload, false);
    assert.equal(gateway.log.at(-1)?.msg, 'stopped', 'nothing was put in force, nor told, after the end');
  });
});

async function swap(mount: string, version: string): Promise<void> {
  await symlink(version, join(mount, '..data_tmp'));
  await rename(join(mount, '..data_tmp'), join(mount, '..data'));
}

async function metrics({ gateway }: TestGateway): Promise<string> {
  return await (await fetch(`http://127.0.0.1:${gateway.adminAddress?.port}/metrics`)).text();
}
