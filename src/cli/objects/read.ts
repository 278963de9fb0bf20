import type { ApiOptions, OutputOptions } from '../api/options.ts';
import { answered, listed, recordOf } from '../api/pages.ts';
import { openSession } from '../api/session.ts';
import type { TerminalContext } from '../context.ts';
import { jsonText, yamlText } from '../output/documents.ts';
import { printPaged } from '../output/pager.ts';
import { createPaint } from '../output/paint.ts';
import { type Column, tableLines } from '../output/table.ts';
import { shown } from '../output/text.ts';
import { type ObjectKind, objectPath, type StoredObject } from './kinds.ts';

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

/** How rows of any kind are printed. */
export interface RowForms<Row> {
  readonly columns: readonly Column<Row>[];
  readonly name: (row: Row) => string;
  /** Said on standard error where there is none. */
  readonly none: string;
}

export async function printRows<Row>(
  context: TerminalContext,
  { output, pager = true }: OutputOptions,
  rows: readonly Row[],
  { columns, name, none }: RowForms<Row>,
): Promise<void> {
  if (output === 'json') return printPaged(context, jsonText(rows).split('\n'), pager);
  if (output === 'yaml') return printPaged(context, yamlText(rows).split('\n'), pager);
  if (output === 'name') {
    return printPaged(
      context,
      rows.map((row) => shown(name(row))),
      pager,
    );
  }
  if (rows.length === 0) {
    context.terminal.errors.write(`${none}\n`);
    return;
  }
  const [headings = '', ...lines] = tableLines(columns, rows);
  const paint = createPaint(context.terminal.output);
  await printPaged(context, [paint('bold', headings), ...lines], pager);
}

export async function getObject(
  context: TerminalContext,
  kind: ObjectKind,
  id: string,
  options: ApiOptions & OutputOptions,
): Promise<void> {
  const { send } = await openSession(context, options);
  const answer = await answered(send, { path: objectPath(kind, id) });
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
    path: `/clusters/${encodeURIComponent(id)}/rendered`,
    query: { revision: options.revision },
  });
  await printDocument(context, options, recordOf(answer));
}

/** YAML for people, who read it more easily. */
export async function printDocument(
  context: TerminalContext,
  { output, pager = true }: OutputOptions,
  value: unknown,
): Promise<void> {
  await printPaged(context, (output === 'json' ? jsonText(value) : yamlText(value)).split('\n'), pager);
}
