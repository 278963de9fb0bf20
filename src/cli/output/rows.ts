import type { OutputOptions } from '../api/options.ts';
import type { TerminalContext } from '../context.ts';
import { jsonText, yamlText } from './documents.ts';
import { printPaged } from './pager.ts';
import { createPaint } from './paint.ts';
import { type Column, tableLines } from './table.ts';
import { shown } from './text.ts';

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

/** YAML for people, who read it more easily. */
export async function printDocument(
  context: TerminalContext,
  { output, pager = true }: OutputOptions,
  value: unknown,
): Promise<void> {
  await printPaged(context, (output === 'json' ? jsonText(value) : yamlText(value)).split('\n'), pager);
}
