import { isDeepStrictEqual } from 'node:util';
import { FluxgateError } from '../../../core/errors.ts';
import type { CatalogueKind } from '../../../core/fleet/access.ts';
import { diffMoments, diffRevisions } from '../../../core/fleet/diff-revisions.ts';
import type { ClusterMoment, Revision } from '../../../core/fleet/history.ts';
import { type RenderedInputs, renderInputs } from '../../../core/fleet/render.ts';
import { changesToRevert } from '../../../core/fleet/revert.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Operation } from '../../../core/policy/operations.ts';
import { placeOfCluster } from '../../../core/policy/place.ts';
import { createPause } from '../../pause.ts';
import { numberOf } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import type { Call, Handler, HandlerParts } from './handlers.ts';
import { recordedChangeSet } from './recorded.ts';
import { tellingProgress } from './write-progress.ts';

/** What was, who changed it and why; and back. */
export function historyHandler(operation: Operation, parts: HandlerParts): Handler | undefined {
  switch (operation.operationId) {
    case 'listRevisions':
      return (call) => list(call, parts);
    case 'getRevision':
      return (call) => revisionOrDiff(call, parts);
    case 'getClusterRendered':
      return (call) => rendered(call, parts);
    case 'getClusterHistory':
      return (call) => ofCluster(call, parts);
    case 'revertRevision':
      return async (call) => {
        const revision = Number(call.parameters.path['revision']);
        return tellingProgress(call, parts, (tell) =>
          recordedChangeSet(call, parts, 'revert', tell, (tx, pause) => changesToRevert(revision, tx, pause)),
        );
      };
    default:
      return undefined;
  }
}

async function list({ parameters }: Call, { store }: HandlerParts): Promise<Answer> {
  const { limit, offset } = pageOf(parameters.query, LIMITS.revisionsPage);
  const { items, total } = await store.history.revisions(limit, offset);
  const pause = createPause();
  const named: object[] = [];
  for (const revision of items) {
    named.push(await withSoleObject(revision, store));
    await pause();
  }
  const next = offset + items.length;
  const link = { Link: `</revisions?limit=${limit}&offset=${next}>; rel="next"` };
  const headers = { 'X-Total-Count': String(total), ...(items.length > 0 && next < total ? link : {}) };
  return { status: 200, body: named, headers };
}

/** What most revisions are about is one object; the objects of the others are asked for one revision at a time. */
async function withSoleObject(revision: Revision, { history }: HandlerParts['store']): Promise<object> {
  if (revision.changes !== 1) return revision;
  const { items } = await history.changesOf(revision.revision, 1, 0);
  return { ...revision, ...items.slice(0, 1).map(({ kind, id }) => ({ object: { kind, id } }))[0] };
}

/** `7`: the revision and what it changed. `5...7`: what clusters are served at 7 that they were not at 5. */
async function revisionOrDiff({ parameters }: Call, { store }: HandlerParts): Promise<Answer> {
  const page = pageOf(parameters.query, LIMITS.planPageClusters);
  const [from = 0, to] = (parameters.path['revision'] ?? '').split('...').map(Number);
  const { oldest, newest } = await store.history.range();
  if ([from, to ?? from].some((number) => number < oldest || number > newest)) throw noSuchRevision();
  if (to !== undefined) return { status: 200, body: await diffRevisions(from, to, store.history, page) };
  const revision = await store.history.revision(from);
  if (revision === undefined) throw noSuchRevision();
  const { items } = await store.history.changesOf(from, page.limit, page.offset);
  return { status: 200, body: { ...revision, objects: items } };
}

/** All three routes, as the cluster was served them after that revision; of a frozen one, what was pinned. */
async function rendered({ parameters, authorise }: Call, { store }: HandlerParts): Promise<Answer> {
  const { oldest, newest } = await store.history.range();
  const revision = numberOf(parameters.query['revision'], newest);
  if (revision < oldest || revision > newest) throw noSuchRevision();
  const moment = await store.history.clusterAt(parameters.path['id'] ?? '', revision);
  if (moment === undefined) {
    throw new FluxgateError('not_found', 'There was no cluster of this id at this revision.');
  }
  const { cluster, entries, pinned } = moment;
  // It may have been elsewhere then than it is now: a scope ends there as well.
  const place = placeOfCluster(cluster);
  authorise({ kind: 'object', objectKind: 'cluster', id: cluster.id, place });
  const inputsOf = <K extends CatalogueKind>(kind: K): RenderedInputs =>
    pinned === undefined
      ? renderInputs(kind, { cluster, entries: entries[kind] })
      : (JSON.parse(pinned[kind]) as RenderedInputs);
  const body = {
    id: cluster.id,
    revision,
    platform_components: inputsOf('platform_component'),
    namespaces: inputsOf('namespace'),
    rolebindings: inputsOf('rolebinding'),
  };
  return { status: 200, body };
}

const HISTORY_PAGE = 20;

/** The revisions that were about one cluster. Where it was elsewhere than whoever asks may look, there was nothing. */
async function ofCluster({ parameters, permits }: Call, { store }: HandlerParts): Promise<Answer> {
  const id = parameters.path['id'] ?? '';
  const { oldest, newest } = await store.history.range();
  const before = numberOf(parameters.query['before'], newest + 1);
  const limit = numberOf(parameters.query['limit'], HISTORY_PAGE);
  const touching = await store.history.revisionsOfCluster(id, before, limit);
  const isInSight = (moment: ClusterMoment | undefined): boolean =>
    moment === undefined ||
    permits({ kind: 'object', objectKind: 'cluster', id, place: placeOfCluster(moment.cluster) });
  const revisions: object[] = [];
  for (const { plan: _, changes: __, ...revision } of touching) {
    const after = await store.history.clusterAt(id, revision.revision);
    const was = await store.history.clusterAt(id, revision.revision - 1);
    if ((was === undefined && after === undefined) || !isInSight(was) || !isInSight(after)) continue;
    // What was before the oldest that is kept is not known; before the very first there was nothing.
    const change = revision.revision > oldest || oldest <= 1 ? diffMoments(was, after) : undefined;
    if (change !== undefined) revisions.push({ ...revision, change });
    else if (!isDeepStrictEqual(was?.cluster, after?.cluster)) revisions.push(revision);
  }
  if (touching.length === 0 && (await store.history.clusterAt(id, newest)) === undefined) {
    throw new FluxgateError('not_found', 'There is no cluster of this id, and no history of one.');
  }
  const last = touching.at(-1)?.revision ?? oldest;
  return { status: 200, body: { id, looked_back_to: last, more: touching.length === limit, revisions } };
}

function pageOf(query: Call['parameters']['query'], limit: number): { limit: number; offset: number } {
  return { limit: numberOf(query['limit'], limit), offset: numberOf(query['offset'], 0) };
}

function noSuchRevision(): FluxgateError {
  return new FluxgateError(
    'not_found',
    'There is no such revision, or it is too old. GET /revisions lists them.',
  );
}
