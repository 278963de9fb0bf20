import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered, listed, recordOf } from '../api/pages.ts';
import { segment } from '../api/path.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { idOf } from '../fleet/cluster-name.ts';
import { jsonText, yamlText } from '../output/documents.ts';
import { printPaged } from '../output/pager.ts';
import { printDocument, printRows } from '../output/rows.ts';
import { shown } from '../output/text.ts';
import { CLUSTERS, type ObjectKind, objectPath, type StoredObject } from './kinds.ts';

export interface ListOptions extends ApiOptions, OutputOptions {
  readonly limit?: number;
  readonly offset?: number;
}

/** All of them, or the page that is asked for. */
export async function listObjects(
  context: TerminalContext,
  kind: ObjectKind,
  options: ListOptions,
  query: Readonly<Record<string, string | undefined>> = {},
): Promise<void> {
  const { send } = await openSession(context, options);
  const objects = await listed<StoredObject>(send, { path: kind.path, query }, options);
  await printRows(context, options, objects, {
    columns: kind.columns,
    name: ({ id }) => `${kind.name}/${id}`,
    none: `no ${kind.name}`,
  });
}

export async function getObject(
  context: TerminalContext,
  kind: ObjectKind,
  id: string,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const known = kind === CLUSTERS ? await idOf(send, id) : id;
  const answer = await answered(send, { path: objectPath(kind, known) });
  const object = recordOf(answer);
  if (options.output === 'name') context.print(`${kind.name}/${shown(String(object['id']))}`);
  else if (options.output === 'json') context.print(jsonText(object));
  else {
    // For --if-match; a comment in YAML.
    context.print(`# etag: ${shown(String(answer.headers.etag ?? ''))}`);
    await printPaged(context, yamlText(object).split('\n'), options.pager ?? true);
  }
}

/** The inputs of all three routes, as the cluster is served them, or was at a revision. */
export async function getRendered(
  context: TerminalContext,
  id: string,
  options: ApiOptions & OutputOptions & { readonly revision?: number },
): Promise<void> {
  const { send } = await openSession(context, options);
  const answer = await answered(send, {
    path: `/clusters/${segment(await idOf(send, id))}/rendered`,
    query: { revision: options.revision },
  });
  await printDocument(context, options, recordOf(answer));
}
