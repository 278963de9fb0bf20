import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { parse as parseYaml } from 'yaml';
import type { Config } from './core/config.ts';
import { compileSchemas } from './core/fleet/schemas.ts';
import { trustWarnings } from './core/identity/trust.ts';
import { readOperations } from './core/policy/operations.ts';
import { createSnapshot, type Snapshot } from './core/snapshot.ts';
import { type AdminListener, startAdmin } from './shell/admin.ts';
import type { Clock } from './shell/clock.ts';
import { createHealth } from './shell/health.ts';
import { createHandlers } from './shell/http/handlers/handlers.ts';
import { createPipeline } from './shell/http/pipeline.ts';
import { createRequestLog } from './shell/http/request-log.ts';
import { refuseSocket } from './shell/http/respond.ts';
import { createRouter } from './shell/http/router.ts';
import { LiveTrust } from './shell/live-trust.ts';
import type { Log } from './shell/log.ts';
import { createMetrics } from './shell/metrics.ts';
import { createRatchet } from './shell/ratchet.ts';
import { seedStore } from './shell/seed.ts';
import { readSnapshotFiles } from './shell/snapshot-files.ts';
import { openSqliteStore } from './shell/store/sqlite-store.ts';
import { createListener } from './shell/tls/listener.ts';
import { malformedAnswer } from './shell/tls/malformed.ts';
import { createTlsContext } from './shell/tls/secure-context.ts';

export interface GatewayDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** A fleet for a store that was never initialised and has no SEED_FILE; development only. */
  readonly demoFleet?: string;
}

export interface Gateway {
  readonly address: AddressInfo;
  readonly adminAddress: AddressInfo | undefined;
  /** No new connections, requests in flight finish; `/ready` turns 503 first. */
  close(): Promise<void>;
}

const DOCUMENT_PATH = fileURLToPath(new URL('../openapi.yaml', import.meta.url));
const SHIPPED_POLICY_DIR = fileURLToPath(new URL('../policy/', import.meta.url));

/** Wires the parts and starts to serve. Throws StartupError; then nothing is left running. */
export async function startGateway(config: Config, dependencies: GatewayDependencies): Promise<Gateway> {
  const { clock, log } = dependencies;
  const documentText = await readFile(DOCUMENT_PATH, 'utf8');
  const document = parseYaml(documentText) as object;
  const operations = readOperations(document);
  const schemas = compileSchemas(document);
  const snapshot = createSnapshot(await readSnapshotFiles(config, SHIPPED_POLICY_DIR), {
    generation: 1,
    operationIds: operations.all.map(({ operationId }) => operationId),
    spiffeTrustDomain: config.spiffeTrustDomain,
    apiMode: config.apiMode,
  });
  const router = await createRouter(document, operations, schemas);
  const store = await openSqliteStore(config.databaseUrl);
  try {
    await seedStore(store, schemas, config.seedFile, dependencies.demoFleet, log);
    const health = createHealth(store);
    const metrics = createMetrics();
    const trust = new LiveTrust(snapshot, clock);
    const ratchet = createRatchet(store, clock, log);
    const handlers = createHandlers(operations, { store, schemas, ratchet, health, documentText });
    let draining = false;
    const pipeline = createPipeline({
      config,
      router,
      handlers,
      trust,
      ratchet,
      clock,
      newRequestId,
      isDraining: () => draining,
      record: createRequestLog(log, metrics, clock),
    });
    const listener = createListener(createTlsContext(tlsMaterial(snapshot, config)), clock, {
      request: pipeline,
      malformed: (error, socket) => {
        const { code, message } = malformedAnswer(error);
        const requestId = newRequestId();
        log.info(
          { request_id: requestId, source: socket.remoteAddress, error: code, reason: error.code },
          'refused: not a request',
        );
        refuseSocket(socket, code, message, requestId);
      },
      handshakeDone: () => metrics.handshakes.inc({ result: 'done' }),
      handshakeFailed: (reason, source) => {
        metrics.handshakes.inc({ result: 'failed' });
        log.debug({ source, reason }, 'TLS handshake failed');
      },
    });
    metrics.observeConnections(() => listener.openConnections);
    const admin =
      config.admin === undefined
        ? undefined
        : await startAdmin(config.admin, health, metrics, log, newRequestId);
    const address = await listenOrUndo(() => listener.listen(config.listen), admin);
    for (const warning of [...snapshot.warnings, ...trustWarnings(snapshot.trust, clock.now())])
      log.warn(warning);
    log.info(
      {
        address: `${address.address}:${address.port}`,
        admin: admin === undefined ? 'off' : `${admin.address.address}:${admin.address.port}`,
        api_mode: config.apiMode,
        client_cert: config.clientCert,
        generation: snapshot.generation,
        anchors: snapshot.trust.describe(),
        operator_networks: config.operatorNetworks.ranges,
      },
      'serving',
    );
    return {
      address,
      adminAddress: admin?.address,
      async close() {
        draining = true;
        health.drain();
        log.info({ open_connections: listener.openConnections }, 'draining: no new connections');
        await listener.drain();
        await admin?.close();
        await store.close();
        log.info('stopped');
      },
    };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function tlsMaterial(snapshot: Snapshot, config: Config): Parameters<typeof createTlsContext>[0] {
  return {
    certificateChainPem: snapshot.serverChainPem,
    privateKeyPem: snapshot.serverKeyPem,
    authorities: snapshot.trust.authorities,
    minVersion: config.tlsMinVersion,
  };
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
