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

const RBAC_GROUP = 'rbac.authorization.k8s.io';
/** RFC 1123, as Kubernetes names service accounts. */
const SERVICE_ACCOUNT =
  /^(?=.{1,253}$)[a-z0-9](?:[-a-z0-9]*[a-z0-9])?(?:\.[a-z0-9](?:[-a-z0-9]*[a-z0-9])?)*$/;

/**
 * What the API server and its authoriser say of each kind of subject (k8s.io/api rbac/v1, Subject); Flux would report it only
 * from the cluster. An empty or absent `apiGroup` is the kind's own.
 */
function rules(rolebinding: Rolebinding): ErrorDetail[] {
  return rolebinding.subjects.flatMap((entry, position) =>
    subjectProblems(entry).map(([field, problem]) => ({
      field: pointer('subjects', position, field),
      problem,
    })),
  );
}

function subjectProblems({ kind, name, namespace, apiGroup = '' }: Subject): [keyof Subject, string][] {
  const problems: [keyof Subject, string][] = [];
  if (kind === 'ServiceAccount') {
    if (namespace === undefined) problems.push(['namespace', 'is required for a ServiceAccount']);
    if (apiGroup !== '') problems.push(['apiGroup', 'must be empty or absent for a ServiceAccount']);
    if (!SERVICE_ACCOUNT.test(name))
      problems.push(['name', 'must be a DNS name (RFC 1123) for a ServiceAccount']);
    return problems;
  }
  if (namespace !== undefined) problems.push(['namespace', `must be absent: a ${kind} is in no namespace`]);
  if (apiGroup !== '' && apiGroup !== RBAC_GROUP)
    problems.push(['apiGroup', `must be ${RBAC_GROUP}, or absent, for a ${kind}`]);
  return problems;
}
