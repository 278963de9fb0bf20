import { FluxgateError } from '../errors.ts';
import type { FleetReader } from './access.ts';
import type { Cluster } from './objects.ts';
import type { Pause } from './pause.ts';
import type { ObjectChange } from './plan.ts';

/** The store refuses a DNS name that is taken; said here before anybody is asked to confirm a plan that cannot be. */
export async function checkDnsFree(
  changes: readonly ObjectChange[],
  reader: Pick<FleetReader, 'following'>,
  pause: Pause,
): Promise<void> {
  const changed = new Set(changes.filter(({ kind }) => kind === 'cluster').map(({ id }) => id));
  for (const { kind, id, before, after } of changes) {
    if (kind !== 'cluster' || after === undefined) continue;
    const { cluster_dns } = after as Cluster;
    if ((before as Cluster | undefined)?.cluster_dns === cluster_dns) continue;
    const [found] = await reader.following('cluster', { filters: { cluster_dns }, after: '', limit: 1 });
    const holder = found?.id;
    await pause();
    // Whoever holds it may give it up in the same set of changes: then the store has the last word.
    if (holder === undefined || holder === id || changed.has(holder)) continue;
    throw new FluxgateError(
      'conflict',
      "The cluster's cluster_dns is taken. Choose another, or change the cluster that has it.",
      { details: [{ field: '/cluster_dns', problem: 'must not be taken by another cluster' }] },
    );
  }
}
