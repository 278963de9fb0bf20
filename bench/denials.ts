/**
 * Whether the time of a refusal tells an outsider what exists: pairs of requests that get the same answer, taken in turn many
 * times on one kept-open connection each, and the difference of their medians beside the spread. `node bench/denials.ts`;
 * prints numbers, asserts none.
 */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseConfig } from '../src/core/config.ts';
import { DEMO_SEED } from '../src/core/fleet/demo-fleet.ts';
import { makeToken } from '../src/core/identity/token-text.ts';
import { startGateway } from '../src/gateway.ts';
import { systemClock } from '../src/shell/clock.ts';
import { createLog } from '../src/shell/log.ts';
import { createTestPki } from '../test/support/pki.ts';

const ROUNDS = 1_500;
const WRITE_TOKEN = 'write-token-of-this-bench-0001';

const directory = await mkdtemp(join(tmpdir(), 'fluxgate-bench-'));
const pki = await createTestPki();
const files = await pki.write(directory);
await writeFile(join(directory, 'seed.json'), JSON.stringify(DEMO_SEED));
const config = parseConfig({
  API_MODE: 'crud',
  LISTEN_ADDR: '127.0.0.1:0',
  ADMIN_ADDR: 'off',
  DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`,
  SEED_FILE: join(directory, 'seed.json'),
  CRUD_AUTH_TOKEN: WRITE_TOKEN,
  LOG_LEVEL: 'silent',
  ...files.environment,
});
const gateway = await startGateway(config, { clock: systemClock, log: createLog('silent', { write() {} }) });
/** Refused tokens are slowed by address after the hundredth (docs/limits.md), so that the bench moves on before. */
const ROUNDS_PER_ADDRESS = 40;
let addresses = 0;
let agent = connectFromNextAddress();

function connectFromNextAddress(): Agent {
  addresses++;
  const localAddress = `127.1.${addresses >> 8}.${addresses & 255}`;
  return new Agent({ ca: pki.serverCa.pem, keepAlive: true, maxSockets: 1, localAddress });
}

async function moveOn(): Promise<void> {
  agent.destroy();
  agent = connectFromNextAddress();
  await ask({ path: '/health' });
}

interface Asked {
  readonly path: string;
  readonly token?: string;
  readonly method?: string;
  readonly body?: object;
}

function ask({ path, token, method = 'GET', body }: Asked): Promise<{ status: number; text: string }> {
  const headers = {
    host: 'localhost',
    ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
  };
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port: gateway.address.port,
        servername: 'localhost',
        agent,
        path,
        method,
        headers,
      },
      (response) => {
        let text = '';
        response.on('data', (chunk: Buffer) => {
          text += chunk.toString('utf8');
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
      },
    );
    sent.on('error', reject);
    sent.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

async function make(order: object): Promise<{ id: string; token: string }> {
  const body = { ttl: 3_600, ...order };
  const { status, text } = await ask({ path: '/tokens', method: 'POST', token: WRITE_TOKEN, body });
  if (status !== 201) throw new Error(text);
  return JSON.parse(text) as { id: string; token: string };
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;
const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;

async function compare(what: string, one: Asked, other: Asked, status: number): Promise<void> {
  const times: [number[], number[]] = [[], []];
  for (let round = 0; round < ROUNDS; round++) {
    if (round % ROUNDS_PER_ADDRESS === 0) await moveOn();
    // In changing order, so that what comes first is not always the same.
    for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const begun = performance.now();
      const answer = await ask(which === 0 ? one : other);
      times[which].push((performance.now() - begun) * 1_000);
      if (answer.status !== status) throw new Error(`${what}: ${answer.status}`);
    }
  }
  const [a, b] = times.map(median) as [number, number];
  const spread = quantile(times[0], 0.75) - quantile(times[0], 0.25);
  const difference = `${(a - b).toFixed(1).padStart(7)} µs`;
  process.stdout.write(
    `${what.padEnd(62)} ${a.toFixed(0).padStart(6)} ${b.toFixed(0).padStart(6)} µs  difference ${difference}  (quartiles ${spread.toFixed(0)} µs apart)\n`,
  );
}

try {
  const revoked = await make({ name: 'revoked', kind: 'reader' });
  await ask({ path: `/tokens/${revoked.id}`, method: 'DELETE', token: WRITE_TOKEN });
  const unknown = makeToken('reader', new Uint8Array(32).fill(7));
  const mistyped = `${unknown.slice(0, -1)}${unknown.endsWith('0') ? '1' : '0'}`;
  const stranger = await make({ name: 'stranger', kind: 'cluster', cluster_dns: 'stranger.example.com' });
  const scoped = await make({ name: 'scoped', kind: 'operator', roles: ['editor'], labels: ['team=none'] });
  const viewer = await make({ name: 'viewer', kind: 'operator', roles: ['viewer'] });
  const inputs = (dns: string): string => `/api/v2/flux/clusters/${dns}/namespaces`;
  const there = 'demo-cluster-01';
  const dns = `${there}.k8s.example.com`;
  const absent = 'demo-cluster-99.k8s.example.com';

  await compare(
    '401: revoked token, unknown token',
    { path: '/clusters', token: revoked.token },
    { path: '/clusters', token: unknown },
    401,
  );
  await compare(
    '401: mistyped token, unknown token',
    { path: '/clusters', token: mistyped },
    { path: '/clusters', token: unknown },
    401,
  );
  await compare(
    '401: nobody, on a cluster that exists and one that does not',
    { path: `/clusters/${there}` },
    { path: '/clusters/absent' },
    401,
  );
  await compare(
    "403: a cluster's token, another's path that exists or not",
    { path: inputs(dns), token: stranger.token },
    { path: inputs(absent), token: stranger.token },
    403,
  );
  await compare(
    '403: out of scope, a cluster that exists and one that does not',
    { path: `/clusters/${there}`, token: scoped.token },
    { path: '/clusters/absent', token: scoped.token },
    403,
  );
  await compare(
    "403: a viewer, a token's record that exists and one that does not",
    { path: `/tokens/${viewer.id}`, token: viewer.token },
    { path: '/tokens/tok-0000000000000000', token: viewer.token },
    403,
  );
} finally {
  agent.destroy();
  await gateway.close();
  await rm(directory, { recursive: true, force: true });
}
