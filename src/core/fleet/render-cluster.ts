import type { Cluster, Environment } from './objects.ts';

/** The `cluster` key of every rendered input (contract §3). */
export interface RenderedCluster {
  readonly name: string;
  readonly dns: string;
  readonly environment: Environment;
}

export function renderCluster(cluster: Cluster): RenderedCluster {
  return { name: cluster.cluster_name, dns: cluster.cluster_dns, environment: cluster.environment };
}
