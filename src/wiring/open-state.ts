import type { Config } from '../core/config.ts';
import { isCrlMissing } from '../core/identity/crl-warnings.ts';
import { createAudit } from '../shell/audit.ts';
import { readAuditKey } from '../shell/audit-key.ts';
import type { Clock } from '../shell/clock.ts';
import { loadCrlIssuers } from '../shell/crl-issuers.ts';
import { createEdge } from '../shell/edge/edge.ts';
import { createFleetIndex } from '../shell/fleet-index.ts';
import { createFleetStatus } from '../shell/fleet-status.ts';
import { createHealth } from '../shell/health.ts';
import { openPage } from '../shell/http/ui/page.ts';
import { openRights } from '../shell/live-rights.ts';
import { LiveTrust } from '../shell/live-trust.ts';
import { openLiveness } from '../shell/liveness.ts';
import type { Log } from '../shell/log.ts';
import { createMetrics } from '../shell/metrics.ts';
import { createRatchet } from '../shell/ratchet.ts';
import { createRecentChains } from '../shell/recent-chains.ts';
import { createRefusals } from '../shell/refusals.ts';
import type { Loaded } from '../shell/reload.ts';
import { loadRevocations } from '../shell/revocations.ts';
import { openSightings } from '../shell/sightings.ts';
import type { Store } from '../shell/store/store.ts';
import { timedStore } from '../shell/store/timed-store.ts';
import type { Listener } from '../shell/tls/listener.ts';
import { loadTokens } from '../shell/tokens.ts';
import { shareLoads } from '../shell/workers/loaded-everywhere.ts';
import type { Siblings } from '../shell/workers/siblings.ts';

export interface StateParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly siblings: Siblings;
  readonly store: Store;
  readonly operations: Parameters<typeof createFleetStatus>[0]['operations'];
  readonly loaded: Loaded;
  /** Whose connections a revocation closes; asked for once there is one. */
  readonly listener: () => Listener;
  /** What has to be stopped before the store closes is put here. */
  readonly resources: AsyncDisposableStack;
}

/** All that is known from one request to the next. */
export type State = Awaited<ReturnType<typeof openState>>;

/** Nothing listens yet, and nobody has been heard. */
export async function openState(config: Config, parts: StateParts) {
  const { clock, log, siblings, operations, loaded, listener, resources } = parts;
  const metrics = createMetrics(siblings);
  const store = timedStore(parts.store, metrics.storeTook);
  const crlIssuers = await loadCrlIssuers(store.crlIssuers, config.crlDir, log);
  const trust = new LiveTrust(
    crlIssuers.expecting(loaded.snapshot),
    { revocations: await loadRevocations(store), tokenRecords: await loadTokens(store, clock.now()) },
    clock,
  );
  await crlIssuers.keep(trust.snapshot.crls);
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
  const edge = createEdge(config, { clock, log, metrics, siblings });
  resources.defer(() => edge.stop());
  const rights = openRights({ store, clock, log, metrics, siblings, trust, listener });
  for (const list of [rights.revocations, rights.tokens]) resources.defer(() => list.stop());
  const refusals = createRefusals(clock, siblings);
  const fleetStatus = createFleetStatus({
    index: createFleetIndex(store),
    liveness,
    refusals,
    operations,
    reader: store.reader,
    clock,
    presentations: sightings.presentations,
  });
  return {
    clock,
    log,
    siblings,
    metrics,
    store,
    crlIssuers,
    trust,
    loads: shareLoads(siblings, clock),
    health,
    audit,
    liveness,
    sightings,
    ratchet: createRatchet(store, clock, log, siblings),
    edge,
    ...rights,
    refusals,
    recentChains: createRecentChains(siblings),
    fleetStatus,
    page: await openPage(store, { trust, clock, siblings }),
  };
}
