import type { Database } from 'better-sqlite3';
import type { CatalogueKind, ObjectName } from '../../core/fleet/access.ts';
import type { ClusterState, Environment } from '../../core/fleet/objects.ts';
import { USING_CLUSTERS } from './mentions.ts';

/** What is looked at of all clusters, again and again: no document is handed out, and every list comes page by page. */
export interface OutlineStore {
  /** Ordered by id, those after the id `after` ('' for the first page); those that are retired as well. */
  clusters(after: string, limit: number): Promise<readonly ClusterOutline[]>;
  cluster(id: string): Promise<ClusterOutline | undefined>;
  /**
   * The clusters that assign this catalogue object, in the order in which they were made, those after the place `after` (0 for the first
   * page). Between two pages clusters may come and go: one that assigns the object all the while is in exactly one of them.
   */
  clustersUsing(kind: CatalogueKind, id: string, after: number, limit: number): Promise<readonly User[]>;
  /** What was changed after the revision `since`, newest first, those before the change `before`. */
  changes(since: number, before: Position, limit: number): Promise<readonly OutlinedChange[]>;
}

export interface ClusterOutline {
  readonly id: string;
  readonly clusterName: string;
  readonly clusterDns: string;
  readonly environment: Environment;
  readonly state: ClusterState;
  /** `key=value` */
  readonly labels: readonly string[];
}

export interface User {
  readonly id: string;
  /** Not the id's: a cluster that is deleted and made anew stands behind those that stayed. */
  readonly place: number;
}

export interface OutlinedChange extends ObjectName {
  readonly revision: number;
}

/** In the order of revision, kind, id. An empty kind is before all of its revision. */
export interface Position {
  readonly revision: number;
  readonly kind: string;
  readonly id: string;
}

interface Row {
  readonly id: string;
  /** JSON, of FIELDS. */
  readonly fields: string;
}

/** Asked for at once, SQLite reads the document once: half the time that it takes for one after the other. */
const FIELDS =
  "json_extract(document, '$.cluster_name', '$.cluster_dns', '$.environment', '$.state', '$.labels')";
type Fields = readonly [
  name: string,
  dns: string,
  environment: Environment,
  state: ClusterState | null,
  labels: Readonly<Record<string, string>> | null,
];

type Read = <T>(doing: string, act: () => T) => Promise<T>;

/** By index, in the index's order: a test holds their query plans to that. */
export const OUTLINE_SQL = Object.freeze({
  clusters: `SELECT id, ${FIELDS} AS fields FROM objects WHERE kind = 'cluster' AND id > ? ORDER BY id LIMIT ?`,
  cluster: `SELECT id, ${FIELDS} AS fields FROM objects WHERE kind = 'cluster' AND id = ?`,
  using: `SELECT user.id, refs.from_number AS place ${USING_CLUSTERS}`,
  changes: `SELECT revision, kind, id FROM revision_changes WHERE revision > ? AND (revision, kind, id) < (?, ?, ?)
    ORDER BY revision DESC, kind DESC, id DESC LIMIT ?`,
});

export function createOutlineStore(reader: Database, read: Read): OutlineStore {
  const page = reader.prepare<[string, number], Row>(OUTLINE_SQL.clusters);
  const one = reader.prepare<[string], Row>(OUTLINE_SQL.cluster);
  const using = reader.prepare<[string, string, number, number], User>(OUTLINE_SQL.using);
  const changes = reader.prepare<[number, number, string, string, number], OutlinedChange>(
    OUTLINE_SQL.changes,
  );
  return Object.freeze<OutlineStore>({
    clusters: (after, limit) => read('read', () => page.all(after, limit).map(outlineOf)),
    cluster: (id) =>
      read('read', () => {
        const row = one.get(id);
        return row === undefined ? undefined : outlineOf(row);
      }),
    clustersUsing: (kind, id, after, limit) => read('read', () => using.all(kind, id, after, limit)),
    changes: (since, { revision, kind, id }, limit) =>
      read('read', () => changes.all(since, revision, kind, id, limit)),
  });
}

const NO_LABELS: readonly string[] = Object.freeze([]);

function outlineOf({ id, fields }: Row): ClusterOutline {
  const [clusterName, clusterDns, environment, state, labels] = JSON.parse(fields) as Fields;
  return {
    id,
    clusterName,
    clusterDns,
    environment,
    state: state ?? 'active',
    labels: labels === null ? NO_LABELS : Object.entries(labels).map(([key, value]) => `${key}=${value}`),
  };
}
