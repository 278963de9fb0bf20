import type { AddressInfo } from 'node:net';
import type { Config } from './core/config.ts';
import { FluxgateError, StartupError } from './core/errors.ts';
import { LIMITS } from './core/limits.ts';
import { type AdminListener, startAdmin } from './shell/admin.ts';
import type { Clock } from './shell/clock.ts';
import { keepCompiled } from './shell/compile-cache.ts';
import { type Contract, loadContract } from './shell/contract.ts';
import { newRequestId } from './shell/http/request-id.ts';
import { createLoader, type SnapshotLoader } from './shell/load-snapshot.ts';
import type { Log } from './shell/log.ts';
import { logStart } from './shell/log-start.ts';
import { observeGateway } from './shell/metrics/observe-gateway.ts';
import type { Loaded, ReloadTrigger } from './shell/reload.ts';
import { seedStore } from './shell/seed.ts';
import { SHIPPED_POLICY_DIR, watchedPaths } from './shell/snapshot-files.ts';
import type { FileCheck } from './shell/store/check-file.ts';
import { isDamaged, refusalOfFile } from './shell/store/database.ts';
import { openSqliteStore } from './shell/store/sqlite-store.ts';
import type { Store } from './shell/store/store.ts';
import { watchPaths } from './shell/watch.ts';
import { ALONE, type Siblings } from './shell/workers/siblings.ts';
import { openState } from './wiring/open-state.ts';
import { wireReloads } from './wiring/wire-reloads.ts';
import { wireRequests } from './wiring/wire-requests.ts';

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
  /**
   * Of a sealed store, which is checked while it is served from and is damaged: what a start would have said had it waited. Nothing
   * more may be served then. Never rejects; where nothing is wrong with it, never resolves.
   */
  readonly damage: Promise<StartupError>;
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
    const { siblings, storeCheck } = dependencies;
    const store = await openSqliteStore(config.databaseUrl, {}, siblings?.turn, storeCheck);
    resources.defer(() => store.close());
    await seedStore(store, contract.schemas, config.seedFile, dependencies.demoFleet, dependencies.log);
    const gateway = await serve(config, dependencies, { contract, store, loaded, load, resources });
    return { ...gateway, damage: lateDamage(config, storeCheck, dependencies.log) };
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

/** Until a check that was put off can be made it is tried again: what keeps it from being made says nothing of the file. */
function lateDamage(
  { databaseUrl }: Config,
  storeCheck: FileCheck | undefined,
  log: Log,
): Promise<StartupError> {
  return new Promise((resolve) => {
    const look = async (): Promise<void> => {
      const { confirm } = (await storeCheck) ?? {};
      const problem = await confirm?.();
      if (problem === undefined) return;
      const refusal = refusalOfFile(databaseUrl, problem);
      if (isDamaged(problem)) return resolve(refusal);
      const next = LIMITS.lateCheckAgainMs;
      log.warn({ reason: refusal.message, next_try_ms: next }, 'the store could not be checked yet');
      setTimeout(() => void look(), next).unref();
    };
    void look();
  });
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
  { contract, store, loaded, load, resources }: ServingParts,
): Promise<Omit<Gateway, 'damage'>> {
  const { operations } = contract;
  let draining = false;
  const state = await openState(config, {
    clock,
    log,
    siblings,
    store,
    operations,
    loaded,
    listener: () => listener,
    resources,
  });
  const { trust, health, metrics, audit } = state;
  const requests = await wireRequests(config, contract, loaded.context, state, () => draining);
  const { listener, pipeline } = requests;
  observeGateway(metrics, { listener, trust, store: state.store, fleetStatus: state.fleetStatus, clock });
  metrics.generation.set(loaded.snapshot.generation);
  const reloader = wireReloads(load, listener, state, resources);

  let admin: AdminListener | undefined;
  resources.defer(() => admin?.close());
  // A drain that cuts requests off still leaves their lines in the log.
  resources.defer(() => pipeline.settled());
  resources.defer(() => listener.drain());
  resources.defer(() => state.page.streams.close());
  const catchUp = (): Promise<unknown> => Promise.all([state.revocations.refresh(), state.tokens.refresh()]);
  siblings.catchUpBy(catchUp);
  // What other workers changed while this one was loading; what they change from here on they tell.
  await catchUp();
  // What had to be compiled is kept once all of it is there: this process may not write for much longer.
  if (keepCompiled()) await requests.loadHandlers();
  beforeListening?.();
  const address = await listener.listen(config.listen);
  admin = config.admin && (await startAdmin(config.admin, health, metrics, log, newRequestId));
  requests.readAhead();
  resources.defer(() => reloader.stop());
  const watching = watchPaths(watchedPaths(config, SHIPPED_POLICY_DIR), async () => {
    await reloader.reload('file change');
  });
  resources.defer(() => watching.stop());
  const { total: clusters } = await state.store.reader.list('cluster', { filters: {}, limit: 1, offset: 0 });
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
