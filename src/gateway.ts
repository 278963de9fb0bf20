import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AddressInfo, Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import type { Config } from './core/config.ts';
import { compileSchemas, type FleetSchemas } from './core/fleet/schemas.ts';
import { findMissingCrls } from './core/identity/crl-warnings.ts';
import type { RevocationList } from './core/identity/revocation-list.ts';
import { trustWarnings } from './core/identity/trust.ts';
import { type OperationTable, readOperations } from './core/policy/operations.ts';
import type { Snapshot } from './core/snapshot.ts';
import { type AdminListener, startAdmin } from './shell/admin.ts';
import type { Clock } from './shell/clock.ts';
import { watchCrls } from './shell/crl-watch.ts';
import { createHealth } from './shell/health.ts';
import { createHandlers } from './shell/http/handlers/handlers.ts';
import { createPipeline } from './shell/http/pipeline.ts';
import { createRequestLog } from './shell/http/request-log.ts';
import { refuseSocket } from './shell/http/respond.ts';
import { createRouter, type Router } from './shell/http/router.ts';
import { LiveTrust } from './shell/live-trust.ts';
import { createLoader, SHIPPED_POLICY_DIR, type SnapshotLoader } from './shell/load-snapshot.ts';
import type { Log } from './shell/log.ts';
import { createMetrics } from './shell/metrics.ts';
import { createRatchet } from './shell/ratchet.ts';
import { createReloader, type Loaded, type ReloadTrigger } from './shell/reload.ts';
import { createRevocations, loadRevocations } from './shell/revocations.ts';
import { seedStore } from './shell/seed.ts';
import { openSightings } from './shell/sightings.ts';
import { watchedPaths } from './shell/snapshot-files.ts';
import { openSqliteStore } from './shell/store/sqlite-store.ts';
import type { Store } from './shell/store/store.ts';
import { createHandshakeLog } from './shell/tls/handshake-log.ts';
import { createListener, type Listener } from './shell/tls/listener.ts';
import { malformedAnswer, REFUSED_CERTIFICATE } from './shell/tls/malformed.ts';
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

/** Wires the parts and starts to serve. Throws StartupError; then nothing is left running. */
export async function startGateway(config: Config, dependencies: GatewayDependencies): Promise<Gateway> {
  const { log } = dependencies;
  const documentText = await readFile(DOCUMENT_PATH, 'utf8');
  const document = parseYaml(documentText) as object;
  const operations = readOperations(document);
  const schemas = compileSchemas(document);
  const load = createLoader(config, operations, dependencies.clock);
  const loaded = await load(1, undefined);
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

interface ServingParts {
  readonly documentText: string;
  readonly operations: OperationTable;
  readonly schemas: FleetSchemas;
  readonly router: Router;
  readonly store: Store;
  readonly loaded: Loaded;
  readonly load: SnapshotLoader;
}

async function serve(
  config: Config,
  { clock, log }: GatewayDependencies,
  parts: ServingParts,
): Promise<Gateway> {
  const { store, schemas, operations, documentText, router, loaded } = parts;
  const trust = new LiveTrust(loaded.snapshot, await loadRevocations(store), clock);
  const health = createHealth(store, () => findMissingCrls(trust.snapshot.crls, clock.now()).length > 0);
  const metrics = createMetrics();
  metrics.observeCrls(() => trust.snapshot.crls.states(clock.now()));
  const sightings = await openSightings(config.pinClusterKeys, store, { clock, log, metrics });
  const { presentations, pins } = sightings;
  const ratchet = createRatchet(store, clock, log);
  const handshakes = createHandshakeLog(log, metrics, clock);
  const revocations = createRevocations({
    store,
    clock,
    log,
    metrics,
    current: () => trust.snapshot.revocations,
    enforce: (list) => {
      const closed = enforceRevocations(list, trust, listener);
      metrics.generation.set(trust.snapshot.generation);
      return closed;
    },
  });
  let draining = false;
  const pipeline = createPipeline({
    config,
    router,
    handlers: createHandlers(operations, {
      store,
      schemas,
      ratchet,
      health,
      revocations,
      trust,
      presentations,
      pins,
      clock,
      log,
      documentText,
    }),
    trust,
    pins,
    ratchet,
    clock,
    newRequestId,
    isDraining: () => draining,
    record: sightings.after(createRequestLog(log, metrics, clock, revocations)),
  });
  const listener: Listener = createListener(loaded.context, clock, {
    request: pipeline,
    malformed: (error, socket) => answerMalformed(log, trust, error, socket),
    handshakeDone: handshakes.done,
    handshakeFailed: handshakes.failed,
  });
  metrics.observeConnections(() => listener.openConnections);
  metrics.observeRevocations(() => trust.snapshot.revocations.count(clock.now()));
  metrics.generation.set(loaded.snapshot.generation);
  const crlWatch = watchCrls(() => trust.snapshot.crls, clock, log);
  const reloader = createReloader({
    load: parts.load,
    current: () => trust.snapshot,
    swap(next) {
      trust.replace(next.snapshot);
      listener.useContext(next.context);
      crlWatch.look();
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
      crlWatch.stop();
      await reloader.stop();
      log.info({ open_connections: listener.openConnections }, 'draining: no new connections');
      await listener.drain();
      await admin?.close();
      await revocations.stop();
      await sightings.close();
      await store.close();
      log.info('stopped');
    },
  };
}

/**
 * Octets that never became a request. A certificate that OpenSSL could not digest leaves its error behind for the next read,
 * so such a connection ends here, before any request: it is refused for its certificate like every other.
 */
/** The connections of those who are revoked by what is new in the list, and nobody else's: how many for each. */
function enforceRevocations(
  list: RevocationList,
  trust: LiveTrust,
  listener: Listener,
): ReadonlyMap<string, number> {
  const before = trust.snapshot.revocations.ids;
  trust.revoke(list);
  const closed = new Map<string, number>();
  listener.retire((socket) => {
    const verdict = trust.verdictOf(socket);
    const id = verdict?.accepted === false ? verdict.refusal.revocationId : undefined;
    if (id === undefined || before.has(id)) return false;
    closed.set(id, (closed.get(id) ?? 0) + 1);
    return true;
  });
  return closed;
}

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
    crls: snapshot.crls.describe(),
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
