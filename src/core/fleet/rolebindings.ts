import type { ErrorDetail } from '../errors.ts';
import { pointer, present } from './canonical.ts';
import type { KindDefinition, RawObject } from './kind.ts';
import type { Rolebinding, Subject } from './objects.ts';
import { renderCluster } from './render-cluster.ts';

type RawRolebinding = Omit<Rolebinding, 'subjects'> & Partial<Pick<Rolebinding, 'subjects'>>;

export const ROLEBINDINGS: KindDefinition<'rolebinding'> = Object.freeze({
  kind: 'rolebinding',
  title: 'rolebinding',
  collection: 'rolebindings',
  schema: 'Rolebinding',
  fields: Object.freeze(['id', 'role', 'subjects'] as const),
  filters: Object.freeze([]),
  unique: Object.freeze([]),
  refersTo: Object.freeze([]),
  normalise,
  rules,
  references: () => [],
  flux: Object.freeze({
    segment: 'rolebindings',
    assignedIn: 'rolebindings',
    render: (cluster, { id, role, subjects }) => ({ id, role, subjects, cluster: renderCluster(cluster) }),
  } satisfies KindDefinition<'rolebinding'>['flux']),
});

function normalise(checked: RawObject): Rolebinding {
  const raw = checked as unknown as RawRolebinding;
  return { id: raw.id, role: raw.role, subjects: (raw.subjects ?? []).map(subject) };
}

function subject(raw: Subject): Subject {
  return {
    kind: raw.kind,
    name: raw.name,
    ...present({ namespace: raw.namespace, apiGroup: raw.apiGroup }),
  };
}

/** Kubernetes refuses a RoleBinding whose ServiceAccount has no namespace, and Flux would report it only there. */
function rules(rolebinding: Rolebinding): ErrorDetail[] {
  return rolebinding.subjects.flatMap((entry, position) =>
    entry.kind === 'ServiceAccount' && entry.namespace === undefined
      ? [{ field: pointer('subjects', position, 'namespace'), problem: 'is required for a ServiceAccount' }]
      : [],
  );
}
