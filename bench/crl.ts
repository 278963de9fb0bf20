/**
 * What large trust costs: loading 1,000 anchors and 10 CRLs of 100,000 entries each, the longest that anything else waits
 * meanwhile (goal: under 50 ms), the same of a whole gateway with open connections, and what a verdict costs afterwards.
 * `node bench/crl.ts`; prints numbers, asserts none.
 */
import { X509Certificate } from 'node:crypto';
import { appendFile, cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { parse } from 'yaml';
import { type Minted, mintCa, mintClusterCertificate, mintServerCertificate } from '../certs-dev/mint.ts';
import { parseConfig } from '../src/core/config.ts';
import { judge } from '../src/core/identity/judge.ts';
import { readOperations } from '../src/core/policy/operations.ts';
import { startGateway } from '../src/gateway.ts';
import { systemClock } from '../src/shell/clock.ts';
import { createLoader } from '../src/shell/load-snapshot.ts';
import { createLog } from '../src/shell/log.ts';
import type { Loaded } from '../src/shell/reload.ts';
import { PeerJudge } from '../src/shell/tls/peer.ts';
import { keepOpen } from '../test/support/kept-open.ts';
import { largeCrl } from '../test/support/large-crl.ts';
import { withChain } from '../test/support/pki.ts';
import { measured, print } from './measure.ts';

const ANCHORS = 1_000;
const CRLS = 10;
const ENTRIES = 100_000;

const directory = await mkdtemp(join(tmpdir(), 'fluxgate-bench-'));
const crlDir = join(directory, 'crls');
await mkdir(crlDir);
const anchors: Minted[] = [];
for (let i = 0; i < ANCHORS; i += 1) anchors.push(await mintCa(`bench CA ${i}`));
const operators = await mintCa('bench operators');
const server = await mintServerCertificate(['localhost'], operators);
const now = Date.now();
let octets = 0;
async function writeCrls(number: number): Promise<void> {
  octets = 0;
  for (const [i, issuer] of anchors.slice(0, CRLS).entries()) {
    const dates = { thisUpdate: new Date(now + number * 1_000), nextUpdate: new Date(now + 86_400_000) };
    const der = largeCrl({ issuer, ...dates, number, fillers: ENTRIES });
    octets += der.length;
    await writeFile(join(crlDir, `${i}.crl`), der);
  }
}
await writeCrls(1);
const put = async (name: string, text: string): Promise<string> => {
  await writeFile(join(directory, name), text);
  return join(directory, name);
};
const policies = join(directory, 'policy');
await cp(new URL('../policy/', import.meta.url), policies, { recursive: true });
const config = parseConfig({
  POLICY_DIR: policies,
  TLS_CERT_FILE: await put('server.crt', server.pem),
  TLS_KEY_FILE: await put('server.key', server.keyPem),
  CLUSTER_CA_FILE: await put('ca.crt', anchors.map(({ pem }) => pem).join('')),
  CRL_DIR: crlDir,
  LISTEN_ADDR: '127.0.0.1:0',
  ADMIN_ADDR: 'off',
  DATABASE_URL: 'sqlite::memory:',
});
const document = parse(await readFile(new URL('../openapi.yaml', import.meta.url), 'utf8')) as object;
const operations = readOperations(document);
const loader = createLoader(config, operations, systemClock);
const load = (previous?: Loaded): Promise<Loaded> => loader(1, previous?.snapshot);
const newAnchor = async (name: string): Promise<void> => {
  anchors.push(await mintCa(name));
  await put('ca.crt', anchors.map(({ pem }) => pem).join(''));
};

print('octets of CRLs', octets, '');
const before = process.memoryUsage();
const first = await measured('start', () => load());
const after = process.memoryUsage();
const grown = after.arrayBuffers + after.heapUsed - before.arrayBuffers - before.heapUsed;
print('memory for each entry, its CRL included', grown / (CRLS * ENTRIES), 'octets');
let loaded = await measured('reload, nothing new', () => load(first));
for (let i = 2; i <= 4; i += 1) {
  await writeCrls(i);
  loaded = await measured(`reload, ${CRLS} new CRLs`, () => load(loaded));
}
for (let i = 0; i < 3; i += 1) {
  await writeCrls(5 + i);
  await newAnchor(`bench CA new ${i}`);
  loaded = await measured(`reload, a new anchor and ${CRLS} new CRLs`, () => load(loaded));
}

for (let i = 0; i < 3; i += 1) {
  await appendFile(join(policies, 'clusters.cedar'), `// ${i}\n`);
  loaded = await measured('reload, a policy that changed', () => load(loaded));
}

const { trust, crls } = loaded.snapshot;
const [issuer] = anchors;
if (issuer === undefined) throw new Error('no CA');
const leaves: Minted[] = [];
for (let i = 0; i < 200; i += 1) leaves.push(await mintClusterCertificate(`c${i}.example.com`, issuer));
const openssl = { authorized: true, error: undefined };
const begin = performance.now();
for (const { der } of leaves) {
  const verdict = judge({ presented: [der], openssl, trust, revocation: crls, nowMs: Date.now() });
  if (!verdict.accepted) throw new Error(verdict.refusal.detail);
}
print('first verification of a new certificate', (performance.now() - begin) / leaves.length, 'ms');

// A poll is a fresh connection with a certificate that was seen before: read off the socket, hashed, and found.
const judgeOfPeers = new PeerJudge(loaded.snapshot);
const [known] = leaves;
if (known === undefined) throw new Error('no leaf');
const connection = (): TLSSocket =>
  ({
    destroyed: false,
    authorized: true,
    authorizationError: null,
    isSessionReused: () => false,
    getProtocol: () => 'TLSv1.3',
    getCipher: () => ({ standardName: 'TLS_AES_128_GCM_SHA256' }),
    getPeerX509Certificate: () => new X509Certificate(known.der),
  }) as unknown as TLSSocket;
const CONNECTIONS = 20_000;
const beginVerdicts = performance.now();
for (let i = 0; i < CONNECTIONS; i += 1) {
  if (judgeOfPeers.verdictOf(connection(), Date.now())?.accepted !== true) throw new Error('refused');
}
print(
  'verdicts of a known certificate, a new connection each',
  CONNECTIONS / ((performance.now() - beginVerdicts) / 1000),
  '/s',
);
const kept = connection();
const REQUESTS = 1_000_000;
const beginKept = performance.now();
for (let i = 0; i < REQUESTS; i += 1) judgeOfPeers.verdictOf(kept, Date.now());
print('verdicts on an open connection', REQUESTS / ((performance.now() - beginKept) / 1000), '/s');

const [line] = crls.crls;
if (line === undefined) throw new Error('no CRL');
const LOOK_UPS = 500_000;
const started = performance.now();
for (let i = 0; i < LOOK_UPS; i += 1) line.facts.entries.find(`41${i.toString(16).padStart(30, '0')}`);
print('look-ups of a serial among 100,000', LOOK_UPS / ((performance.now() - started) / 1000), '/s');
await measureGateway();
await rm(directory, { recursive: true, force: true });

/** With connections that are kept open, each by a certificate of its own, and so each to be judged again. */
async function measureGateway(): Promise<void> {
  const log = createLog('error', { write: (line: string) => void process.stderr.write(line) });
  const gateway = await startGateway(config, { clock: systemClock, log });
  const endpoint = { port: gateway.address.port, serverCaPem: operators.pem };
  const open = [];
  for (const leaf of leaves) open.push(await keepOpen(endpoint, withChain(leaf)));
  for (let i = 0; i < 3; i += 1) {
    await writeCrls(10 + i);
    await newAnchor(`bench CA of the gateway ${i}`);
    await measured(`whole gateway, the same, ${open.length} open connections`, () =>
      gateway.reload('SIGHUP'),
    );
    if (open.some((one) => one.isEnded())) throw new Error('a connection was ended');
  }
  for (const { socket } of open) socket.destroy();
  await gateway.close();
}
