/**
 * What a poll costs: server CPU for each poll (fresh mutual TLS 1.3 handshake, one GET, close), of Fluxgate as `serve` runs it, of a bare
 * node:https with the same TLS and a body of the same size, and of nginx where it is installed. `node bench/poll.ts [CLUSTERS]`; in
 * turn, several times over, medians with all values beside them; asserts nothing.
 */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestPki } from '../test/support/pki.ts';
import { dnsOf, writeSeed } from './fleet-store.ts';
import type { Identity, Load, Served } from './load.ts';
import { freePort, type Measured, worker } from './processes.ts';
import { startFloor, startFluxgate, startNginx, type TlsFiles } from './servers.ts';

const CLUSTERS = Number(process.argv[2] ?? 1_000);
/** Certificates that poll; the store holds the other clusters. */
const IDENTITIES = Math.min(CLUSTERS, 200);
const COMPONENTS = 10;
const POLLS = 1_000;
const ROUNDS = 7;
const AT_ONCE = 8;
// One core for the server and another for the load, where there are two.
const [SERVER_CORE, LOAD_CORE] = availableParallelism() > 1 ? [0, 1] : [undefined, undefined];

const say = (line: string): void => void process.stdout.write(`${line}\n`);
const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

const directory = await mkdtemp(join(tmpdir(), 'fluxgate-poll-'));
const pki = await createTestPki();
const { environment } = await pki.write(directory);
const { TLS_CERT_FILE = '', TLS_KEY_FILE = '', CLUSTER_CA_FILE = '' } = environment as Record<string, string>;
const tls: TlsFiles = { TLS_CERT_FILE, TLS_KEY_FILE, CLUSTER_CA_FILE };
const identities: Identity[] = [];
for (let n = 0; n < IDENTITIES; n++) {
  const dns = dnsOf(Math.floor((n * CLUSTERS) / IDENTITIES));
  const { chainPem, keyPem } = await pki.cluster(dns);
  const path = `/api/v2/flux/clusters/${dns}/platform-components`;
  identities.push({ path, certificate: chainPem, key: keyPem });
}

const adminPort = await freePort();
const ports = { fluxgate: await freePort(), floor: await freePort(), nginx: await freePort() };
const gateway = startFluxgate(
  {
    ...tls,
    LISTEN_ADDR: `127.0.0.1:${ports.fluxgate}`,
    ADMIN_ADDR: `127.0.0.1:${adminPort}`,
    DATABASE_URL: `sqlite://${join(directory, 'data', 'fleet.db')}`,
    SEED_FILE: await writeSeed(directory, CLUSTERS, COMPONENTS),
  },
  SERVER_CORE,
);
for (;;) {
  const ready = await fetch(`http://127.0.0.1:${adminPort}/ready`).catch(() => undefined);
  if (ready?.status === 200) break;
  await new Promise((resolve) => setTimeout(resolve, 100));
}
const load = worker<Load, Served>(new URL('./load.ts', import.meta.url), LOAD_CORE);
const visit = (port: number, polls: number, known: readonly Identity[]): Promise<Served> =>
  load.ask({ port, ca: pki.serverCa.pem, identities: known, polls, atOnce: AT_ONCE, perConnection: 1 });
// Each cluster once, so that its verdict is known and its answer rendered: what a fleet is that has polled before.
const first = await visit(ports.fluxgate, IDENTITIES, identities);
const constant = { tls, bodyOctets: first.octets, close: true };
const servers = new Map<string, Measured>([['fluxgate', gateway]]);
servers.set('floor', startFloor({ ...constant, port: ports.floor }, SERVER_CORE));
if (spawnSync('nginx', ['-v']).error === undefined) {
  servers.set('nginx', await startNginx({ ...constant, port: ports.nginx }, directory, SERVER_CORE));
} else say('nginx is not installed: it is left out');
await new Promise((resolve) => setTimeout(resolve, 500));

const costs = new Map<string, number[]>();
for (let round = 0; round <= ROUNDS; round++) {
  for (const [name, server] of servers) {
    const before = server.cpuMs();
    const { failures } = await visit(ports[name as keyof typeof ports], POLLS, []);
    for (const [what, count] of Object.entries(failures)) say(`${name}: ${count} polls failed: ${what}`);
    // The first round warms up.
    if (round > 0) costs.set(name, [...(costs.get(name) ?? []), (server.cpuMs() - before) / POLLS]);
  }
}
say(
  `${CLUSTERS} clusters of ${COMPONENTS} components, ${first.octets} octets an answer; Node ${process.version}, ${cpus()[0]?.model}`,
);
for (const [name, values] of costs) {
  const all = values.map((value) => value.toFixed(2)).join(' ');
  say(`${name.padEnd(9)} ${median(values).toFixed(3)} ms of CPU a poll   (${all})`);
}
const own = median(costs.get('fluxgate') ?? []);
for (const [name, values] of costs)
  if (name !== 'fluxgate') say(`fluxgate ÷ ${name}: ${(own / median(values)).toFixed(2)}`);
load.stop();
await Promise.all([...servers.values()].map((server) => server.stop()));
await rm(directory, { recursive: true, force: true });
