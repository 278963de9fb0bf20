import type { Database, Statement } from 'better-sqlite3';
import { LRUCache } from 'lru-cache';
import type {
  CatalogueKind,
  ClusterInputs,
  FollowingQuery,
  ListQuery,
  ObjectName,
  Page,
} from '../../core/fleet/access.ts';
import { deepFreeze } from '../../core/fleet/canonical.ts';
import type { Cluster, FleetKind, FleetObjects } from '../../core/fleet/objects.ts';
import { assignmentField, kindDefinition } from '../../core/fleet/registry.ts';
import type { PinnedAnswers } from '../../core/fleet/served.ts';
import { LIMITS } from '../../core/limits.ts';
import { unavailable } from './faults.ts';
import { USERS, USING_CLUSTERS_AFTER_ID } from './mentions.ts';
import { openWalIndex } from './wal-index.ts';

/** The reading SQL, on one connection, each statement prepared once. Synchronous: what runs in one call sees one state. */
export interface FleetQueries {
  clusterInputs<K extends CatalogueKind>(clusterDns: string, kind: K): ClusterInputs<K> | undefined;
  newestRevision(): number;
  get<K extends FleetKind>(kind: K, id: string): FleetObjects[K] | undefined;
  list<K extends FleetKind>(kind: K, query: ListQuery): Page<FleetObjects[K]>;
  following<K extends FleetKind>(kind: K, query: FollowingQuery): readonly FleetObjects[K][];
  usersOf(kind: FleetKind, id: string, limit: number): Page<ObjectName>;
  clustersUsing(kind: CatalogueKind, id: string, after: string, limit: number): readonly Cluster[];
  pinnedAnswers(clusterId: string): PinnedAnswers | undefined;
  formerAnswers(clusterId: string, revision: number): PinnedAnswers | undefined;
  isRatcheted(clusterDns: string): boolean;
  isInitialised(): boolean;
}

/** Indexed look-ups only: a test holds their query plans to that. */
export const POLL_SQL = Object.freeze({
  cluster: 'SELECT document FROM objects WHERE cluster_dns = ?',
  references: `SELECT target.id FROM objects AS user CROSS JOIN refs ON refs.from_number = user.number
    CROSS JOIN objects AS target ON target.number = refs.to_number
    WHERE user.kind = 'cluster' AND user.id = ? AND refs.field = (SELECT number FROM ref_fields WHERE name = ?)
    ORDER BY refs.position`,
  object: 'SELECT document FROM objects WHERE kind = ? AND id = ?',
  revision: 'SELECT max(number) FROM revisions',
  ratchet: 'SELECT 1 FROM ratchet WHERE cluster_dns = ?',
});

/** No cluster assigns one object twice, so that no row comes twice. */
const CLUSTERS_USING = `SELECT user.document ${USING_CLUSTERS_AFTER_ID}`;

/** Filters that have an indexed column; any other declared filter is looked up in the documents. */
const FILTER_COLUMNS: readonly string[] = Object.freeze(['cluster_dns', 'environment', 'component_version']);

/** `key=value`; a key holds no equals sign. */
const LABEL_TERM =
  "EXISTS (SELECT 1 FROM json_each(document, '$.labels') AS label WHERE label.key || '=' || label.value = ?)";

/**
 * `remembers`: for a connection that sees committed state only. Its catalogue entries, and what operators look at by name, are kept as
 * they were read for as long as no revision came, without which none of them changes: a poll then reads its cluster and what that
 * refers to, and nothing else.
 */
export function createFleetQueries(database: Database, { remembers = false } = {}): FleetQueries {
  const prepare = <Row>(sql: string): Statement<unknown[], Row> => database.prepare<unknown[], Row>(sql);
  const text = (sql: string): Statement<unknown[], string> => prepare<string>(sql).pluck();
  const clusterByDns = text(POLL_SQL.cluster);
  const newestRevision = prepare<number | null>(POLL_SQL.revision).pluck();
  const referencesOf = text(POLL_SQL.references);
  const ratcheted = prepare<unknown>(POLL_SQL.ratchet);
  const byId = text(POLL_SQL.object);
  const users = prepare<ObjectName>(`SELECT user.kind, user.id FROM (${USERS} ORDER BY from_number LIMIT ?)
    JOIN objects AS user ON user.number = from_number ORDER BY from_number`);
  const pinsOf = text('SELECT answers FROM frozen_answers WHERE cluster_id = ?');
  const formerPinsOf = text('SELECT answers FROM past_pins WHERE cluster_id = ? AND until_revision = ?');
  const clustersUsing = text(CLUSTERS_USING);
  const userCount = prepare<number>(`SELECT count(*) FROM (${USERS})`).pluck();
  const initialised = prepare<unknown>("SELECT 1 FROM meta WHERE name = 'initialised'");
  const lists = new Map<string, ListStatements>();
  const file = remembers ? fileOf(database) : '';
  const index = file === '' ? undefined : openWalIndex(file);
  let atHand: number | undefined;
  /** The number of the newest revision that is committed. Not within a transaction, which sees the state that it began with. */
  const revisionNow = (): number => {
    // Looked at before the store is asked: what is committed in between is a move at the next look.
    if (index?.moved() !== false) atHand = undefined;
    atHand ??= newestRevision.get() ?? 0;
    return atHand;
  };

  const catalogue = createObjectMemory<Entry>(LIMITS.catalogueMemoryCharacters);
  const lookedAt = createObjectMemory<FleetObjects[FleetKind]>(LIMITS.lookedAtCharacters);
  const entryOf = (kind: CatalogueKind, id: string, revision: number): Entry | undefined => {
    const known = remembers ? catalogue.get(kind, id, revision) : undefined;
    if (known !== undefined) return known;
    const document = byId.get(kind, id);
    if (document === undefined) return undefined;
    const entry = parse<Entry>(document);
    if (remembers) catalogue.set(kind, entry, document.length);
    return entry;
  };
  const readObject = (kind: FleetKind, id: string): FleetObjects[FleetKind] | undefined => {
    // Asked before the object: what a commit brings in between is kept under a number that is not the newest any more.
    const known = remembers ? lookedAt.get(kind, id, revisionNow()) : undefined;
    if (known !== undefined) return known;
    const document = byId.get(kind, id);
    if (document === undefined) return undefined;
    const object = parse<FleetObjects[FleetKind]>(document);
    if (remembers) lookedAt.set(kind, object, document.length);
    return object;
  };

  const readInputs = database.transaction((clusterDns: string, kind: CatalogueKind) => {
    const document = clusterByDns.get(clusterDns);
    if (document === undefined) return undefined;
    const cluster = parse<Cluster>(document);
    if (cluster.state === 'retired') return undefined;
    const revision = newestRevision.get() ?? 0;
    if (cluster.state === 'frozen') {
      const pinned = pinsOf.get(cluster.id);
      // Whatever else were answered is not what the cluster was frozen at.
      if (pinned === undefined) throw unavailable(`cluster ${cluster.id} is frozen and nothing is pinned`);
      return { cluster, entries: [], revision, pinned: parse<PinnedAnswers>(pinned)[kind] };
    }
    const field = assignmentField(kind);
    const ids = referencesOf.all(cluster.id, field);
    const assigned = cluster[field];
    const entries = ids.flatMap((id) => entryOf(kind, id, revision) ?? []);
    // Foreign keys forbid it; should it happen nevertheless, a shortened answer would uninstall what is missing.
    if (entries.length !== assigned.length || entries.some((entry, i) => entry.id !== assigned[i]?.id)) {
      throw unavailable(`cluster ${cluster.id}: ${field} and its references differ`);
    }
    return { cluster, entries, revision };
  });

  const readPage = database.transaction((kind: FleetKind, query: ListQuery) => {
    const { page, count, values } = listStatements(prepare, lists, kind, query.filters);
    return {
      items: page.all(...values, query.limit, query.offset),
      total: count.get(...values) ?? 0,
    };
  });

  return {
    clusterInputs: <K extends CatalogueKind>(clusterDns: string, kind: K) =>
      readInputs(clusterDns, kind) as ClusterInputs<K> | undefined,
    newestRevision: revisionNow,
    get: <K extends FleetKind>(kind: K, id: string) => readObject(kind, id) as FleetObjects[K] | undefined,
    list: <K extends FleetKind>(kind: K, query: ListQuery) => {
      const { items, total } = readPage(kind, query);
      return { items: items.map((document) => parse<FleetObjects[K]>(document)), total };
    },
    following: <K extends FleetKind>(kind: K, { filters, after, limit }: FollowingQuery) => {
      const { next, values } = listStatements(prepare, lists, kind, filters);
      return next.all(...values, after, limit).map((document) => parse<FleetObjects[K]>(document));
    },
    usersOf: (kind, id, limit) => ({
      items: users.all(kind, id, limit),
      total: userCount.get(kind, id) ?? 0,
    }),
    clustersUsing: (kind, id, after, limit) =>
      clustersUsing.all(kind, id, after, limit).map((document) => parse<Cluster>(document)),
    pinnedAnswers: (clusterId) => {
      const pinned = pinsOf.get(clusterId);
      return pinned === undefined ? undefined : parse<PinnedAnswers>(pinned);
    },
    formerAnswers: (clusterId, revision) => {
      const pinned = formerPinsOf.get(clusterId, revision);
      return pinned === undefined ? undefined : parse<PinnedAnswers>(pinned);
    },
    isRatcheted: (clusterDns) => ratcheted.get(clusterDns) !== undefined,
    isInitialised: () => initialised.get() !== undefined,
  };
}

/** '' of memory. As SQLite has it, symlinks resolved: it keeps what belongs to the file beside the file, whatever lies beside a symlink to it. */
function fileOf(database: Database): string {
  const [main] = database.pragma('database_list') as readonly { readonly file: string }[];
  return main?.file ?? '';
}

type Entry = FleetObjects[CatalogueKind];

interface ObjectMemory<T> {
  /** As of this revision; what is remembered of another is forgotten. */
  get(kind: FleetKind, id: string, revision: number): T | undefined;
  /** Read in the same transaction as the revision of the last `get`, or after it. */
  set(kind: FleetKind, object: T, characters: number): void;
}

function createObjectMemory<T extends { readonly id: string }>(charactersMax: number): ObjectMemory<T> {
  const objects = new LRUCache<string, T>({ maxSize: charactersMax });
  let at: number | undefined;
  return {
    get(kind, id, revision) {
      if (at !== revision) objects.clear();
      at = revision;
      return objects.get(`${kind}/${id}`);
    },
    set(kind, object, characters) {
      objects.set(`${kind}/${object.id}`, object, { size: characters });
    },
  };
}

interface ListStatements {
  readonly page: Statement<unknown[], string>;
  readonly next: Statement<unknown[], string>;
  readonly count: Statement<unknown[], number>;
}

/** One set of statements for each kind and set of filters; names come from the registry, values are bound. */
function listStatements(
  prepare: <Row>(sql: string) => Statement<unknown[], Row>,
  prepared: Map<string, ListStatements>,
  kind: FleetKind,
  filters: Readonly<Record<string, string>>,
): ListStatements & { readonly values: readonly string[] } {
  const names = Object.keys(filters).sort();
  const declared = kindDefinition(kind).filters;
  const stranger = names.find((name) => !declared.includes(name));
  if (stranger !== undefined) throw new Error(`${kind} has no filter ${stranger}`);
  const key = [kind, ...names].join(' ');
  let statements = prepared.get(key);
  if (statements === undefined) {
    const where = ['kind = ?', ...names.map(filterTerm)].join(' AND ');
    statements = {
      page: prepare<string>(
        `SELECT document FROM objects WHERE ${where} ORDER BY id LIMIT ? OFFSET ?`,
      ).pluck(),
      next: prepare<string>(
        `SELECT document FROM objects WHERE ${where} AND id > ? ORDER BY id LIMIT ?`,
      ).pluck(),
      count: prepare<number>(`SELECT count(*) FROM objects WHERE ${where}`).pluck(),
    };
    prepared.set(key, statements);
  }
  return { ...statements, values: [kind, ...names.map((name) => filters[name] ?? '')] };
}

function filterTerm(name: string): string {
  if (!/^[a-z0-9_]+$/.test(name)) throw new Error(`registry: ${name} cannot be a filter`);
  if (name === 'label') return LABEL_TERM;
  return FILTER_COLUMNS.includes(name) ? `${name} = ?` : `document ->> '$.${name}' = ?`;
}

function parse<T>(document: string): T {
  return deepFreeze(JSON.parse(document) as T);
}
