import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTestPki, type TestPki } from '../../test/support/pki.ts';
import { type FleetTemplate, fleetSigner, fleetTemplate } from '../mint-fleet.ts';
import type { Asked, Hold, Identity, Served, Visit } from './load.ts';
import { finished, type Measured, shareCores, stopAll, type Worker, worker } from './processes.ts';
import {
  type Environment,
  type FloorOptions,
  type Gateway,
  nginxVersion,
  type Server,
  startFloor,
  startFluxgate,
  startNginx,
} from './servers.ts';
import { writeSignatures } from './signatures.ts';
import type { Size } from './size.ts';

/** All that measurements share: a PKI, stores of each size, the processes of the load, servers that end with the run. */
export interface Stage {
  readonly size: Size;
  readonly pki: TestPki;
  readonly directory: string;
  /** One line for whoever waits. */
  say(line: string): void;
  /** A Fluxgate of one worker on a store of so many clusters, shared by all who ask for it; it was seeded by another process. */
  shared(clusters: number): Promise<Gateway>;
  /** The same, anew: it ends, and starts on the store that it leaves, while all others that are shared stand still. */
  restarted(clusters: number, end?: 'SIGTERM' | 'SIGKILL'): Promise<Gateway>;
  /** Those that are not needed any more; a store of `kept` clusters is. */
  endShared(kept: number): Promise<void>;
  /** Each cluster of the shared one (or so many of them) polls once, unless it has; the first time alone tells the cost. */
  swept(clusters: number): Promise<Sweep>;
  /** One of its own. Throws `NotAvailable` where it refuses to start. */
  gateway(clusters: number, options?: OwnGateway): Promise<Gateway>;
  floor(options: FloorOptions): Promise<Server>;
  /** undefined: it is not installed. */
  nginx(options: { readonly bodyOctets: number; readonly close: boolean }): Promise<Server | undefined>;
  /** From the processes of the load; complains about what failed. */
  visit(asked: Omit<Visit, 'kind'>): Promise<Served>;
  hold(asked: Omit<Hold, 'kind'>): Promise<Served>;
  release(): Promise<void>;
  stop(server: Measured): Promise<void>;
  close(): Promise<void>;
}

export interface OwnGateway {
  readonly workers?: number;
  readonly logFile?: string;
  readonly environment?: Environment;
  readonly nodeOptions?: readonly string[];
  readonly mayRefuse?: boolean;
}

export interface Sweep {
  readonly polls: number;
  readonly cpuMsPerPoll: number;
  readonly residentMiB: number;
  readonly seconds: number;
}

const COMPONENTS = 10;
const SWEEP_AT_ONCE = 16;
/** Each has a rate of its own; together they are faster than any server here. */
const OPERATORS = 64;
const LOAD_PROCESSES_MAX = 3;
/** What Go's FIPS mode offers and sends key shares for, the first two; OpenSSL 3.5 writes it like this. */
export const FLUX_GROUPS = '*X25519MLKEM768/*P-256:P-384';

export async function createStage(size: Size, groups: string, say: (line: string) => void): Promise<Stage> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-bench-'));
  const pki = await createTestPki();
  const { environment } = await pki.write(directory);
  const CLIENT_CA_FILE = join(directory, 'client-ca.crt');
  await writeFile(CLIENT_CA_FILE, pki.clusterBundlePem + pki.operatorBundlePem);
  const tls = {
    TLS_CERT_FILE: environment.TLS_CERT_FILE,
    TLS_KEY_FILE: environment.TLS_KEY_FILE,
    CLIENT_CA_FILE,
  };
  const shared = new Map<number, Promise<Gateway>>();
  const sweeps = new Map<number, Promise<Sweep>>();
  const copyOf = new Map<Measured, string>();
  const { server: serverCores, load: loadCores } = shareCores(1);
  const fleet = await fleetTemplate(pki.clusterIntermediate);
  const signatures = join(directory, 'signatures');
  const haveSigned = writeSignatures(signatures, fleetSigner(fleet));
  const loads = await startLoads({ pki, fleet, signatures, groups, cores: loadCores });
  let copies = 0;

  const keep = <T extends Measured>(server: T): T => {
    server.pin(serverCores);
    return server;
  };
  const stop = async (server: Measured): Promise<void> => {
    await server.stop();
    const copy = copyOf.get(server);
    if (copy !== undefined) await rm(copy, { recursive: true });
  };
  const serve = async (store: string, options: OwnGateway = {}): Promise<Gateway> => {
    const { workers = 1, logFile, mayRefuse = false } = options;
    const gateway = await startFluxgate({
      environment: {
        ...environment,
        API_MODE: 'crud',
        DATABASE_URL: databaseIn(store),
        // A fleet behind one address, as all of the load is.
        CLUSTERS_PER_ADDRESS_MAX: '1000000',
        WORKERS: String(workers),
        ...options.environment,
      },
      ...(logFile === undefined ? {} : { logFile }),
      ...(options.nodeOptions === undefined ? {} : { nodeOptions: options.nodeOptions }),
      mayRefuse,
    });
    keep(gateway);
    if (workers > 1) gateway.pin(shareCores(workers).server);
    return gateway;
  };
  /** Seeded by a process of its own: what seeding leaves in a heap is none of what serving takes. */
  const seeded = async (clusters: number): Promise<string> => {
    const store = join(directory, `store-${clusters}`);
    if (existsSync(store)) return store;
    say(`a store of ${clusters} clusters is seeded`);
    await mkdir(store);
    const databaseUrl = databaseIn(store);
    await finished(new URL('./seed-store.ts', import.meta.url), [
      databaseUrl,
      String(clusters),
      String(COMPONENTS),
    ]);
    return store;
  };
  const gateway = async (clusters: number, options?: OwnGateway): Promise<Gateway> => {
    const store = join(directory, `copy-${copies++}`);
    await cp(await seeded(clusters), store, { recursive: true });
    const own = await serve(store, options);
    copyOf.set(own, store);
    return own;
  };
  const sharedGateway = (clusters: number): Promise<Gateway> => {
    const known = shared.get(clusters) ?? gateway(clusters);
    shared.set(clusters, known);
    return known;
  };
  const sweep = async (clusters: number): Promise<Sweep> => {
    const own = await sharedGateway(clusters);
    const polls = Math.min(clusters, size.pollersMax ?? clusters);
    say(`${polls} of ${clusters} clusters poll once`);
    const before = own.usage().cpuMs;
    const step = Math.floor(clusters / polls);
    const { seconds } = await visit({
      port: own.port,
      requests: polls,
      atOnce: SWEEP_AT_ONCE,
      perConnection: 1,
      who: { clusters, first: 0, step },
    });
    const { cpuMs, residentMiB } = own.usage();
    return { polls, cpuMsPerPoll: (cpuMs - before) / polls, residentMiB, seconds };
  };

  const ask = async (asked: readonly Asked[]): Promise<Served> => {
    const all = await Promise.all(asked.map((one, index) => loads[index]?.ask(one) as Promise<Served>));
    const failures: Record<string, number> = {};
    for (const served of all)
      for (const [what, count] of Object.entries(served.failures))
        failures[what] = (failures[what] ?? 0) + count;
    for (const [what, count] of Object.entries(failures)) say(`${count} requests failed: ${what}`);
    return {
      begun: all.flatMap(({ begun }) => begun),
      took: all.flatMap(({ took }) => took),
      failures,
      seconds: Math.max(...all.map(({ seconds }) => seconds)),
      octets: all[0]?.octets ?? 0,
    };
  };
  const share = (count: number, index: number): number =>
    Math.floor(count / loads.length) + (index < count % loads.length ? 1 : 0);

  const visit: Stage['visit'] = ({ who, ...asked }) => {
    const { length } = loads;
    if ('clusters' in who) haveSigned(who.clusters);
    return ask(
      loads.map((_, index) => ({
        ...asked,
        kind: 'visit',
        requests: share(asked.requests, index),
        atOnce: Math.max(1, share(asked.atOnce, index)),
        ...(asked.perSecond === undefined ? {} : { perSecond: asked.perSecond / length }),
        who: 'path' in who ? who : { ...who, first: who.first + index * who.step, step: who.step * length },
      })),
    );
  };
  return {
    size,
    pki,
    directory,
    say,
    gateway,
    shared: sharedGateway,
    async restarted(clusters, end = 'SIGTERM') {
      const before = await sharedGateway(clusters);
      const store = copyOf.get(before) as string;
      copyOf.delete(before);
      await before.stop(end);
      const others = (await Promise.all(shared.values())).filter((other) => other !== before);
      for (const other of others) other.pause();
      const after = await serve(store);
      for (const other of others) other.goOn();
      copyOf.set(after, store);
      shared.set(clusters, Promise.resolve(after));
      return after;
    },
    swept(clusters) {
      const known = sweeps.get(clusters) ?? sweep(clusters);
      sweeps.set(clusters, known);
      return known;
    },
    async endShared(kept) {
      for (const [clusters, one] of [...shared]) {
        if (clusters === kept) continue;
        shared.delete(clusters);
        sweeps.delete(clusters);
        await stop(await one);
      }
    },
    floor: async (options) => keep(await startFloor({ ...options, tls })),
    nginx: async (options) =>
      nginxVersion() === undefined ? undefined : keep(await startNginx({ ...options, tls }, directory)),
    visit,
    hold: (asked) =>
      ask(
        loads.map((_, index) => ({ ...asked, kind: 'hold', connections: share(asked.connections, index) })),
      ),
    async release() {
      await ask(loads.map(() => ({ kind: 'release' })));
    },
    stop,
    async close() {
      for (const load of loads) load.stop();
      await stopAll();
      await rm(directory, { recursive: true, force: true });
    },
  };
}

const databaseIn = (directory: string): string => `sqlite://${join(directory, 'fleet.db')}`;

interface LoadOptions {
  readonly pki: TestPki;
  readonly fleet: FleetTemplate;
  readonly signatures: string;
  readonly groups: string;
  readonly cores: readonly number[] | undefined;
}

async function startLoads(options: LoadOptions): Promise<readonly Worker<Asked, Served>[]> {
  const { pki, fleet, signatures, groups, cores } = options;
  const count = Math.min(LOAD_PROCESSES_MAX, cores?.length ?? 1);
  const operators: Identity[] = [];
  for (let number = 0; number < OPERATORS; number++) {
    const { chainPem, keyPem } = await pki.operator(`operator-${number}@example.com`);
    operators.push({ certificate: chainPem, key: keyPem });
  }
  const known = { kind: 'know', ca: pki.serverCa.pem, fleet, signatures, operators, groups } as const;
  const loads = Array.from({ length: count }, () =>
    worker<Asked, Served>(new URL('./load.ts', import.meta.url), cores),
  );
  await Promise.all(loads.map((load) => load.ask(known)));
  return loads;
}
