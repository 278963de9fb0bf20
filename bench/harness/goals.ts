import {
  type Cell,
  type Figure,
  type Measured,
  ratioOf,
  type ServerName,
  shown,
  shownCell,
} from './figures.ts';

/** What was promised, beside what was measured: pure. Nothing fails where one is missed. */

export interface Goal {
  readonly what: string;
  readonly bound: { readonly atMost: number } | { readonly atLeast: number };
  readonly unit: '' | 'MiB' | 'KiB' | 's';
  readonly of: Part;
  /** A ratio: `of` ÷ `by`, the median of those of each round. */
  readonly by?: Part;
}

interface Part {
  readonly figure: string;
  readonly server?: ServerName;
  /** Default 1. */
  readonly scale?: number;
}

const floor = { server: 'node' } as const;

export const GOALS: readonly Goal[] = [
  {
    what: 'CPU per poll, Fluxgate ÷ bare node:https with the same TLS options, 10,000 clusters',
    bound: { atMost: 1.05 },
    unit: '',
    of: { figure: 'poll-options-cpu-10000' },
    by: { figure: 'poll-options-cpu-10000', ...floor },
  },
  {
    what: "CPU per poll, Fluxgate ÷ bare node:https with Fluxgate's own TLS context, 10,000 clusters",
    bound: { atMost: 1.05 },
    unit: '',
    of: { figure: 'poll-cpu-10000' },
    by: { figure: 'poll-cpu-10000', ...floor },
  },
  {
    what: 'CPU per poll, Fluxgate ÷ nginx with a static file, 10,000 clusters, the same key exchange',
    bound: { atMost: 0.9 },
    unit: '',
    of: { figure: 'poll-alike-cpu-10000' },
    by: { figure: 'poll-alike-cpu-10000', server: 'nginx' },
  },
  {
    what: 'CPU per poll, Fluxgate ÷ nginx with a static file, 10,000 clusters, what each agrees on with Flux',
    bound: { atMost: 0.9 },
    unit: '',
    of: { figure: 'poll-cpu-10000' },
    by: { figure: 'poll-cpu-10000', server: 'nginx' },
  },
  {
    what: 'CPU per poll, 100,000 clusters ÷ 10',
    bound: { atMost: 1.05 },
    unit: '',
    of: { figure: 'poll-cpu-100000' },
    by: { figure: 'poll-cpu-10' },
  },
  {
    what: 'CPU per keep-alive request, Fluxgate ÷ bare node:https, GET /clusters/{id}',
    bound: { atMost: 2 },
    unit: '',
    of: { figure: 'kept-cpu' },
    by: { figure: 'kept-cpu', ...floor },
  },
  {
    what: 'CPU per keep-alive request, Fluxgate ÷ bare node:https, GET /health',
    bound: { atMost: 2 },
    unit: '',
    of: { figure: 'kept-health-cpu' },
    by: { figure: 'kept-health-cpu', ...floor },
  },
  {
    what: 'polls per second, 2 workers ÷ 1 worker (CPU-accounted)',
    bound: { atLeast: 1.9 },
    unit: '',
    of: { figure: 'workers-ratio' },
  },
  {
    what: 'p99 of polls during a catalogue write for 10,000 clusters ÷ at rest',
    bound: { atMost: 2 },
    unit: '',
    of: { figure: 'write-p99-during-10000' },
    by: { figure: 'write-p99-rest-10000' },
  },
  {
    what: 'plan + commit of that write',
    bound: { atMost: 1 },
    unit: 's',
    of: { figure: 'write-both-10000', scale: 0.001 },
  },
  {
    what: 'RSS with 100,000 clusters, 1 worker, after each was polled once',
    bound: { atMost: 400 },
    unit: 'MiB',
    of: { figure: 'rss-100000' },
  },
  {
    what: 'start to ready with that store',
    bound: { atMost: 1 },
    unit: 's',
    of: { figure: 'start-100000', scale: 0.001 },
  },
  {
    what: 'idle kept-open connection',
    bound: { atMost: 30 },
    unit: 'KiB',
    of: { figure: 'idle-kib' },
  },
];

const NOTHING: Measured = { median: Number.NaN, values: [] };

export interface Verdict {
  readonly what: string;
  readonly goal: string;
  readonly measured: string;
  readonly verdict: 'met' | 'MISSED' | 'not measured';
}

export function verdicts(figures: readonly Figure[]): readonly Verdict[] {
  const cell = ({ figure, server = 'fluxgate' }: Part): Cell | undefined =>
    figures.find(({ id }) => id === figure)?.cells[server];
  return GOALS.map((goal) => {
    const { what, bound, unit } = goal;
    const sign = 'atMost' in bound ? '≤' : '≥';
    const limit = 'atMost' in bound ? bound.atMost : bound.atLeast;
    const told = { what, goal: `${sign} ${limit} ${unit}`.trim() };
    const found: Measured[] = [];
    for (const part of goal.by === undefined ? [goal.of] : [goal.of, goal.by]) {
      const one = cell(part);
      if (one === undefined || 'missing' in one)
        return { ...told, measured: one?.missing ?? 'not in this run', verdict: 'not measured' };
      found.push(one);
    }
    const [of = NOTHING, by] = found;
    const ratio = by === undefined ? undefined : ratioOf(of, by);
    const value = ratio?.median ?? of.median * (goal.of.scale ?? 1);
    const met = 'atMost' in bound ? value <= bound.atMost : value >= bound.atLeast;
    const measured = ratio === undefined ? `${shown(value)} ${unit}`.trim() : shownCell(ratio);
    return { ...told, measured, verdict: met ? 'met' : 'MISSED' };
  });
}
