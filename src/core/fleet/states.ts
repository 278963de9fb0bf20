import { FluxgateError } from '../errors.ts';
import type { Cluster, ClusterState } from './objects.ts';

/**
 * What may become of a cluster's answers. `frozen`: they stay, byte for byte, what they were. `decommissioning`: they may
 * shrink unasked. `retired`: 404. A cluster is emptied or retired in two deliberate steps, never in one.
 */
const TRANSITIONS: Readonly<Record<ClusterState, readonly ClusterState[]>> = Object.freeze({
  active: Object.freeze(['frozen', 'decommissioning'] as const),
  frozen: Object.freeze(['active', 'decommissioning'] as const),
  decommissioning: Object.freeze(['active', 'retired'] as const),
  /** Guarded always: nobody can compare with what Flux has held since. */
  retired: Object.freeze(['active'] as const),
});

export const stateOf = (cluster: Cluster): ClusterState => cluster.state ?? 'active';

/** The cluster in its new state. Throws `conflict` for a step that there is not. */
export function inState(cluster: Cluster, to: ClusterState): Cluster {
  const from = stateOf(cluster);
  if (!TRANSITIONS[from].includes(to)) {
    const may = TRANSITIONS[from].map((state) => `"${state}"`).join(' or ');
    throw new FluxgateError('conflict', `The cluster is "${from}"; from there it can become ${may} only.`, {
      details: [{ field: '/state', problem: `must be ${may}` }],
    });
  }
  const { state: _, ...rest } = cluster;
  return to === 'active' ? rest : { ...rest, state: to };
}

/** For PUT, PATCH and POST of a cluster: a state is changed by its own route, which asks for a reason. */
export function checkStateKept(before: Cluster | undefined, after: Cluster): void {
  const was = before === undefined ? 'active' : stateOf(before);
  if (stateOf(after) !== was) {
    throw new FluxgateError('validation_error', 'A cluster’s state is not changed in its document.', {
      details: [
        { field: '/state', problem: `must be "${was}", or absent: change it with POST /clusters/{id}/state` },
      ],
    });
  }
  if (was === 'frozen' && before?.cluster_dns !== after.cluster_dns) {
    throw new FluxgateError(
      'conflict',
      'A frozen cluster keeps its DNS name: what is pinned says that name.',
      {
        details: [{ field: '/cluster_dns', problem: 'must stay while the cluster is frozen' }],
      },
    );
  }
}
