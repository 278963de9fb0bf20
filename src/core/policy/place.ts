import type { Cluster, FleetKind, FleetObject } from '../fleet/objects.ts';
import { NOWHERE, type Place } from './entities.ts';

/** Where clusters are, as far as scopes go. */

/** Of clusters as they were read: such an object never changes, and another state of a cluster is another object. */
const places = new WeakMap<Cluster, Place>();

/** undefined: it is not there, and so it is nowhere. */
export function placeOfCluster(cluster: Cluster | undefined): Place {
  if (cluster === undefined) return NOWHERE;
  const known = places.get(cluster);
  if (known !== undefined) return known;
  const labels = Object.entries(cluster.labels ?? {}).map(([key, value]) => `${key}=${value}`);
  const place = Object.freeze({ environment: cluster.environment, labels: Object.freeze(labels.sort()) });
  // What is still being made may yet change.
  if (Object.isFrozen(cluster) && Object.isFrozen(cluster.labels)) places.set(cluster, place);
  return place;
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
