import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import {
  type ClientAnswer,
  type ClientCertificate,
  type ClientRequest,
  type Endpoint,
  send,
} from './client.ts';
import { type LogLine, READ_TOKEN, WRITE_TOKEN } from './gateway.ts';
import { createTestPki, type TestPki } from './pki.ts';
import { fluxgate, freePort, type Spawned } from './spawned.ts';
import { until } from './until.ts';

/** `serve` with several workers, in processes of their own. */
export interface Workers extends Endpoint {
  readonly pki: TestPki;
  readonly directory: string;
  readonly supervisor: Spawned;
  send(request: ClientRequest): Promise<ClientAnswer>;
  log(): readonly LogLine[];
  /** Numbers and processes of the workers that came to serve, in their order. */
  served(): readonly { readonly worker: number; readonly pid: number }[];
  /** The worker that answered. */
  workerOf(answer: ClientAnswer): Promise<number>;
  /** What connects meanwhile comes to this worker, for the others are stopped. */
  through<T>(worker: number, work: () => Promise<T>): Promise<T>;
  /** A way to each of so many workers: connections that stay open, of nobody or of a certificate's holder. */
  ways(count: number, certificate?: ClientCertificate): Promise<ReadonlyMap<number, Way>>;
  metrics(): Promise<string>;
}

/** Requests that one worker answers. */
export interface Way {
  send(request: ClientRequest): Promise<ClientAnswer>;
}

export async function startWorkers(
  t: Pick<TestContext, 'after'>,
  count: number,
  environment: Readonly<Record<string, string>> = {},
): Promise<Workers> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-workers-'));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const pki = await createTestPki();
  const files = await pki.write(directory);
  const seedFile = join(directory, 'seed.json');
  await writeFile(seedFile, JSON.stringify(DEMO_SEED));
  const [port, adminPort] = [await freePort(), await freePort()];
  const supervisor = fluxgate(t, ['serve'], {
    environment: {
      ...files.environment,
      API_MODE: 'crud',
      LISTEN_ADDR: `127.0.0.1:${port}`,
      ADMIN_ADDR: `127.0.0.1:${adminPort}`,
      DATABASE_URL: `sqlite://${join(directory, 'data', 'fleet.db')}`,
      SEED_FILE: seedFile,
      AUTH_TOKEN: READ_TOKEN,
      CRUD_AUTH_TOKEN: WRITE_TOKEN,
      WORKERS: String(count),
      ...environment,
    },
    patienceMs: 120_000,
  });
  const endpoint: Endpoint = { port, serverCaPem: pki.serverCa.pem };
  const log = (): readonly LogLine[] =>
    supervisor
      .stdout()
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as LogLine);
  const served: Workers['served'] = () =>
    log()
      .filter(({ msg }) => msg === 'worker serves')
      .map(({ worker, pid }) => ({ worker: Number(worker), pid: Number(pid) }));
  await Promise.race([
    until(() => served().length >= count, `${count} workers`, 60_000),
    supervisor.ended.then((end) => assert.fail(JSON.stringify(end))),
  ]);
  const workerOf: Workers['workerOf'] = async ({ headers }) => {
    const id = headers['x-request-id'];
    const line = (): LogLine | undefined => log().find(({ request_id }) => request_id === id);
    await until(() => line() !== undefined, `the line of request ${String(id)}`);
    return Number(line()?.['worker']);
  };
  const agents: Agent[] = [];
  t.after(() => {
    for (const agent of agents) agent.destroy();
  });
  const alive = (): ReturnType<Workers['served']> => served().filter(({ pid }) => isAlive(pid));
  const workers: Workers = {
    ...endpoint,
    pki,
    directory,
    supervisor,
    log,
    served,
    workerOf,
    send: (request) => send(endpoint, request),
    async through(worker, work) {
      const others = alive().filter((one) => one.worker !== worker);
      for (const { pid } of others) process.kill(pid, 'SIGSTOP');
      try {
        return await work();
      } finally {
        for (const { pid } of others) process.kill(pid, 'SIGCONT');
      }
    },
    async ways(wanted, certificate) {
      const ways = new Map<number, Way>();
      for (const { worker } of alive()) {
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        agents.push(agent);
        const way: Way['send'] = (request) => send(endpoint, { certificate, ...request, agent });
        const first = await workers.through(worker, () => way({ path: '/health' }));
        assert.deepEqual([first.status, await workerOf(first)], [200, worker]);
        ways.set(worker, { send: way });
      }
      assert.equal(ways.size, wanted, 'workers that serve');
      return ways;
    },
    async metrics() {
      const answer = await fetch(`http://127.0.0.1:${adminPort}/metrics`);
      assert.equal(answer.status, 200);
      return answer.text();
    },
  };
  return workers;
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

/** What a series says; undefined: it is not there. */
export function metric(text: string, series: string): number | undefined {
  const line = text.split('\n').find((one) => one.startsWith(`${series} `));
  return line === undefined ? undefined : Number(line.slice(series.length + 1));
}
