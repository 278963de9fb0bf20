import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { parseConfig } from '../../src/core/config.ts';
import { DEMO_SEED } from '../../src/core/fleet/demo-fleet.ts';
import { type Gateway, startGateway } from '../../src/gateway.ts';
import { type Clock, systemClock } from '../../src/shell/clock.ts';
import { createLog } from '../../src/shell/log.ts';
import type { FileCheck } from '../../src/shell/store/check-file.ts';
import { type ClientAnswer, type ClientRequest, type Endpoint, send } from './client.ts';
import { createTestPki, type TestPki } from './pki.ts';
import { assertNoSecret, metricsText, noteKey, noteSecret, storeText } from './secrets.ts';

export const READ_TOKEN = 'read-token-of-this-test-0001';
export const WRITE_TOKEN = 'write-token-of-this-test-0002';

export interface TestGateway extends Endpoint {
  readonly pki: TestPki;
  readonly directory: string;
  readonly gateway: Gateway;
  /** Everything that was logged, parsed; grows. */
  readonly log: readonly LogLine[];
  /** The line of the request that this answer belongs to. */
  logOf(answer: ClientAnswer): LogLine;
  send(request: ClientRequest): Promise<ClientAnswer>;
  /** Octets of every object in the fleet, as operators read them: equal before and after what must change nothing. */
  fleet(): Promise<string>;
}

export interface LogLine {
  readonly msg: string;
  readonly level: string;
  readonly [key: string]: unknown;
}

export interface TestGatewayOptions {
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** Puts further files into the gateway's directory before it starts; what it returns joins the environment. */
  readonly prepare?: (directory: string) => Promise<Readonly<Record<string, string>>>;
  readonly pki?: TestPki;
  /** A seed's object; the demo fleet when absent. */
  readonly seed?: unknown;
  readonly clock?: Clock;
  readonly beforeListening?: () => void;
  readonly storeCheck?: FileCheck;
}

/** A whole gateway over real TLS on a free port, with its own PKI, its own store and its own log; gone after the test. */
export async function startTestGateway(
  t: Pick<TestContext, 'after'>,
  options: TestGatewayOptions = {},
): Promise<TestGateway> {
  const directory = await mkdtemp(join(tmpdir(), 'fluxgate-test-'));
  const pki = options.pki ?? (await createTestPki());
  const files = await pki.write(directory);
  const seedFile = join(directory, 'seed.json');
  await writeFile(seedFile, JSON.stringify(options.seed ?? DEMO_SEED));
  const lines: LogLine[] = [];
  const destination = { write: (text: string) => void lines.push(JSON.parse(text) as LogLine) };
  const environment = {
    API_MODE: 'crud',
    LISTEN_ADDR: '127.0.0.1:0',
    ADMIN_ADDR: '127.0.0.1:0',
    DATABASE_URL: `sqlite://${join(directory, 'fleet.db')}`,
    SEED_FILE: seedFile,
    AUTH_TOKEN: READ_TOKEN,
    CRUD_AUTH_TOKEN: WRITE_TOKEN,
    ...files.environment,
    ...options.environment,
    ...(await options.prepare?.(directory)),
  };
  const config = parseConfig(environment);
  const gateway = await startGateway(config, {
    clock: options.clock ?? systemClock,
    log: createLog(config.logLevel, destination),
    ...(options.beforeListening === undefined ? {} : { beforeListening: options.beforeListening }),
    storeCheck: options.storeCheck,
  });
  for (const secret of [environment.AUTH_TOKEN, environment.CRUD_AUTH_TOKEN]) noteSecret(secret);
  noteKey(pki.server.keyPem);
  t.after(async () => {
    const metrics = await metricsText(gateway.adminAddress);
    await gateway.close();
    const store = await storeText(join(directory, 'fleet.db'));
    assertNoSecret('the log', lines.map((line) => JSON.stringify(line)).join('\n'));
    assertNoSecret('/metrics', metrics);
    assertNoSecret('the store', store);
    await rm(directory, { recursive: true, force: true });
  });
  const endpoint = { port: gateway.address.port, serverCaPem: pki.serverCa.pem };
  const sendHere = (request: ClientRequest): Promise<ClientAnswer> => send(endpoint, request);
  return {
    ...endpoint,
    pki,
    directory,
    gateway,
    log: lines,
    logOf(answer) {
      const id = answer.headers['x-request-id'];
      // What else was logged on the way names the request as well.
      const line = lines.find((candidate) => candidate['request_id'] === id && 'status' in candidate);
      if (line === undefined) throw new Error(`no log line of request ${id}`);
      return line;
    },
    send: sendHere,
    async fleet() {
      const collections = ['clusters', 'platform_components', 'namespaces', 'rolebindings'];
      const texts: string[] = [];
      for (const collection of collections) {
        const answer = await sendHere({ path: `/${collection}`, token: WRITE_TOKEN });
        if (answer.status !== 200) throw new Error(`GET /${collection}: ${answer.status}`);
        texts.push(answer.body.toString('utf8'));
      }
      return texts.join('\n');
    },
  };
}
