import type { Database, Statement } from 'better-sqlite3';
import type { CatalogueKind, ObjectName, Page } from '../../core/fleet/access.ts';
import { deepFreeze, present } from '../../core/fleet/canonical.ts';
import type {
  ClusterMoment,
  Revision,
  RevisionAction,
  RevisionChange,
  RevisionRange,
} from '../../core/fleet/history.ts';
import type { Cluster, FleetKind, FleetObject } from '../../core/fleet/objects.ts';
import { assignmentField, CATALOGUE_KINDS } from '../../core/fleet/registry.ts';
import type { PinnedAnswers } from '../../core/fleet/served.ts';
import { unavailable } from './faults.ts';

/** The reading SQL of revisions. Synchronous, as FleetQueries are; HistoryReader says what each is for. */
export interface HistoryQueries {
  range(): RevisionRange;
  revisions(limit: number, offset: number): Page<Revision>;
  revision(number: number): Revision | undefined;
  changesOf(number: number, limit: number, offset: number): Page<RevisionChange>;
  objectAt(kind: FleetKind, id: string, revision: number): FleetObject | undefined;
  clusterAt(id: string, revision: number): ClusterMoment | undefined;
  clustersTouched(after: number, upTo: number, limit: number, offset: number): Page<string>;
  revisionsOfCluster(id: string, before: number, limit: number): readonly Revision[];
  changedSince(revision: number): readonly ObjectName[];
  laterChanges(name: ObjectName, revision: number, limit: number): readonly number[];
}

interface RevisionRow {
  readonly number: number;
  readonly at_ms: number;
  readonly author: string;
  readonly action: RevisionAction;
  readonly request_id: string | null;
  readonly reason: string | null;
  readonly plan: string | null;
  readonly changes: number;
}

interface ChangeRow {
  readonly kind: FleetKind;
  readonly id: string;
  readonly before: string | null;
}

/** Of a cluster that was frozen at this revision: the freeze that ended first after it, or the one that goes on. */
const PINS_AT = `SELECT answers FROM (
    SELECT answers, until_revision FROM past_pins WHERE cluster_id = @id AND until_revision > @revision
    UNION ALL SELECT answers, 9e15 FROM frozen_answers WHERE cluster_id = @id
  ) ORDER BY until_revision LIMIT 1`;

const COLUMNS = 'number, at_ms, author, action, request_id, reason, plan, changes';

/** Clusters that were changed, and the users of catalogue objects that were: one that was not changed has the users of now. */
const TOUCHED = `SELECT id FROM revision_changes WHERE kind = 'cluster' AND revision > @after AND revision <= @upTo
  UNION
  SELECT user.id FROM revision_changes AS change
    JOIN objects AS target ON target.kind = change.kind AND target.id = change.id
    JOIN refs ON refs.to_number = target.number
    JOIN objects AS user ON user.number = refs.from_number AND user.kind = 'cluster'
    WHERE change.kind <> 'cluster' AND change.revision > @after AND change.revision <= @upTo
  UNION
  SELECT id FROM revision_changes WHERE kind = 'cluster' AND revision > @upTo AND EXISTS
    (SELECT 1 FROM revision_changes WHERE kind <> 'cluster' AND revision > @after AND revision <= @upTo)`;

/** What the cluster assigns now, and what its documents assigned before each change. */
const ASSIGNED = [
  `SELECT target.kind AS kind, target.id AS id FROM objects AS user JOIN refs ON refs.from_number = user.number
    JOIN objects AS target ON target.number = refs.to_number WHERE user.kind = 'cluster' AND user.id = @id`,
  ...CATALOGUE_KINDS.map(
    (kind) => `SELECT '${kind}', entry.value ->> '$.id' FROM revision_changes AS change,
      json_each(change.before, '$.${assignmentField(kind)}') AS entry WHERE change.kind = 'cluster' AND change.id = @id`,
  ),
].join('\n  UNION ');

/** Newest first by each object's own index, so that a long history costs as much as is looked at of it. */
const REVISIONS_OF_CLUSTER = `WITH assigned AS (${ASSIGNED})
  SELECT ${COLUMNS} FROM revisions WHERE number IN (
    SELECT revision FROM revision_changes WHERE kind = 'cluster' AND id = @id AND revision < @before
    UNION
    SELECT change.revision FROM assigned CROSS JOIN revision_changes AS change
      ON change.kind = assigned.kind AND change.id = assigned.id WHERE change.revision < @before
  ) ORDER BY number DESC LIMIT @limit`;

export function createHistoryQueries(database: Database): HistoryQueries {
  const prepare = <Row>(sql: string): Statement<unknown[], Row> => database.prepare<unknown[], Row>(sql);
  const ends = prepare<RevisionRange>(
    'SELECT coalesce(min(number), 0) AS oldest, coalesce(max(number), 0) AS newest FROM revisions',
  );
  const page = prepare<RevisionRow>(`SELECT ${COLUMNS} FROM revisions ORDER BY number DESC LIMIT ? OFFSET ?`);
  const count = prepare<number>('SELECT count(*) FROM revisions').pluck();
  const one = prepare<RevisionRow>(`SELECT ${COLUMNS} FROM revisions WHERE number = ?`);
  const changes = prepare<ChangeRow>(
    'SELECT kind, id, before FROM revision_changes WHERE revision = ? ORDER BY kind, id LIMIT ? OFFSET ?',
  );
  const firstAfter = prepare<{ readonly before: string | null }>(
    'SELECT before FROM revision_changes WHERE kind = ? AND id = ? AND revision > ? ORDER BY revision LIMIT 1',
  );
  const now = prepare<string>('SELECT document FROM objects WHERE kind = ? AND id = ?').pluck();
  const touched = prepare<string>(`${TOUCHED} ORDER BY id LIMIT @limit OFFSET @offset`).pluck();
  const touchedCount = prepare<number>(`SELECT count(*) FROM (${TOUCHED})`).pluck();
  const ofCluster = prepare<RevisionRow>(REVISIONS_OF_CLUSTER);
  const since = prepare<ObjectName>(
    'SELECT DISTINCT kind, id FROM revision_changes WHERE revision > ? ORDER BY kind, id',
  );
  const later = prepare<number>(
    'SELECT revision FROM revision_changes WHERE kind = ? AND id = ? AND revision > ? ORDER BY revision LIMIT ?',
  ).pluck();

  const pins = prepare<string>(PINS_AT).pluck();

  const range = (): RevisionRange => ends.get() ?? { oldest: 0, newest: 0 };
  const isKept = (number: number): boolean => {
    const { oldest, newest } = range();
    return number >= oldest && number <= newest;
  };
  const objectAt = (kind: FleetKind, id: string, revision: number): FleetObject | undefined => {
    const change = firstAfter.get(kind, id, revision);
    const document = change === undefined ? now.get(kind, id) : (change.before ?? undefined);
    return document === undefined ? undefined : parse(document);
  };
  const entriesAt = (cluster: Cluster, kind: CatalogueKind, revision: number): FleetObject[] =>
    cluster[assignmentField(kind)].map(({ id }) => {
      const entry = objectAt(kind, id, revision);
      // A reference to nothing was never stored; should one be found, a shortened answer would be a lie.
      if (entry === undefined)
        throw unavailable(`revision ${revision}: ${kind} ${id} of cluster ${cluster.id} is lost`);
      return entry;
    });

  return {
    range,
    revisions: database.transaction((limit: number, offset: number) => ({
      items: page.all(limit, offset).map(revisionOf),
      total: count.get() ?? 0,
    })),
    revision: (number) => {
      const row = one.get(number);
      return row === undefined ? undefined : revisionOf(row);
    },
    changesOf: database.transaction((number: number, limit: number, offset: number) => ({
      items: changes.all(number, limit, offset).map(({ kind, id, before }) => ({
        kind,
        id,
        before: before === null ? undefined : parse(before),
        after: objectAt(kind, id, number),
      })),
      total: one.get(number)?.changes ?? 0,
    })),
    objectAt: database.transaction((kind: FleetKind, id: string, revision: number) =>
      isKept(revision) ? objectAt(kind, id, revision) : undefined,
    ),
    clusterAt: database.transaction((id: string, revision: number) => {
      if (!isKept(revision)) return undefined;
      const cluster = objectAt('cluster', id, revision) as Cluster | undefined;
      if (cluster === undefined) return undefined;
      const entries = CATALOGUE_KINDS.map((kind) => [kind, entriesAt(cluster, kind, revision)]);
      const moment = { cluster, entries: Object.fromEntries(entries) as ClusterMoment['entries'] };
      if (cluster.state !== 'frozen') return moment;
      const answers = pins.get({ id, revision });
      if (answers === undefined) throw unavailable(`revision ${revision}: what ${id} was frozen at is lost`);
      return { ...moment, pinned: JSON.parse(answers) as PinnedAnswers };
    }),
    clustersTouched: database.transaction((after: number, upTo: number, limit: number, offset: number) => ({
      items: touched.all({ after, upTo, limit, offset }),
      total: touchedCount.get({ after, upTo }) ?? 0,
    })),
    revisionsOfCluster: (id, before, limit) => ofCluster.all({ id, before, limit }).map(revisionOf),
    changedSince: (revision) => since.all(revision),
    laterChanges: ({ kind, id }, revision, limit) => later.all(kind, id, revision, limit),
  };
}

function revisionOf(row: RevisionRow): Revision {
  return {
    revision: row.number,
    at: new Date(row.at_ms).toISOString(),
    author: row.author,
    action: row.action,
    ...present({ request_id: row.request_id ?? undefined, reason: row.reason ?? undefined }),
    ...(row.plan === null ? {} : { plan: JSON.parse(row.plan) as object }),
    changes: row.changes,
  };
}

function parse(document: string): FleetObject {
  return deepFreeze(JSON.parse(document) as FleetObject);
}
