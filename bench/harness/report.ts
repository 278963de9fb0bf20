import { type Figure, shownCell } from './figures.ts';
import { verdicts } from './goals.ts';
import { type Machine, machineLine } from './machine.ts';

/** One run, as text and as JSON: pure. */
export interface Run {
  readonly machine: Machine;
  readonly size: string;
  readonly seconds: number;
  readonly groups: string;
  /** What else is to be known: what the machine did besides. */
  readonly note?: string;
  readonly figures: readonly Figure[];
  /** How each was taken, by its name. */
  readonly methods: readonly (readonly [string, string])[];
}

type Row = readonly string[];

const FIGURES_HEAD: Row = ['figure', '', 'Fluxgate', 'node:https', 'nginx'];
const GOALS_HEAD: Row = ['goal', '', 'measured', ''];

const METHOD = [
  'Median of interleaved repetitions; in brackets the least and the most of fewer than eight, of more the quartiles. CPU is user + system of the',
  'server and all its processes, as the operating system counts it. A poll: a fresh mutual TLS 1.3 handshake with P-256 certificates, one GET, close; 10 components, no session resumed.',
];

function figureRows(figures: readonly Figure[]): readonly Row[] {
  return figures.map(({ what, unit, cells }) => [
    what,
    unit,
    shownCell(cells.fluxgate),
    shownCell(cells.node),
    shownCell(cells.nginx),
  ]);
}

const goalRows = (figures: readonly Figure[]): readonly Row[] =>
  verdicts(figures).map(({ what, goal, measured, verdict }) => [what, goal, measured, verdict]);

export function asText(run: Run): string {
  return [
    machineLine(run.machine),
    `Key exchange offered by the load: ${run.groups}. ${run.size} run, ${Math.round(run.seconds)} s.`,
    ...(run.note === undefined ? [] : [run.note]),
    ...METHOD,
    '',
    ...columns([FIGURES_HEAD, ...figureRows(run.figures)]),
    '',
    ...columns([GOALS_HEAD, ...goalRows(run.figures)]),
    '',
    ...run.methods.map(([name, how]) => `${name}: ${how}`),
    '',
  ].join('\n');
}

/** For a page: the same, as Markdown. */
export function asMarkdown(run: Run): string {
  const table = (head: Row, rows: readonly Row[]): string[] => [
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---|').join('')}`,
    ...rows.map((row) => `| ${row.join(' | ')} |`),
  ];
  return [
    [machineLine(run.machine), run.note, ...METHOD].filter((text) => text !== undefined).join(' '),
    '',
    ...table(GOALS_HEAD, goalRows(run.figures)),
    '',
    ...table(FIGURES_HEAD, figureRows(run.figures)),
    '',
    ...run.methods.map(([name, how]) => `- ${name}: ${how}`),
  ].join('\n');
}

export function asJson(run: Run): string {
  return `${JSON.stringify({ ...run, goals: verdicts(run.figures) }, null, 2)}\n`;
}

function columns(rows: readonly Row[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((text, column) => text.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
