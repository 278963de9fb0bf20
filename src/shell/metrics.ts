import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client';
import type { MetricsJson } from '../core/workers/messages.ts';
import { type ConnectionMetrics, createConnectionMetrics } from './metrics/connections.ts';
import { createFleetMetrics, type FleetMetrics } from './metrics/fleet.ts';
import { createRequestMetrics, type RequestMetrics } from './metrics/requests.ts';
import { createTrustMetrics, type TrustMetrics } from './metrics/trust.ts';
import { ALONE, type Siblings } from './workers/siblings.ts';

/**
 * What the admin listener shows of this process. Labels are closed lists, or as many as the configuration has of something: no client can
 * add a series, and no cluster is named. docs/monitoring.md says what each is for.
 */
export interface Metrics extends RequestMetrics, ConnectionMetrics, TrustMetrics, FleetMetrics {
  contentType(): string;
  /** Of all workers together. */
  text(): Promise<string>;
}

export function createMetrics(siblings: Siblings = ALONE): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix: 'fluxgate_' });
  // The sandbox does not let it be counted, and nought would be a lie.
  registry.removeSingleMetric('fluxgate_process_open_fds');
  const connections = createConnectionMetrics(registry);
  const own = (): Promise<MetricsJson> => registry.getMetricsAsJSON();
  siblings.countWith(own);
  const text = async (): Promise<string> => {
    const others = await siblings.metricsOfOthers(own);
    if (others === undefined) return registry.metrics();
    const { registries, workers } = others;
    connections.observeWorkers(workers);
    // This worker's first: what is not added up is shown as it knows it.
    const sum = AggregatorRegistry.aggregate([[...(await own())], ...registries.map((one) => [...one])]);
    return sum.metrics();
  };
  return {
    ...createRequestMetrics(registry),
    ...connections,
    ...createTrustMetrics(registry),
    ...createFleetMetrics(registry),
    contentType: () => registry.contentType,
    text,
  };
}
