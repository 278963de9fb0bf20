/** What is measured, as numbers: pure. */

export const SERVERS = ['fluxgate', 'node', 'nginx'] as const;
export type ServerName = (typeof SERVERS)[number];

/** A median with all that it is the median of, in the order in which it was measured; or why there is none. */
export type Cell = Measured | { readonly missing: string };

export interface Measured {
  readonly median: number;
  readonly values: readonly number[];
}

export interface Figure {
  /** Known to goals and pages: `poll-cpu-10000`. */
  readonly id: string;
  readonly what: string;
  readonly unit: string;
  readonly cells: Readonly<Partial<Record<ServerName, Cell>>>;
}

export function cellOf(values: readonly number[]): Cell {
  return values.length === 0 ? { missing: 'not measured' } : { median: median(values), values };
}

/** Round by round, where each has as many: for as long as a machine is slow, it is slow for both. */
export function ratioOf(of: Measured, by: Measured): Measured {
  const { length } = of.values;
  if (length !== by.values.length) return { median: of.median / by.median, values: [] };
  const values = of.values.map((value, round) => value / (by.values[round] ?? Number.NaN));
  return { median: median(values), values };
}

export const missing = (why: string): Cell => ({ missing: why });

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const above = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? above : ((sorted[middle - 1] ?? Number.NaN) + above) / 2;
}

/** The least value that at least `share` of all are not above; `share` in (0, 1]. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** Three significant digits, and no more behind the point than that. */
export function shown(value: number): string {
  if (!Number.isFinite(value)) return '?';
  const size = Math.abs(value);
  const text = value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : size >= 1 ? 2 : 3);
  return size >= 10_000 ? Number(text).toLocaleString('en-GB') : text;
}

/** Of so many values the least and the most say nothing but how bad the worst moment of the machine was. */
const QUARTILES_FROM = 8;

/** Between which two the values lie: all of few, the middle half of many. */
export function spreadOf(values: readonly number[]): readonly [low: number, high: number] {
  return values.length < QUARTILES_FROM
    ? [Math.min(...values), Math.max(...values)]
    : [quantile(values, 0.25), quantile(values, 0.75)];
}

export function shownCell(cell: Cell | undefined): string {
  if (cell === undefined) return '';
  if ('missing' in cell) return cell.missing;
  const { values } = cell;
  if (values.length < 2) return shown(cell.median);
  const [low, high] = spreadOf(values);
  return `${shown(cell.median)} (${shown(low)}–${shown(high)})`;
}
