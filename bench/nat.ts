/**
 * A fleet of 10,000 clusters behind one address, that was never seen before, comes to a gateway that has just started with its
 * defaults: each polls once with its own certificate over a connection of its own, hundreds at once. `node bench/nat.ts
 * [CLUSTERS] [AT_ONCE]`; prints what the polls got, what the gateway counted, and how long it took.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createSecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { DEMO_SEED } from '../src/core/fleet/demo-fleet.ts';
import { createTestPki, type MintedChain } from '../test/support/pki.ts';
import { freePort } from './harness/processes.ts';

const CLUSTERS = Number(process.argv[2] ?? 10_000);
const AT_ONCE = Number(process.argv[3] ?? 500);
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const seconds = (since: number): string => `${((performance.now() - since) / 1_000).toFixed(1)} s`;
const dnsOf = (number: number): string => `cluster-${number}.example.com`;

const directory = await mkdtemp(join(tmpdir(), 'fluxgate-nat-'));
const pki = await createTestPki();
const files = await pki.write(directory);
const [model] = DEMO_SEED.clusters;
const clusters = Array.from({ length: CLUSTERS }, (_, number) => ({
  ...model,
  id: `cluster-${number}`,
  cluster_name: `cluster-${number}`,
  cluster_dns: dnsOf(number),
}));
await writeFile(join(directory, 'seed.json'), JSON.stringify({ ...DEMO_SEED, clusters }));

let begun = performance.now();
const leaves: MintedChain[] = [];
for (let number = 0; number < CLUSTERS; number++) {
  leaves.push(await pki.cluster(dnsOf(number)));
}
say(`${CLUSTERS} certificates minted in ${seconds(begun)}`);

const port = await freePort();
const adminPort = await freePort();
begun = performance.now();
const gateway = spawn(process.execPath, [MAIN, 'serve'], {
  env: {
    PATH: process.env['PATH'],
    LISTEN_ADDR: `127.0.0.1:${port}`,
    ADMIN_ADDR: `127.0.0.1:${adminPort}`,
    DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`,
    SEED_FILE: join(directory, 'seed.json'),
    LOG_LEVEL: 'warn',
    ...files.environment,
  },
  stdio: ['ignore', 'inherit', 'inherit'],
});

async function ready(): Promise<void> {
  for (;;) {
    const answer = await fetch(`http://127.0.0.1:${adminPort}/ready`).catch(() => undefined);
    if (answer?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function poll(leaf: MintedChain, dns: string): Promise<number | string> {
  const secureContext = createSecureContext({ ca: pki.serverCa.pem, cert: leaf.chainPem, key: leaf.keyPem });
  const path = `/api/v2/flux/clusters/${dns}/platform-components`;
  const options = { host: '127.0.0.1', port, path, servername: 'localhost', agent: false, secureContext };
  return new Promise((resolve) => {
    const sent = request({ ...options, headers: { host: 'localhost' } }, (answer) => {
      answer.resume().on('end', () => resolve(answer.statusCode ?? 0));
    });
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    sent.end();
  });
}

try {
  await ready();
  say(`the gateway was ready after ${seconds(begun)}`);
  const results = new Map<number | string, number>();
  begun = performance.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let number = next++; number < CLUSTERS; number = next++) {
      const result = await poll(leaves[number] as MintedChain, dnsOf(number));
      results.set(result, (results.get(result) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  say(
    `${CLUSTERS} polls from one address, ${AT_ONCE} at once: ${JSON.stringify([...results])}, ${seconds(begun)}`,
  );
  const metrics = await (await fetch(`http://127.0.0.1:${adminPort}/metrics`)).text();
  const refusals = /^fluxgate_(connections_refused|requests_limited|client_certificates_refused)_total/;
  for (const line of metrics.split('\n')) if (refusals.test(line) && !line.endsWith(' 0')) say(line);
} finally {
  gateway.kill('SIGTERM');
  await once(gateway, 'exit');
  await rm(directory, { recursive: true, force: true });
}
