import type { Cluster, FleetKind, FleetObject } from '../fleet/objects.ts';
import { NOWHERE, type Place } from './entities.ts';

/** Where clusters are, as far as scopes go. */

/** undefined: it is not there, and so it is nowhere. */
export function placeOfCluster(cluster: Cluster | undefined): Place {
  if (cluster === undefined) return NOWHERE;
  return { environment: cluster.environment, labels: [] };
}

/** The catalogue is everybody's: it is nowhere in particular. */
export function placeOfObject(kind: FleetKind, object: FleetObject): Place {
  return kind === 'cluster' ? placeOfCluster(object as Cluster) : NOWHERE;
}

/**
 * What a list keeps to, by its own query. A parameter that is there twice, which the document refuses later on, keeps it to
 * nothing.
 */
export function placeOfQuery(query: string): Place {
  const [environment, second] = new URLSearchParams(query).getAll('environment');
  return { environment: second === undefined ? (environment ?? '') : '', labels: [] };
}
