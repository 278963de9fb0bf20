import type { Config } from '../../core/config.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { Log } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { ListenerEvents } from '../tls/listener.ts';
import type { Siblings } from '../workers/siblings.ts';
import { type BoundedLines, createBoundedLines } from './bounded-lines.ts';
import { createGate, type Gate } from './gate.ts';
import { handshakeHint } from './handshake-hints.ts';
import { watchLoad } from './load.ts';
import { shareBuckets } from './shared-buckets.ts';
import { createStanding } from './standing.ts';
import { createThrottle, type Throttle } from './throttle.ts';

/** Everything between a peer and the rules: who waits, who is turned away, and what the log says of it. */
export interface Edge {
  readonly gate: Gate;
  readonly throttle: Throttle;
  readonly lines: BoundedLines;
  readonly events: Pick<
    ListenerEvents,
    'handshakeDone' | 'handshakeFailed' | 'proxyHeaderRefused' | 'dropped'
  >;
  stop(): void;
}

export function createEdge(
  config: Config,
  {
    clock,
    log,
    metrics,
    siblings,
  }: {
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
    readonly siblings: Siblings;
  },
): Edge {
  const lines = createBoundedLines(log, clock);
  const standing = createStanding(clock, siblings);
  // The machine's clock, whatever the gateway takes for the time: this is about how late its turns come.
  const load = watchLoad(systemClock, log);
  const { clustersPerAddressMax, connectionsMax } = config;
  const buckets = shareBuckets(siblings, clock);
  const shared = { clock, standing, load, clustersPerAddressMax, siblings, buckets };
  const gate = createGate({
    ...shared,
    connectionsMax,
    refused(reason, source) {
      metrics.refusedConnections.inc({ reason });
      lines.warn('connection refused', () => ({ source, reason }));
    },
  });
  const throttle = createThrottle({
    ...shared,
    limited: (reason) => metrics.limitedRequests.inc({ reason }),
  });
  metrics.observeHandshakes(() => gate.unfinished());
  metrics.observeLoad(() => load.level);
  return {
    gate,
    throttle,
    lines,
    events: {
      handshakeDone: (agreed) => metrics.handshakes.inc({ result: 'done', ...agreed }),
      handshakeFailed(reason, source) {
        metrics.handshakes.inc({ result: 'failed', version: 'none', cipher: 'none', group: 'none' });
        lines.warn('TLS handshake failed', () => ({ source, reason, hint: handshakeHint(reason) }));
      },
      proxyHeaderRefused(reason, proxy) {
        metrics.refusedProxyHeaders.inc({ reason });
        lines.warn('PROXY protocol header refused', () => ({ proxy, reason }));
      },
      dropped() {
        metrics.refusedConnections.inc({ reason: 'connections_max' });
        lines.warn('connection refused', () => ({ reason: 'connections_max' }));
      },
    },
    stop() {
      load.stop();
      lines.stop();
    },
  };
}
