import stringWidth from 'string-width';
import { shown } from './text.ts';

/** A heading, and what stands under it for one row; styled after its width was measured. */
export interface Column<Row> {
  readonly heading: string;
  readonly of: (row: Row) => string | number | boolean | null | undefined;
  readonly style?: (text: string, row: Row) => string;
}

const GAP = '  ';
const NOTHING = '-';

/** Lines of aligned columns, headings first. Whatever the rows hold is shown, never obeyed. */
export function tableLines<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) =>
    columns.map(({ of }) => {
      const value = of(row);
      return value === undefined || value === null || value === '' ? NOTHING : shown(String(value));
    }),
  );
  const widths = columns.map(({ heading }, i) =>
    Math.max(stringWidth(heading), ...cells.map((row) => stringWidth(row[i] ?? ''))),
  );
  const padded = (text: string, i: number): string =>
    i === columns.length - 1 ? '' : ' '.repeat((widths[i] ?? 0) - stringWidth(text));
  const headings = columns.map(({ heading }, i) => heading + padded(heading, i)).join(GAP);
  const lines = cells.map((row, r) =>
    row
      .map((text, i) => {
        const style = columns[i]?.style;
        return (style === undefined ? text : style(text, rows[r] as Row)) + padded(text, i);
      })
      .join(GAP),
  );
  return [headings.trimEnd(), ...lines];
}
