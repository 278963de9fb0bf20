/**
 * What questions about a whole fleet cost: POST /trust/plan and GET /trust where 10,000 clusters were seen, the longest that
 * the event loop is held meanwhile, and what polls notice of it. `node bench/trust-plan.ts [clusters]`; prints numbers, asserts none.
 */
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { type Minted, mintCa, mintClusterCertificate, mintIntermediate } from '../certs-dev/mint.ts';
import { type Config, parseConfig } from '../src/core/config.ts';
import { judge } from '../src/core/identity/judge.ts';
import { createTrust, readBundle } from '../src/core/identity/trust.ts';
import { type Gateway, startGateway } from '../src/gateway.ts';
import { systemClock } from '../src/shell/clock.ts';
import type { RequestRecord } from '../src/shell/http/pipeline.ts';
import { createLog } from '../src/shell/log.ts';
import { createPresentations } from '../src/shell/presentations.ts';
import { openSqliteStore } from '../src/shell/store/sqlite-store.ts';
import { ALONE } from '../src/shell/workers/siblings.ts';
import { largeCrl } from '../test/support/large-crl.ts';
import { createTestPki } from '../test/support/pki.ts';
import type { Asked, Told } from './client.ts';
import { measured, print } from './measure.ts';

const CLUSTERS = Number(process.argv[2] ?? 10_000);
/** Of the bundle in force and of the candidate. */
const ANCHORS = 1_000;
const CRLS = 10;
const ENTRIES = 100_000;
const TOKEN = 'write-token-of-this-bench';

const log = createLog('warn', { write: (line: string) => void process.stderr.write(line) });
const directory = await mkdtemp(join(tmpdir(), 'fluxgate-bench-'));
const pki = await createTestPki();
const { environment } = await pki.write(directory);
const issuing = await mintIntermediate('bench issuing', pki.clusterRoot);
const config = await prepare();
await writeSightings();
const gateway = await startGateway(config, { clock: systemClock, log });
await ask(gateway);
await gateway.close();
await rm(directory, { recursive: true, force: true });

function dnsOf(i: number): string {
  return `cluster-${String((i * 7_919) % 1_000_003).padStart(7, '0')}.k8s.example.com`;
}

async function prepare(): Promise<Config> {
  const anchors: Minted[] = [pki.clusterRoot];
  while (anchors.length < ANCHORS) anchors.push(await mintCa(`bench CA ${anchors.length}`));
  await writeFile(environment.CLUSTER_CA_FILE, anchors.map(({ pem }) => pem).join(''));
  await mkdir(join(directory, 'crls'));
  const dates = { thisUpdate: new Date(Date.now() - 60_000), nextUpdate: new Date(Date.now() + 86_400_000) };
  for (const [i, issuer] of anchors.slice(0, CRLS).entries()) {
    await writeFile(
      join(directory, 'crls', `${i}.crl`),
      largeCrl({ issuer, ...dates, number: 1, fillers: ENTRIES }),
    );
  }
  const clusters = Array.from({ length: CLUSTERS }, (_, i) => ({
    id: `c${i}`,
    cluster_name: `c${i}`,
    cluster_dns: dnsOf(i),
    environment: 'prod',
  }));
  await writeFile(join(directory, 'seed.json'), JSON.stringify({ clusters }));
  return parseConfig({
    ...environment,
    API_MODE: 'crud',
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: 'off',
    DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`,
    SEED_FILE: join(directory, 'seed.json'),
    AUTH_TOKEN: 'read-token-of-this-bench',
    CRUD_AUTH_TOKEN: TOKEN,
    CRL_DIR: join(directory, 'crls'),
  });
}

/** As if each had polled once, with a certificate of its own. */
async function writeSightings(): Promise<void> {
  const store = await openSqliteStore(config.databaseUrl);
  const presentations = await createPresentations(store.sightings, systemClock, log, ALONE);
  const trust = createTrust({ cluster: readBundle(pki.clusterRoot.pem, 'bench'), operator: undefined });
  const openssl = { authorized: true, error: undefined };
  const first = await mintClusterCertificate('first.example.com', issuing);
  const tls = { version: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' };
  for (let i = 0; i < CLUSTERS; i += 1) {
    // The keys' own number changes nothing of what is measured, and making them takes longest.
    const leaf = await mintClusterCertificate(dnsOf(i), issuing, { reuseKeyOf: first });
    const chain = [leaf.der, issuing.der];
    const verdict = judge({ presented: chain, openssl, trust, nowMs: Date.now() });
    if (!verdict.accepted) throw new Error(verdict.refusal.detail);
    const record = { verdict, presented: { chain, tls }, principal: verdict.principal, source: '192.0.2.1' };
    presentations.note(record as unknown as RequestRecord, 200);
  }
  await presentations.close();
  await store.close();
}

async function ask({ address }: Gateway): Promise<void> {
  const workerData = { port: address.port, ca: pki.serverCa.pem, token: TOKEN };
  const client = new Worker(new URL('client.ts', import.meta.url), { workerData });
  const question = async (what: string, asked: Asked): Promise<void> => {
    const told = await measured(what, async () => {
      client.postMessage(asked);
      return ((await once(client, 'message')) as [Told])[0];
    });
    if (told.status !== 200) throw new Error(`${what}: ${told.status}`);
    print(`${what}: octets of the answer`, told.octets, '');
    print(`${what}: polls answered meanwhile`, told.polls, '');
    print(`${what}: the slowest of them`, told.slowestPoll, 'ms');
  };
  const plan = (body: object): Asked => ({
    method: 'POST',
    path: '/trust/plan',
    body: JSON.stringify(body),
  });
  const root = { path: '/health', method: 'GET' };
  await question('GET /health, to warm up', root);
  const { createHash } = await import('node:crypto');
  const sha256 = createHash('sha256').update(pki.clusterRoot.der).digest('hex');
  const candidate: string[] = [];
  while (candidate.length < 900) candidate.push((await mintCa(`bench candidate ${candidate.length}`)).pem);
  for (let i = 0; i < 3; i += 1) {
    await question('plan, all would be refused', plan({ remove_anchors: [sha256] }));
    await question(
      'plan, all would stay, 900 CAs in the candidate',
      plan({ cluster_ca_pem: [pki.clusterRoot.pem, ...candidate].join('') }),
    );
    await question('GET /trust', { method: 'GET', path: '/trust' });
    await question('GET /trust, every name', {
      method: 'GET',
      path: '/trust?limit=10000&expires_within=100d',
    });
  }
  await client.terminate();
}
