import assert from 'node:assert/strict';
import { mkdir, realpath, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import { LIMITS } from '../../src/core/limits.ts';
import { systemClock } from '../../src/shell/clock.ts';
import { serveEnvironment } from '../cli/serve-environment.ts';
import { crlOf } from '../support/crls.ts';
import { type LogLine, READ_TOKEN, startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type MintedChain, withChain } from '../support/pki.ts';
import { PROJECT, spawned } from '../support/spawned.ts';
import { demoDns, poll } from '../support/trust.ts';

interface Told {
  readonly clusters: { readonly count: number; readonly names: readonly string[] };
  readonly operators: { readonly count: number; readonly names: readonly string[] };
}

const told = ({ log }: TestGateway): LogLine[] =>
  log.filter(({ msg }) => msg === 'seen lately, and refused since this reload');

async function nextTold(gateway: TestGateway, before: number): Promise<Told & LogLine> {
  const end = performance.now() + 20_000;
  while (told(gateway).length <= before) {
    assert.ok(performance.now() < end, 'nobody was told of');
    await pause(5);
  }
  return told(gateway)[before] as unknown as Told & LogLine;
}

interface Stage {
  readonly gateway: TestGateway;
  readonly caFile: string;
  forward(ms: number): void;
  reload(): Promise<void>;
}

async function setStage(t: TestContext): Promise<Stage> {
  let ahead = 0;
  const gateway = await startTestGateway(t, {
    clock: { ...systemClock, now: () => Date.now() + ahead },
    prepare: async (directory) => {
      await mkdir(join(directory, 'crls'));
      await writeFile(join(directory, 'tokens'), `${READ_TOKEN}\n`);
      return { CRL_DIR: join(directory, 'crls'), AUTH_TOKEN_FILE: join(directory, 'tokens') };
    },
    environment: { AUTH_TOKEN: undefined },
  });
  return {
    gateway,
    caFile: join(gateway.directory, 'cluster-ca.crt'),
    forward: (ms) => {
      ahead += ms;
    },
    reload: async () => assert.equal(await gateway.gateway.reload('SIGHUP'), true),
  };
}

describe('the line of the start', () => {
  it('says which store is served, and how many clusters are in it', async (t) => {
    const { gateway } = await setStage(t);
    const line = gateway.log.find(({ msg }) => msg === 'serving');
    assert.equal(line?.['store'], join(gateway.directory, 'fleet.db'));
    assert.equal(line?.['clusters'], 3);
  });

  it('and where it is, whole: with two slashes, a path that looks absolute begins in the working directory', async (t) => {
    const { directory, environment } = await serveEnvironment(t);
    const serving = spawned(t, [process.execPath, join(PROJECT, 'src/main.ts'), 'serve'], {
      directory,
      environment: { ...environment, DATABASE_URL: 'sqlite://var/lib/x/x.db', WORKERS: '1' },
    });
    await serving.said('"msg":"serving"');
    const path = join(await realpath(directory), 'var/lib/x/x.db');
    assert.ok(serving.stdout().includes(`"store":${JSON.stringify(path)},`), serving.stdout());
    serving.child.kill('SIGTERM');
    assert.equal((await serving.ended).code, 0);
  });
});

describe('after a reload', () => {
  it('who was seen lately and is refused now is told, by name and rule, once', async (t) => {
    const { gateway, caFile, reload } = await setStage(t);
    const { pki } = gateway;
    const next = await mintCa('next root');
    await writeFile(caFile, pki.clusterBundlePem + next.pem);
    await reload();
    const moved = withChain(await mintClusterCertificate(demoDns(2), next));
    for (const [dns, certificate] of [
      [demoDns(1), await pki.cluster(demoDns(1))],
      [demoDns(2), moved],
    ] as const) {
      assert.equal((await poll(gateway, dns, certificate)).status, 200);
    }
    const operator = await pki.operator('op@example.com');
    assert.equal((await gateway.send({ path: '/clusters', certificate: operator })).status, 200);

    await writeFile(caFile, next.pem);
    await reload();
    const removal = await nextTold(gateway, 0);
    assert.equal(removal.level, 'warn');
    assert.deepEqual(removal.clusters, { count: 1, names: [`${demoDns(1)} (untrusted)`] });
    assert.deepEqual(removal.operators, { count: 0, names: [] });
    assert.equal(
      removal['generation'],
      gateway.log.findLast(({ msg }) => msg === 'reloaded')?.['generation'],
    );

    await writeFile(join(gateway.directory, 'crls', 'next.crl'), await crlOf(next, [moved]));
    await writeFile(join(gateway.directory, 'crls', 'op.crl'), await crlOf(pki.operatorRoot, [operator]));
    await reload();
    const revoked = await nextTold(gateway, 1);
    assert.deepEqual(revoked.clusters, { count: 1, names: [`${demoDns(2)} (revoked)`] });
    assert.deepEqual(revoked.operators, { count: 1, names: ['op@example.com (revoked)'] });

    // Reloads that shut nobody out tell nothing: the next line is of the next one that does.
    await writeFile(join(gateway.directory, 'tokens'), `${READ_TOKEN}\nanother-token\n`);
    await reload();
    await writeFile(caFile, pki.clusterBundlePem + next.pem);
    await reload();
    await writeFile(caFile, next.pem);
    await reload();
    const again = await nextTold(gateway, 2);
    assert.deepEqual(again.clusters.names, [`${demoDns(1)} (untrusted)`]);
  });

  it('names are bounded, all are counted; who was seen longer ago than a day is left to a plan', async (t) => {
    const { gateway, caFile, forward, reload } = await setStage(t);
    const { pki } = gateway;
    const dnsOf = (i: number): string => `many-${String(i).padStart(3, '0')}.k8s.example.com`;
    const show = async (dns: string, certificate: MintedChain): Promise<void> => {
      assert.ok([200, 404].includes((await poll(gateway, dns, certificate)).status));
    };
    await show(demoDns(1), await pki.cluster(demoDns(1)));
    forward(LIMITS.seenLatelyMs + 1_000);
    const count = LIMITS.loggedNamesMax + 5;
    for (let i = 0; i < count; i++) await show(dnsOf(i), await pki.cluster(dnsOf(i)));
    await writeFile(caFile, (await mintCa('another')).pem);
    await reload();
    const { clusters } = await nextTold(gateway, 0);
    assert.equal(clusters.count, count);
    assert.equal(clusters.names.length, LIMITS.loggedNamesMax);
    assert.ok(clusters.names.every((name) => name.startsWith('many-')));
  });
});
