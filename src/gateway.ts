import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import type { Config } from './core/config.ts';
import { compileSchemas, type FleetSchemas } from './core/fleet/schemas.ts';
import { trustWarnings } from './core/identity/trust.ts';
import { type OperationTable, readOperations } from './core/policy/operations.ts';
import { createSnapshot, type Snapshot } from './core/snapshot.ts';
import { type AdminListener, startAdmin } from './shell/admin.ts';
import type { Clock } from './shell/clock.ts';
import { createHealth } from './shell/health.ts';
import { createHandlers } from './shell/http/handlers/handlers.ts';
import { createPipeline } from './shell/http/pipeline.ts';
import { createRequestLog } from './shell/http/request-log.ts';
import { refuseSocket } from './shell/http/respond.ts';
import { createRouter, type Router } from './shell/http/router.ts';
import { LiveTrust } from './shell/live-trust.ts';
import type { Log } from './shell/log.ts';
import { createMetrics } from './shell/metrics.ts';
import { createRatchet } from './shell/ratchet.ts';
import { createReloader, type Loaded, type ReloadTrigger } from './shell/reload.ts';
import { seedStore } from './shell/seed.ts';
import { readSnapshotFiles, watchedPaths } from './shell/snapshot-files.ts';
import { openSqliteStore } from './shell/store/sqlite-store.ts';
import type { Store } from './shell/store/store.ts';
import { createHandshakeLog } from './shell/tls/handshake-log.ts';
import { createListener } from './shell/tls/listener.ts';
import { malformedAnswer, REFUSED_CERTIFICATE } from './shell/tls/malformed.ts';
import { createTlsContext } from './shell/tls/secure-context.ts';
import { watchPaths } from './shell/watch.ts';

export interface GatewayDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** A fleet for a store that was never initialised and has no SEED_FILE; development only. */
  readonly demoFleet?: string;
}

export interface Gateway {
  readonly address: AddressInfo;
  readonly adminAddress: AddressInfo | undefined;
  /** Reads everything that can change again; false: something is wrong, and the last good state stays in force. */
  reload(trigger: ReloadTrigger): Promise<boolean>;
  /** No new connections, requests in flight finish; `/ready` turns 503 first. */
  close(): Promise<void>;
}

const DOCUMENT_PATH = fileURLToPath(new URL('../openapi.yaml', import.meta.url));
const SHIPPED_POLICY_DIR = fileURLToPath(new URL('../policy/', import.meta.url));

/** Wires the parts and starts to serve. Throws StartupError; then nothing is left running. */
export async function startGateway(config: Config, dependencies: GatewayDependencies): Promise<Gateway> {
  const { log } = dependencies;
  const documentText = await readFile(DOCUMENT_PATH, 'utf8');
  const document = parseYaml(documentText) as object;
  const operations = readOperations(document);
  const schemas = compileSchemas(document);
  const load = (generation: number, previous?: Snapshot): Promise<Loaded> =>
    loadSnapshot(config, operations, generation, previous);
  const loaded = await load(1);
  const router = await createRouter(document, operations, schemas);
  const store = await openSqliteStore(config.databaseUrl);
  try {
    await seedStore(store, schemas, config.seedFile, dependencies.demoFleet, log);
    return await serve(config, dependencies, {
      documentText,
      operations,
      schemas,
      router,
      store,
      loaded,
      load,
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

async function loadSnapshot(
  config: Config,
  operations: OperationTable,
  generation: number,
  previous: Snapshot | undefined,
): Promise<Loaded> {
  const snapshot = createSnapshot(await readSnapshotFiles(config, SHIPPED_POLICY_DIR), {
    generation,
    operationIds: operations.all.map(({ operationId }) => operationId),
    spiffeTrustDomain: config.spiffeTrustDomain,
    apiMode: config.apiMode,
    previous,
  });
  const context = createTlsContext({
    certificateChainPem: snapshot.serverChainPem,
    privateKeyPem: snapshot.serverKeyPem,
    authorities: snapshot.trust.authorities,
    minVersion: config.tlsMinVersion,
  });
  return { snapshot, context };
}

interface ServingParts {
  readonly documentText: string;
  readonly operations: OperationTable;
  readonly schemas: FleetSchemas;
  readonly router: Router;
  readonly store: Store;
  readonly loaded: Loaded;
  readonly load: (generation: number, previous?: Snapshot) => Promise<Loaded>;
}

async function serve(
  config: Config,
  { clock, log }: GatewayDependencies,
  parts: ServingParts,
): Promise<Gateway> {
  const { store, schemas, operations, documentText, router, loaded } = parts;
  const health = createHealth(store);
  const metrics = createMetrics();
  const trust = new LiveTrust(loaded.snapshot, clock);
  const ratchet = createRatchet(store, clock, log);
  const handshakes = createHandshakeLog(log, metrics, clock);
  let draining = false;
  const pipeline = createPipeline({
    config,
    router,
    handlers: createHandlers(operations, {
      store,
      schemas,
      ratchet,
      health,
      clock,
      documentText,
      pruneGuard: config.pruneGuard,
      requireIfMatch: config.requireIfMatch,
    }),
    trust,
    ratchet,
    clock,
    newRequestId,
    isDraining: () => draining,
    record: createRequestLog(log, metrics, clock),
  });
  const listener = createListener(loaded.context, clock, {
    request: pipeline,
    malformed: (error, socket) => answerMalformed(log, trust, error, socket),
    handshakeDone: handshakes.done,
    handshakeFailed: handshakes.failed,
  });
  metrics.observeConnections(() => listener.openConnections);
  metrics.generation.set(loaded.snapshot.generation);
  const reloader = createReloader({
    load: parts.load,
    current: () => trust.snapshot,
    swap(next) {
      trust.replace(next.snapshot);
      listener.useContext(next.context);
      return listener.retire((socket) => trust.verdictOf(socket)?.accepted === false);
    },
    health,
    metrics,
    log,
  });

  const admin =
    config.admin === undefined
      ? undefined
      : await startAdmin(config.admin, health, metrics, log, newRequestId);
  const address = await listenOrUndo(() => listener.listen(config.listen), admin);
  const watching = watchPaths(watchedPaths(config, SHIPPED_POLICY_DIR), async () => {
    await reloader.reload('file change');
  });
  logStart(config, loaded.snapshot, clock, log, address, admin);
  return {
    address,
    adminAddress: admin?.address,
    reload: (trigger) => reloader.reload(trigger),
    async close() {
      draining = true;
      health.drain();
      watching.stop();
      await reloader.stop();
      log.info({ open_connections: listener.openConnections }, 'draining: no new connections');
      await listener.drain();
      await admin?.close();
      await store.close();
      log.info('stopped');
    },
  };
}

/**
 * Octets that never became a request. A certificate that OpenSSL could not digest leaves its error behind for the next read,
 * so such a connection ends here, before any request: it is refused for its certificate like every other.
 */
function answerMalformed(log: Log, trust: LiveTrust, error: NodeJS.ErrnoException, socket: Socket): void {
  const verdict =
    error.code?.startsWith('ERR_SSL_') && socket instanceof TLSSocket ? trust.verdictOf(socket) : undefined;
  const refused = verdict?.accepted === false ? verdict.refusal : undefined;
  const { code, message } = refused === undefined ? malformedAnswer(error) : REFUSED_CERTIFICATE;
  const requestId = newRequestId();
  const line = {
    request_id: requestId,
    source: socket.remoteAddress,
    error: code,
    reason: error.code,
    ...(refused === undefined ? {} : { certificate: refused }),
  };
  log.warn(line, refused === undefined ? 'refused: not a request' : 'refused');
  refuseSocket(socket, code, message, requestId);
}

function logStart(
  config: Config,
  snapshot: Snapshot,
  clock: Clock,
  log: Log,
  address: AddressInfo,
  admin: AdminListener | undefined,
): void {
  for (const warning of [...snapshot.warnings, ...trustWarnings(snapshot.trust, clock.now())])
    log.warn(warning);
  const line = {
    address: `${address.address}:${address.port}`,
    admin: admin === undefined ? 'off' : `${admin.address.address}:${admin.address.port}`,
    api_mode: config.apiMode,
    client_cert: config.clientCert,
    generation: snapshot.generation,
    server: snapshot.serverCertificate,
    anchors: snapshot.trust.describe(),
    tokens: snapshot.tokens.ids,
    operator_networks: config.operatorNetworks.ranges,
  };
  log.info(line, 'serving');
}

async function listenOrUndo(
  listen: () => Promise<AddressInfo>,
  admin: AdminListener | undefined,
): Promise<AddressInfo> {
  try {
    return await listen();
  } catch (error) {
    await admin?.close();
    throw error;
  }
}

/** 96 random bits: unguessable, so that nobody can point at another's request. */
function newRequestId(): string {
  return randomBytes(12).toString('hex');
}
