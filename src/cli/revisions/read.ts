import { StartupError } from '../../core/errors.ts';
import type { ClusterPlan } from '../../core/fleet/plan.ts';
import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered, listed, recordOf } from '../api/pages.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { CLUSTERS, COMPONENTS, NAMESPACES, ROLEBINDINGS } from '../objects/kinds.ts';
import { yamlText } from '../output/documents.ts';
import { printPaged } from '../output/pager.ts';
import { createPaint } from '../output/paint.ts';
import { clusterLines } from '../output/plan-text.ts';
import { printDocument, printRows } from '../output/rows.ts';
import { counted, shown } from '../output/text.ts';
import type { RevisionListOptions } from '../revision.ts';

interface Revision {
  readonly revision: number;
  readonly at: string;
  readonly author: string;
  readonly action: string;
  readonly reason?: string;
  readonly changes: number;
  /** Where it was one. */
  readonly object?: { readonly kind: string; readonly id: string };
}

interface RevisionDetail extends Revision {
  readonly objects: readonly {
    readonly kind: string;
    readonly id: string;
    readonly before?: unknown;
    readonly after?: unknown;
  }[];
}

/** Of one answer; the gateway pages objects and clusters. */
const PAGE = 10_000;

export async function listRevisions(context: TerminalContext, options: RevisionListOptions): Promise<void> {
  const { send } = await openSession(context, options);
  const revisions = await listed<Revision>(send, { path: '/revisions' }, options);
  await printRows(context, options, revisions, {
    columns: [
      { heading: 'REVISION', of: ({ revision }) => revision },
      { heading: 'AT', of: ({ at }) => at },
      { heading: 'AUTHOR', of: ({ author }) => author },
      { heading: 'ACTION', of: ({ action }) => action },
      { heading: 'CHANGED', of: changedBy },
      { heading: 'REASON', of: ({ reason }) => reason },
    ],
    name: ({ revision }) => `revision/${revision}`,
    none: 'no revision yet',
  });
}

/** As the other commands name it: cluster/us-east-01. */
function changedBy({ changes, object }: Revision): string {
  if (object === undefined) return counted(changes, 'object');
  const kind = KINDS.find(({ apiKind }) => apiKind === object.kind);
  return `${kind?.name ?? object.kind}/${object.id}`;
}

const KINDS = [CLUSTERS, COMPONENTS, NAMESPACES, ROLEBINDINGS];

export async function showRevision(
  context: TerminalContext,
  revision: string,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const path = `/revisions/${numberOf(revision)}`;
  const found = recordOf(await answered(send, { path, query: { limit: PAGE } }));
  if (options.output !== 'table') return printDocument(context, options, found);
  const { at, author, action, reason, changes, objects } = found as unknown as RevisionDetail;
  const paint = createPaint(context.terminal.output);
  const lines = [
    shown(`revision ${revision} of ${at}, ${action} by ${author}: ${counted(changes, 'object')}`),
    ...(reason === undefined ? [] : [shown(`reason: ${reason}`)]),
  ];
  for (const { kind, id, before, after } of objects) {
    const sign = before === undefined ? '+' : after === undefined ? '-' : '~';
    lines.push('', paint('bold', shown(`${sign} ${kind} ${id}`)), ...textDiff(before, after, paint));
  }
  return printPaged(context, lines, options.pager ?? true);
}

/** Lines of YAML that went and came, in their order, with those that stayed between them. */
function textDiff(before: unknown, after: unknown, paint: ReturnType<typeof createPaint>): string[] {
  const old = before === undefined ? [] : yamlText(before).split('\n');
  const now = after === undefined ? [] : yamlText(after).split('\n');
  let start = 0;
  while (start < old.length && start < now.length && old[start] === now[start]) start++;
  let end = 0;
  while (end < old.length - start && end < now.length - start && old.at(-1 - end) === now.at(-1 - end)) end++;
  return [
    ...old.slice(start, old.length - end).map((line) => paint('red', `  - ${line}`)),
    ...now.slice(start, now.length - end).map((line) => paint('green', `  + ${line}`)),
  ];
}

export async function diffRevisions(
  context: TerminalContext,
  from: string,
  to: string | undefined,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const range = /^(\d+)\.\.\.(\d+)$/.exec(to === undefined ? from : `${from}...${to}`);
  if (range === null) throw new StartupError('say which two: fluxgate revision diff 5 7');
  const { send } = await openSession(context, options);
  const diff = recordOf(await answered(send, { path: `/revisions/${range[0]}`, query: { limit: PAGE } }));
  if (options.output !== 'table') return printDocument(context, options, diff);
  const clusters = diff['clusters'] as readonly ClusterPlan[];
  const paint = createPaint(context.terminal.output);
  const lines = clusters.flatMap((cluster) => clusterLines(cluster, paint));
  lines.push(
    `${range[1]} → ${range[2]}: ${counted(clusters.length, 'cluster')} served something else, of ${String(diff['clusters_touched'])} touched`,
  );
  return printPaged(context, lines, options.pager ?? true);
}

export function numberOf(revision: string): string {
  if (!/^\d{1,12}$/.test(revision))
    throw new StartupError(`${shown(JSON.stringify(revision))} is no revision: a number`);
  return revision;
}
