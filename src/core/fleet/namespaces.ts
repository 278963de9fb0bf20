import type { ErrorDetail } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { pointer, sortedMap } from './canonical.ts';
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
  rules,
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

/** Flux marks with these what it has made, and overwrites whoever else does. */
const FLUX_LABELS: readonly string[] = Object.freeze([
  'resourceset.fluxcd.controlplane.io/name',
  'resourceset.fluxcd.controlplane.io/namespace',
  'kustomize.toolkit.fluxcd.io/name',
  'kustomize.toolkit.fluxcd.io/namespace',
]);
/** The API server sets it to the namespace's name, so Flux would find another value changed for ever. */
const NAME_LABEL = 'kubernetes.io/metadata.name';

function rules({ id, labels, annotations }: Namespace): ErrorDetail[] {
  const problems: ErrorDetail[] = FLUX_LABELS.filter((key) => Object.hasOwn(labels, key)).map((key) => ({
    field: pointer('labels', key),
    problem: 'is written by Flux itself: remove it',
  }));
  if (Object.hasOwn(labels, NAME_LABEL) && labels[NAME_LABEL] !== id) {
    problems.push({ field: pointer('labels', NAME_LABEL), problem: `must be "${id}", or absent` });
  }
  const octets = Object.entries(annotations).reduce(
    (sum, [key, value]) => sum + Buffer.byteLength(key) + Buffer.byteLength(value),
    0,
  );
  if (octets > LIMITS.annotationsBytesMax) {
    const problem = `have ${octets} bytes together, and Kubernetes takes ${LIMITS.annotationsBytesMax}`;
    problems.push({ field: '/annotations', problem });
  }
  return problems;
}
