/**
 * Where the CPU of a poll goes: profiles Fluxgate while it is polled (fresh mutual TLS each time) and draws a flame graph.
 * `node bench/flame.ts [CLUSTERS] [FILE.svg]`. The profiled process runs without its sandbox, which would not let the profile be written.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTestPki } from '../test/support/pki.ts';
import { type CpuProfile, flameGraph } from './flame-graph.ts';
import { dnsOf, writeSeed } from './fleet-store.ts';
import type { Identity, Load, Served } from './load.ts';
import { freePort, worker } from './processes.ts';

const CLUSTERS = Number(process.argv[2] ?? 1_000);
const FILE = process.argv[3] ?? fileURLToPath(new URL('../docs/images/poll-flame.svg', import.meta.url));
const IDENTITIES = Math.min(CLUSTERS, 200);
const WARM_UP = 4_000;
const POLLS = 4_000;
const SAMPLE_US = 250;

const directory = await mkdtemp(join(tmpdir(), 'fluxgate-flame-'));
const pki = await createTestPki();
const { environment } = await pki.write(directory);
const { TLS_CERT_FILE = '', TLS_KEY_FILE = '', CLUSTER_CA_FILE = '' } = environment as Record<string, string>;
const identities: Identity[] = [];
for (let n = 0; n < IDENTITIES; n++) {
  const dns = dnsOf(Math.floor((n * CLUSTERS) / IDENTITIES));
  const { chainPem, keyPem } = await pki.cluster(dns);
  const path = `/api/v2/flux/clusters/${dns}/platform-components`;
  identities.push({ path, certificate: chainPem, key: keyPem });
}
const [port, adminPort] = [await freePort(), await freePort()];
const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const profiler = ['--cpu-prof', `--cpu-prof-dir=${directory}`, `--cpu-prof-interval=${SAMPLE_US}`];
const gateway = spawn(process.execPath, [...profiler, main, 'serve'], {
  env: {
    ...{ PATH: process.env['PATH'], TLS_CERT_FILE, TLS_KEY_FILE, CLUSTER_CA_FILE, SANDBOX: 'off' },
    LISTEN_ADDR: `127.0.0.1:${port}`,
    ADMIN_ADDR: `127.0.0.1:${adminPort}`,
    DATABASE_URL: `sqlite://${join(directory, 'data', 'fleet.db')}`,
    SEED_FILE: await writeSeed(directory, CLUSTERS, 10),
  },
  stdio: ['ignore', 'ignore', 'inherit'],
});
for (;;) {
  const ready = await fetch(`http://127.0.0.1:${adminPort}/ready`).catch(() => undefined);
  if (ready?.status === 200) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const load = worker<Load, Served>(new URL('./load.ts', import.meta.url), undefined);
const poll = (polls: number, known: readonly Identity[]): Promise<Served> =>
  load.ask({ port, ca: pki.serverCa.pem, identities: known, polls, atOnce: 8, perConnection: 1 });
await poll(WARM_UP, identities);
// The profile's moments and these are of one clock, the system's monotonic one.
const moment = (): number => Number(process.hrtime.bigint() / 1_000n);
const from = moment();
const { failures } = await poll(POLLS, []);
const until = moment();
load.stop();
gateway.kill('SIGTERM');
await once(gateway, 'exit');

const name = (await readdir(directory)).find((file) => file.endsWith('.cpuprofile'));
if (name === undefined) throw new Error('there is no profile');
const profile = JSON.parse(await readFile(join(directory, name), 'utf8')) as CpuProfile;
const svg = flameGraph(profile, {
  from,
  until,
  title: `What JavaScript does in ${POLLS} polls, and calls; the handshakes in OpenSSL are beside it`,
});
await writeFile(FILE, svg);
await rm(directory, { recursive: true, force: true });
process.stdout.write(
  `${FILE}: ${Math.round(svg.length / 1_024)} KiB; failures: ${JSON.stringify(failures)}\n`,
);
