import type { AddressInfo } from 'node:net';
import type { Config } from './core/config.ts';
import { FluxgateError, StartupError } from './core/errors.ts';
import { isCrlMissing } from './core/identity/crl-warnings.ts';
import { type AdminListener, startAdmin } from './shell/admin.ts';
import { createAudit } from './shell/audit.ts';
import { readAuditKey } from './shell/audit-key.ts';
import type { Clock } from './shell/clock.ts';
import { keepCompiled } from './shell/compile-cache.ts';
import { type Contract, loadContract } from './shell/contract.ts';
import { loadCrlIssuers } from './shell/crl-issuers.ts';
import { watchCrls } from './shell/crl-watch.ts';
import { createEdge } from './shell/edge/edge.ts';
import { createFleetIndex } from './shell/fleet-index.ts';
import { createFleetStatus } from './shell/fleet-status.ts';
import { createHealth } from './shell/health.ts';
import { answerMalformed } from './shell/http/answer-malformed.ts';
import { auditRefusals } from './shell/http/audit-refusals.ts';
import { countRequests } from './shell/http/count-request.ts';
import { createHandlers } from './shell/http/handlers/handlers.ts';
import { createPipeline, inTurn } from './shell/http/pipeline.ts';
import { rememberRequests } from './shell/http/remember.ts';
import { newRequestId } from './shell/http/request-id.ts';
import { createRequestLog } from './shell/http/request-log.ts';
import { openPage } from './shell/http/ui/page.ts';
import { openRights } from './shell/live-rights.ts';
import { LiveTrust } from './shell/live-trust.ts';
import { openLiveness } from './shell/liveness.ts';
import { createLoader, type SnapshotLoader } from './shell/load-snapshot.ts';
import type { Log } from './shell/log.ts';
import { logStart } from './shell/log-start.ts';
import { observeGateway } from './shell/metrics/observe-gateway.ts';
import { createMetrics } from './shell/metrics.ts';
import { createRatchet } from './shell/ratchet.ts';
import { readAhead } from './shell/read-ahead.ts';
import { createRecentChains } from './shell/recent-chains.ts';
import { createRefusals } from './shell/refusals.ts';
import { createRefusedLately } from './shell/refused-lately.ts';
import { noteRefusedPolls } from './shell/refused-polls.ts';
import { createReloader, type Loaded, type ReloadTrigger } from './shell/reload.ts';
import { loadRevocations } from './shell/revocations.ts';
import { seedStore } from './shell/seed.ts';
import { openSightings } from './shell/sightings.ts';
import { SHIPPED_POLICY_DIR, watchedPaths } from './shell/snapshot-files.ts';
import type { FileCheck } from './shell/store/check-file.ts';
import { openSqliteStore } from './shell/store/sqlite-store.ts';
import type { Store } from './shell/store/store.ts';
import { timedStore } from './shell/store/timed-store.ts';
import { createListener, type Listener } from './shell/tls/listener.ts';
import { loadTokens } from './shell/tokens.ts';
import { watchPaths } from './shell/watch.ts';
import { shareLoads } from './shell/workers/loaded-everywhere.ts';
import { ALONE, type Siblings } from './shell/workers/siblings.ts';
import { createWriteProgress } from './shell/write-progress.ts';

export interface GatewayDependencies {
  readonly clock: Clock;
  readonly log: Log;
  /** The other processes that serve the same; none where it is left out. */
  readonly siblings?: Siblings;
  /** Of the store's file, begun before; none: it is checked when it is opened. */
  readonly storeCheck?: FileCheck | undefined;
  /** Called once all is open that a start opens but its ports: before anybody outside is heard. */
  readonly beforeListening?: () => void;
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

/** Wires the parts and starts to serve. Throws StartupError; then nothing is left running. */
export async function startGateway(config: Config, dependencies: GatewayDependencies): Promise<Gateway> {
  const contract = await loadContract();
  const load = createLoader(config, contract.operations, dependencies.clock, contract.checkedPolicies);
  const loaded = await load(1, undefined);
  const resources = new AsyncDisposableStack();
  try {
    const { siblings = ALONE, storeCheck } = dependencies;
    const store = await openSqliteStore(config.databaseUrl, {}, siblings.turn, storeCheck);
    resources.defer(() => store.close());
    await seedStore(store, contract.schemas, config.seedFile, dependencies.demoFleet, dependencies.log);
    return await serve(config, dependencies, { contract, store, loaded, load, resources });
  } catch (error) {
    await resources.disposeAsync();
    // Nothing but the store says so at a start: it is locked, or cannot be read or written.
    if (error instanceof FluxgateError) {
      throw new StartupError(
        `DATABASE_URL: ${config.databaseUrl} cannot be used now (${error.logged ?? error.message}): does another program hold it, or is the disk full?`,
        error,
      );
    }
    throw error;
  }
}

interface ServingParts {
  readonly contract: Contract;
  readonly store: Store;
  readonly loaded: Loaded;
  readonly load: SnapshotLoader;
  /** Undone in reverse, at the end or when the start fails half-way. */
  readonly resources: AsyncDisposableStack;
}

async function serve(
  config: Config,
  { clock, log, siblings = ALONE, beforeListening }: GatewayDependencies,
  { contract, store: opened, loaded, load, resources }: ServingParts,
): Promise<Gateway> {
  const { schemas, operations, documentText, router } = contract;
  const metrics = createMetrics(siblings);
  const store = timedStore(opened, metrics.storeTook);
  const crlIssuers = await loadCrlIssuers(store.crlIssuers, config.crlDir, log);
  const trust = new LiveTrust(
    crlIssuers.expecting(loaded.snapshot),
    { revocations: await loadRevocations(store), tokenRecords: await loadTokens(store, clock.now()) },
    clock,
  );
  await crlIssuers.keep(trust.snapshot.crls);
  const loads = shareLoads(siblings, clock);
  const health = createHealth(store, () => isCrlMissing(trust.snapshot.crls, clock.now()));
  const signingKey = await readAuditKey(config.auditSigningKeyFile);
  const audit = createAudit({ store: store.audit, clock, log, metrics, signingKey });
  resources.defer(() => audit.stop());
  metrics.observeCrls(() => trust.snapshot.crls, clock);
  const liveness = openLiveness(store.liveness, clock, log);
  resources.defer(() => liveness.close());
  const seenBy = { clock, log, metrics, liveness, siblings };
  const sightings = await openSightings(config.pinClusterKeys, store, seenBy);
  resources.defer(() => sightings.close());
  const ratchet = createRatchet(store, clock, log, siblings);
  const edge = createEdge(config, { clock, log, metrics, siblings });
  resources.defer(() => edge.stop());
  const { revocations, tokens } = openRights({
    store,
    clock,
    log,
    metrics,
    siblings,
    trust,
    listener: () => listener,
  });
  for (const list of [revocations, tokens]) resources.defer(() => list.stop());
  const memory = {
    refusals: createRefusals(clock, siblings),
    recentChains: createRecentChains(siblings),
  };
  const fleetStatus = createFleetStatus({
    index: createFleetIndex(store),
    liveness,
    refusals: memory.refusals,
    operations,
    reader: store.reader,
    clock,
    presentations: sightings.presentations,
  });
  const page = await openPage(store, { trust, clock, siblings });
  const given = {
    store,
    schemas,
    ratchet,
    health,
    revocations,
    audit,
    tokens,
    trust,
    loads,
    sightings,
    liveness,
    fleetStatus,
    page,
    metrics,
    ...memory,
    progress: createWriteProgress(siblings),
    explain: { config, router, trust, pins: sightings.pins, ratchet, fleet: store.reader },
    clock,
    log,
    documentText,
    pruneGuard: config.pruneGuard,
    requireIfMatch: config.requireIfMatch,
  };
  const handlers = await createHandlers(operations, given, contract);
  let draining = false;
  const pipeline = createPipeline({
    config,
    router,
    handlers,
    page,
    trust,
    pins: sightings.pins,
    ratchet,
    fleet: store.reader,
    tokens,
    oidc:
      config.oidc &&
      (await import('./shell/oidc.ts')).createOidc(config.oidc, {
        clock,
        localKeys: () => trust.snapshot.oidcKeys,
      }),
    throttle: edge.throttle,
    siblings,
    clock,
    newRequestId,
    isDraining: () => draining,
    unanswerable: (record, error) =>
      log.error(
        { request_id: record.requestId, source: record.source, err: error },
        'could not answer at all',
      ),
    record: inTurn([
      createRequestLog(log, edge.lines, clock, revocations),
      countRequests(metrics, clock),
      rememberRequests(memory, clock),
      noteRefusedPolls(memory.refusals, liveness),
      sightings.note,
      auditRefusals(audit),
    ]),
  });
  const listener: Listener = createListener(loaded.context, config, edge.gate, {
    ...edge.events,
    request: pipeline.answer,
    malformed: (error, socket, answerable, source) =>
      answerMalformed(edge.lines, trust, newRequestId(), { error, socket, answerable, source }),
  });
  observeGateway(metrics, { listener, trust, store, fleetStatus, clock });
  metrics.generation.set(loaded.snapshot.generation);
  const crlWatch = watchCrls(() => trust.snapshot.crls, clock, log);
  resources.defer(() => crlWatch.stop());
  const refusedLately = createRefusedLately(sightings.presentations, clock, log);
  resources.defer(() => refusedLately.stop());
  const reloader = createReloader({
    load,
    current: () => trust.snapshot,
    swap(next) {
      listener.useContext(next.context);
      trust.replace(next.snapshot);
      loads.loaded();
    },
    retire() {
      crlWatch.look();
      return listener.retire((socket) => trust.verdictOf(socket)?.accepted === false);
    },
    reloaded(before) {
      void crlIssuers.keep(trust.snapshot.crls);
      refusedLately.look(before, trust.snapshot);
    },
    health,
    metrics,
    audit,
    log,
  });

  let admin: AdminListener | undefined;
  resources.defer(() => admin?.close());
  // A drain that cuts requests off still leaves their lines in the log.
  resources.defer(() => pipeline.settled());
  resources.defer(() => listener.drain());
  resources.defer(() => page.streams.close());
  const catchUp = (): Promise<unknown> => Promise.all([revocations.refresh(), tokens.refresh()]);
  siblings.catchUpBy(catchUp);
  // What other workers changed while this one was loading; what they change from here on they tell.
  await catchUp();
  // What had to be compiled is kept once all of it is there: this process may not write for much longer.
  if (keepCompiled()) await handlers.load();
  beforeListening?.();
  const address = await listener.listen(config.listen);
  admin = config.admin && (await startAdmin(config.admin, health, metrics, log, newRequestId));
  readAhead({ ...given, config, router, handlers, fleet: store.reader });
  resources.defer(() => reloader.stop());
  const watching = watchPaths(watchedPaths(config, SHIPPED_POLICY_DIR), async () => {
    await reloader.reload('file change');
  });
  resources.defer(() => watching.stop());
  const { total: clusters } = await store.reader.list('cluster', { filters: {}, limit: 1, offset: 0 });
  logStart(config, loaded.snapshot, clock, log, { address, admin, clusters });
  audit.told('started', { address: `${address.address}:${address.port}`, api_mode: config.apiMode });
  return {
    address,
    adminAddress: admin?.address,
    reload: (trigger) => reloader.reload(trigger),
    async close() {
      draining = true;
      health.drain();
      log.info({ open_connections: listener.openConnections }, 'draining: no new connections');
      audit.told('stopped', {});
      await resources.disposeAsync();
      log.info('stopped');
    },
  };
}
