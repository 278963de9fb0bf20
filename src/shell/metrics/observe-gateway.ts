import { X509Certificate } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { FleetStatus } from '../fleet-status.ts';
import type { LiveTrust } from '../live-trust.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';
import type { Listener } from '../tls/listener.ts';

export interface ObservedParts {
  readonly listener: Pick<Listener, 'openConnections'>;
  readonly trust: LiveTrust;
  readonly store: Pick<Store, 'history'>;
  readonly fleetStatus: Pick<FleetStatus, 'counts'>;
  readonly clock: Clock;
}

/** What is asked of the gateway's parts at each scrape, and by nobody before. */
export function observeGateway(metrics: Metrics, parts: ObservedParts): void {
  const { listener, trust, store, fleetStatus, clock } = parts;
  metrics.observeConnections(() => listener.openConnections);
  metrics.observeAuthorities(
    () => trust.snapshot.trust,
    () => new X509Certificate(trust.snapshot.serverChainPem).validToDate.getTime(),
  );
  metrics.observeCaches(() => ({ decisions: trust.policy.lookups, verdicts: trust.lookups }));
  metrics.observeFleet(
    async () => (await store.history.range()).newest,
    async () => (await fleetStatus.counts()).counts,
  );
  metrics.observeRevocations(() => trust.snapshot.revocations.count(clock.now()));
}
