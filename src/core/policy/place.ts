import type { Cluster, FleetKind, FleetObject } from '../fleet/objects.ts';
import { NOWHERE, type Place } from './entities.ts';

/** Where clusters are, as far as scopes go. */

/** undefined: it is not there, and so it is nowhere. */
export function placeOfCluster(cluster: Cluster | undefined): Place {
  if (cluster === undefined) return NOWHERE;
  const labels = Object.entries(cluster.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return { environment: cluster.environment, labels: labels.sort() };
}

/** The catalogue is everybody's: it is nowhere in particular. */
export function placeOfObject(kind: FleetKind, object: FleetObject): Place {
  return kind === 'cluster' ? placeOfCluster(object as Cluster) : NOWHERE;
}

/** What a list of clusters keeps to, by its own query. What is there twice, which the document refuses, keeps it to nothing. */
export function placeOfQuery(query: string): Place {
  const parameters = new URLSearchParams(query);
  const sole = (name: string): string[] => {
    const values = parameters.getAll(name);
    return values.length === 1 ? values : [];
  };
  return { environment: sole('environment')[0] ?? '', labels: sole('label') };
}
