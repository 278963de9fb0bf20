import { collectDefaultMetrics, Registry } from 'prom-client';
import { type ConnectionMetrics, createConnectionMetrics } from './metrics/connections.ts';
import { createFleetMetrics, type FleetMetrics } from './metrics/fleet.ts';
import { createRequestMetrics, type RequestMetrics } from './metrics/requests.ts';
import { createTrustMetrics, type TrustMetrics } from './metrics/trust.ts';

/**
 * What the admin listener shows of this process. Labels are closed lists, or as many as the configuration has of something: no client can
 * add a series, and no cluster is named. docs/monitoring.md says what each is for.
 */
export interface Metrics extends RequestMetrics, ConnectionMetrics, TrustMetrics, FleetMetrics {
  contentType(): string;
  text(): Promise<string>;
}

export function createMetrics(): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'fluxgate_' });
  return {
    ...createRequestMetrics(registry),
    ...createConnectionMetrics(registry),
    ...createTrustMetrics(registry),
    ...createFleetMetrics(registry),
    contentType: () => registry.contentType,
    text: () => registry.metrics(),
  };
}
