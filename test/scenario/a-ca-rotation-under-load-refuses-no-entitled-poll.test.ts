import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { test } from 'node:test';
import { mintCa, mintClusterCertificate } from '../../certs-dev/mint.ts';
import type { ClientCertificate } from '../support/client.ts';
import { startTestGateway, type TestGateway } from '../support/gateway.ts';
import { type MintedChain, withChain } from '../support/pki.ts';

const CLUSTERS = Array.from({ length: 50 }, (_, i) => `cluster-${String(i).padStart(2, '0')}.example.com`);
const KEPT_OPEN = 20;
const STRAGGLER = CLUSTERS.at(-1) ?? '';
const ROTATIONS = 2;

const SEED = {
  clusters: CLUSTERS.map((dns, i) => ({
    id: `cluster-${i}`,
    cluster_name: dns,
    cluster_dns: dns,
    environment: 'prod',
    namespaces: [{ id: 'apps' }],
  })),
  platform_components: [],
  namespaces: [{ id: 'apps', labels: {}, annotations: {} }],
  rolebindings: [],
};

test('old CA, both, re-issued one by one, planned, removed, twice over: not one entitled poll fails', async (t) => {
  const gateway = await startTestGateway(t, { seed: SEED });
  const held = new Map<string, MintedChain>();
  for (const dns of CLUSTERS) held.set(dns, await gateway.pki.cluster(dns));
  const operator = await gateway.pki.operator('operator@example.com');
  let trusted = gateway.pki.clusterBundlePem;

  for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
    const next = await mintCa(`cluster CA ${rotation}`);
    const load = startPolling(gateway, held);
    t.after(() => load.stop());
    const open = await Promise.all(
      CLUSTERS.slice(0, KEPT_OPEN).map((dns) => openConnection(gateway, certificateOf(held, dns))),
    );
    const straggler = await openConnection(gateway, certificateOf(held, STRAGGLER));

    await trust(gateway, trusted + next.pem);
    for (const dns of CLUSTERS) {
      if (dns === STRAGGLER) continue;
      held.set(dns, withChain(await mintClusterCertificate(dns, next)));
      await load.polled(1);
    }
    await load.polledAll();
    const plan = await gateway.send({
      method: 'POST',
      path: '/trust/plan',
      certificate: operator,
      body: { cluster_ca_pem: next.pem },
    });
    const { safe, clusters } = plan.json<{
      safe: boolean;
      clusters: { refused: { entries: { name: string }[] } };
    }>();
    assert.equal(safe, false);
    assert.deepEqual(
      clusters.refused.entries.map(({ name }) => name),
      [STRAGGLER],
      'the plan names who is left',
    );
    for (const connection of open)
      assert.equal((await connection.ask()).status, 200, 'kept open, old certificate, both CAs');

    load.leave(STRAGGLER);
    await trust(gateway, next.pem);
    const refused = await gateway.send({
      path: `/api/v2/flux/clusters/${STRAGGLER}/namespaces`,
      certificate: certificateOf(held, STRAGGLER),
    });
    assert.equal(refused.status, 495, 'the straggler, from the first request on');
    await assert.rejects(straggler.ask(), 'its idle connection is closed');
    await load.polledAll();
    const { polls, failures } = await load.stop();
    assert.deepEqual(failures, []);
    assert.ok(polls >= CLUSTERS.length * 3, `${polls} polls`);
    for (const connection of open) connection.end();

    held.set(STRAGGLER, withChain(await mintClusterCertificate(STRAGGLER, next)));
    trusted = next.pem;
  }
});

test('connections of other clusters stay open while a CA goes', async (t) => {
  const gateway = await startTestGateway(t, { seed: SEED });
  const next = await mintCa('next cluster CA');
  await trust(gateway, gateway.pki.clusterBundlePem + next.pem);
  const [first = '', second = ''] = CLUSTERS;
  const old = await openConnection(gateway, await gateway.pki.cluster(first));
  const renewed = await openConnection(gateway, withChain(await mintClusterCertificate(second, next)));
  const { socket } = await renewed.ask();
  await old.ask();
  await trust(gateway, next.pem);
  await assert.rejects(old.ask());
  const after = await renewed.ask();
  assert.equal(after.status, 200);
  assert.equal(after.socket, socket, 'the very same connection');
  renewed.end();
});

async function trust(gateway: TestGateway, pem: string): Promise<void> {
  await writeFile(join(gateway.directory, 'cluster-ca.crt'), pem);
  assert.equal(await gateway.gateway.reload('SIGHUP'), true);
}

function certificateOf(held: ReadonlyMap<string, MintedChain>, dns: string): MintedChain {
  const certificate = held.get(dns);
  assert.ok(certificate);
  return certificate;
}

interface Load {
  polled(count: number): Promise<void>;
  /** Every cluster has polled with what it holds now. */
  polledAll(): Promise<void>;
  leave(dns: string): void;
  stop(): Promise<{ readonly polls: number; readonly failures: readonly string[] }>;
}

/** Five at a time, each poll on a connection of its own, as Flux does it. */
function startPolling(gateway: TestGateway, held: ReadonlyMap<string, MintedChain>): Load {
  const entitled = new Set(CLUSTERS);
  const failures: string[] = [];
  let polls = 0;
  let stopped = false;
  let cursor = 0;
  const worker = async (): Promise<void> => {
    while (!stopped) {
      const dns = CLUSTERS[cursor++ % CLUSTERS.length] ?? '';
      if (!entitled.has(dns)) continue;
      const path = `/api/v2/flux/clusters/${dns}/namespaces`;
      try {
        const { status } = await gateway.send({ path, certificate: certificateOf(held, dns) });
        // A poll that was on its way when its cluster was given up is nobody's claim.
        if (status !== 200 && entitled.has(dns)) failures.push(`${dns}: ${status}`);
      } catch (error) {
        if (entitled.has(dns)) failures.push(`${dns}: ${error}`);
      }
      polls++;
    }
  };
  const running = Promise.all(Array.from({ length: 5 }, worker));
  const polled = async (count: number): Promise<void> => {
    const goal = polls + count;
    while (polls < goal) await new Promise((resolve) => setTimeout(resolve, 2));
  };
  return {
    polled,
    polledAll: () => polled(CLUSTERS.length + 10),
    leave: (dns) => entitled.delete(dns),
    async stop() {
      stopped = true;
      await running;
      return { polls, failures };
    },
  };
}

interface OpenConnection {
  /** Asks on this one connection; rejects once it is closed. */
  ask(): Promise<{ readonly status: number; readonly socket: unknown }>;
  end(): void;
}

async function openConnection(gateway: TestGateway, certificate: ClientCertificate): Promise<OpenConnection> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  let known: unknown;
  const ask = (): Promise<{ status: number; socket: unknown }> =>
    new Promise((resolve, reject) => {
      const outgoing = request(
        {
          host: '127.0.0.1',
          port: gateway.port,
          path: '/health',
          agent,
          ca: gateway.serverCaPem,
          servername: 'localhost',
          cert: certificate.chainPem,
          key: certificate.keyPem,
          headers: { host: 'localhost' },
        },
        (response) => {
          response.resume();
          response.on('end', () => resolve({ status: response.statusCode ?? 0, socket: known }));
        },
      );
      outgoing.on('socket', (socket) => {
        if (known !== undefined && known !== socket) {
          outgoing.destroy();
          reject(new Error('the connection was closed'));
        }
        known = socket;
      });
      outgoing.on('error', reject);
      outgoing.end();
    });
  assert.equal((await ask()).status, 200);
  return { ask, end: () => agent.destroy() };
}
