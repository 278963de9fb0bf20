/**
 * What a change of what 10,000 clusters use costs, and the longest that anything else waits meanwhile (goal: under 50 ms, but
 * for the commit itself). A whole gateway over TLS; its operator and a polling cluster live in another thread.
 * `node bench/plan.ts [clusters]`; prints numbers, asserts none.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { parseConfig } from '../src/core/config.ts';
import { startGateway } from '../src/gateway.ts';
import { systemClock } from '../src/shell/clock.ts';
import { createLog } from '../src/shell/log.ts';
import { openSqliteStore } from '../src/shell/store/sqlite-store.ts';
import { insertLargeFleet } from '../test/support/fleet.ts';
import { createTestPki } from '../test/support/pki.ts';
import type { Done, Job } from './plan-client.ts';

const CLUSTERS = Number(process.argv[2] ?? 10_000);

const threadCpuMs = (): number => {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
};

interface Stall {
  /** By how much a timer of a millisecond came too late, at most. */
  readonly wallMs: number;
  /** This thread's CPU time between two of its ticks: what is left of a stall on a machine with nothing else to do. */
  readonly cpuMs: number;
}

function watchStalls(): () => Stall {
  let running = true;
  let wallMs = 0;
  let cpuMs = 0;
  let last = performance.now();
  let lastCpu = threadCpuMs();
  const tick = (): void => {
    const now = performance.now();
    const cpu = threadCpuMs();
    wallMs = Math.max(wallMs, now - last - 1);
    cpuMs = Math.max(cpuMs, cpu - lastCpu);
    last = now;
    lastCpu = cpu;
    if (running) setTimeout(tick, 1);
  };
  setTimeout(tick, 1);
  return () => {
    running = false;
    return { wallMs, cpuMs };
  };
}

const directory = await mkdtemp(join(tmpdir(), 'fluxgate-bench-'));
const databaseUrl = `sqlite://${join(directory, 'fleet.db')}`;
const store = await openSqliteStore(databaseUrl);
await store.initialise((transactor) => insertLargeFleet(transactor, CLUSTERS));
await store.close();

const pki = await createTestPki();
const { environment } = await pki.write(directory);
const TOKENS = { AUTH_TOKEN: 'read-token-of-this-bench-01', CRUD_AUTH_TOKEN: 'write-token-of-this-bench-02' };
const config = parseConfig({
  ...environment,
  ...TOKENS,
  API_MODE: 'crud',
  LISTEN_ADDR: '127.0.0.1:0',
  ADMIN_ADDR: 'off',
  DATABASE_URL: databaseUrl,
});
const log = createLog('error', { write: (line: string) => void process.stderr.write(line) });
const gateway = await startGateway(config, { clock: systemClock, log });

const merge = (change: object): object => ({ op: 'merge', merge: change });
const prod = { environment: 'prod' };
const JOBS: readonly Job[] = [
  {
    what: 'new version',
    method: 'PATCH',
    path: '/platform_components/component-00',
    body: { component_version: '2.0.0' },
  },
  {
    what: 'bulk label',
    method: 'POST',
    path: '/bulk',
    body: { select: prod, operations: [merge({ labels: { wave: '1' } })] },
  },
  {
    what: 'bulk disable',
    method: 'POST',
    path: '/bulk',
    body: { select: prod, operations: [{ op: 'disable', id: 'component-01' }] },
  },
  { what: 'delete, detached', method: 'DELETE', path: '/namespaces/namespace-00?detach=true' },
  { what: 'its revert', method: 'POST', path: '/revisions/5/revert' },
];

const worker = new Worker(new URL('plan-client.ts', import.meta.url), {
  workerData: {
    port: gateway.address.port,
    serverCaPem: pki.serverCa.pem,
    certificate: await pki.cluster('cluster-000001.k8s.example.com'),
    token: TOKENS.CRUD_AUTH_TOKEN,
  },
});
const row = (cells: readonly (string | number)[]): void => {
  const [what = '', ...rest] = cells.map((cell) => (typeof cell === 'number' ? cell.toFixed(0) : cell));
  process.stdout.write(`${what.padEnd(30)}${rest.map((cell) => cell.padStart(13)).join('')}\n`);
};

/** Resolves with what the other thread says next. */
const answered = (): Promise<Done> => new Promise((resolve) => worker.once('message', resolve));

const run = async (job: Job, what: string, headers: Job['headers'] = {}): Promise<Done> => {
  const stalls = watchStalls();
  worker.postMessage({ ...job, headers });
  const done = await answered();
  const { wallMs, cpuMs } = stalls();
  row([
    what,
    done.status,
    done.tookMs,
    done.clusters,
    done.bytes / 1024,
    wallMs,
    cpuMs,
    done.polls,
    done.longestPollMs,
  ]);
  return done;
};

row([
  `${CLUSTERS} clusters`,
  'status',
  'took ms',
  'clusters',
  'answer KiB',
  'stall ms',
  'in CPU ms',
  'polls',
  'longest ms',
]);
await run({ what: 'nothing', method: 'GET', path: '/health' }, 'nothing but polls');
for (const job of JOBS) {
  const [path = '', query] = job.path.split('?');
  const dry = await run(
    { ...job, path: `${path}?dry_run=true${query === undefined ? '' : `&${query}`}` },
    `${job.what}: plan`,
  );
  await run(job, `${job.what}: commit`, dry.planHash === undefined ? {} : { 'confirm-plan': dry.planHash });
}
await worker.terminate();
await gateway.close();
await rm(directory, { recursive: true, force: true });
