import { segment } from '../api/path.ts';
import type { Column } from '../output/table.ts';
import { counted } from '../output/text.ts';

export type StoredObject = Readonly<Record<string, unknown>> & { readonly id: string };

/** What the command line knows of a kind of object. */
export interface ObjectKind {
  /** The command, and the kind in `-o name`. */
  readonly name: 'cluster' | 'component' | 'namespace' | 'rolebinding';
  /** As the API calls it in bulk operations and plans. */
  readonly apiKind: 'cluster' | 'platform_component' | 'namespace' | 'rolebinding';
  readonly path: string;
  readonly columns: readonly Column<StoredObject>[];
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const field = (name: string) => (object: StoredObject) => {
  const value = object[name];
  return value === undefined || value === null ? undefined : String(value);
};
const pairs = (value: unknown): string =>
  Object.entries(typeof value === 'object' && value !== null ? value : {})
    .map(([key, content]) => `${key}=${String(content)}`)
    .join(',');

export const CLUSTERS: ObjectKind = {
  name: 'cluster',
  apiKind: 'cluster',
  path: '/clusters',
  columns: [
    { heading: 'ID', of: ({ id }) => id },
    { heading: 'ENVIRONMENT', of: field('environment') },
    { heading: 'STATE', of: ({ state }) => (typeof state === 'string' ? state : 'active') },
    { heading: 'COMPONENTS', of: ({ platform_components }) => list(platform_components).length },
    { heading: 'NAMESPACES', of: ({ namespaces }) => list(namespaces).length },
    { heading: 'ROLEBINDINGS', of: ({ rolebindings }) => list(rolebindings).length },
    { heading: 'DNS', of: field('cluster_dns') },
    { heading: 'LABELS', of: ({ labels }) => pairs(labels) },
  ],
};

export const COMPONENTS: ObjectKind = {
  name: 'component',
  apiKind: 'platform_component',
  path: '/platform_components',
  columns: [
    { heading: 'ID', of: ({ id }) => id },
    { heading: 'VERSION', of: field('component_version') },
    { heading: 'TAG', of: field('oci_tag') },
    { heading: 'PATH', of: field('component_path') },
    { heading: 'SOURCE', of: field('oci_url') },
    { heading: 'DEPENDS ON', of: ({ depends_on }) => list(depends_on).join(',') },
  ],
};

export const NAMESPACES: ObjectKind = {
  name: 'namespace',
  apiKind: 'namespace',
  path: '/namespaces',
  columns: [
    { heading: 'ID', of: ({ id }) => id },
    { heading: 'LABELS', of: ({ labels }) => pairs(labels) },
    {
      heading: 'ANNOTATIONS',
      of: ({ annotations }) => Object.keys((annotations as object | undefined) ?? {}).length,
    },
  ],
};

export const ROLEBINDINGS: ObjectKind = {
  name: 'rolebinding',
  apiKind: 'rolebinding',
  path: '/rolebindings',
  columns: [
    { heading: 'ID', of: ({ id }) => id },
    { heading: 'ROLE', of: field('role') },
    { heading: 'SUBJECTS', of: ({ subjects }) => subjectsText(list(subjects)) },
  ],
};

function subjectsText(subjects: readonly unknown[]): string {
  const named = (subjects as Readonly<Record<string, unknown>>[])
    .slice(0, 3)
    .map(({ kind, name, namespace }) =>
      [kind, namespace, name].filter((part) => part !== undefined).join(':'),
    );
  const rest = subjects.length - named.length;
  return [...named, ...(rest > 0 ? [counted(rest, 'more', 'more')] : [])].join(', ');
}

/** One object's path; whatever was typed is one segment of it. */
export function objectPath({ path }: ObjectKind, id: string): string {
  return `${path}/${segment(id)}`;
}
