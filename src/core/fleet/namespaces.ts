import { sortedMap } from './canonical.ts';
import type { KindDefinition, RawObject } from './kind.ts';
import type { Namespace } from './objects.ts';
import { renderCluster } from './render-cluster.ts';

type RawNamespace = Pick<Namespace, 'id'> & Partial<Namespace>;

export const NAMESPACES: KindDefinition<'namespace'> = Object.freeze({
  kind: 'namespace',
  title: 'namespace',
  collection: 'namespaces',
  schema: 'Namespace',
  fields: Object.freeze(['id', 'labels', 'annotations'] as const),
  filters: Object.freeze([]),
  unique: Object.freeze([]),
  refersTo: Object.freeze([]),
  normalise,
  rules: () => [],
  references: () => [],
  flux: Object.freeze({
    segment: 'namespaces',
    assignedIn: 'namespaces',
    render: (cluster, { id, labels, annotations }) => ({
      id,
      labels,
      annotations,
      cluster: renderCluster(cluster),
    }),
  } satisfies KindDefinition<'namespace'>['flux']),
});

function normalise(checked: RawObject): Namespace {
  const raw = checked as unknown as RawNamespace;
  return { id: raw.id, labels: sortedMap(raw.labels), annotations: sortedMap(raw.annotations) };
}
