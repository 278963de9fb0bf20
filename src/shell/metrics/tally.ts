import { Counter, type CounterConfiguration, type HistogramConfiguration, type Metric } from 'prom-client';

/**
 * What is counted at each request and asked for at each scrape. prom-client sorts, checks and joins the labels each time that it
 * counts, which costs a poll more than its decision; here that is done when somebody asks. Only for labels from closed lists.
 */

type Labels<L extends string> = Readonly<Record<L, string | number>>;

export interface CounterTally<L extends string> {
  inc(labels: Labels<L>): void;
}

export interface HistogramTally<L extends string> {
  observe(labels: Labels<L>, value: number): void;
}

/** A counter of prom-client's, which is told at each scrape what came since the last. */
export function createCounterTally<L extends string>(
  config: Omit<CounterConfiguration<L>, 'collect'> & { readonly labelNames: readonly L[] },
): CounterTally<L> {
  const seriesOf = createSeries<L, { count: number }>(config.labelNames, () => ({ count: 0 }));
  new Counter<L>({
    ...config,
    collect() {
      for (const one of seriesOf.all()) {
        if (one.count > 0) this.inc({ ...one.labels }, one.count);
        one.count = 0;
      }
    },
  });
  return {
    inc(labels) {
      seriesOf(labels).count++;
    },
  };
}

/** A histogram as prom-client would show it; prom-client's own takes one value at a time only. */
export function createHistogramTally<L extends string = never>({
  name,
  help,
  labelNames,
  buckets,
  registers,
}: Required<Pick<HistogramConfiguration<L>, 'name' | 'help' | 'buckets' | 'registers'>> & {
  readonly labelNames: readonly L[];
}): HistogramTally<L> {
  interface Series {
    readonly labels: Labels<L>;
    readonly counts: number[];
    count: number;
    sum: number;
  }
  const seriesOf = createSeries<L, Omit<Series, 'labels'>>(labelNames, () => ({
    counts: buckets.map(() => 0),
    count: 0,
    sum: 0,
  }));
  const valuesOf = ({ labels, counts, count, sum }: Series): object[] => {
    const bucket = (le: number | string, value: number): object => ({
      metricName: `${name}_bucket`,
      labels: { le, ...labels },
      value,
    });
    let below = 0;
    const bounded = buckets.map((le, n) => {
      below += counts[n] ?? 0;
      return bucket(le, below);
    });
    return [
      ...bounded,
      bucket('+Inf', count),
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: count },
    ];
  };
  const metric = {
    name,
    help,
    type: 'histogram',
    aggregator: 'sum',
    get: async () => ({
      name,
      help,
      type: 'histogram',
      aggregator: 'sum',
      values: [...seriesOf.all()].flatMap(valuesOf),
    }),
  };
  for (const registry of registers) registry.registerMetric(metric as unknown as Metric);
  return {
    observe(labels, value) {
      const one = seriesOf(labels);
      one.count++;
      one.sum += value;
      const n = buckets.findIndex((bound) => value <= bound);
      if (n >= 0) one.counts[n] = (one.counts[n] ?? 0) + 1;
    },
  };
}

interface SeriesOf<L extends string, T> {
  (labels: Labels<L>): T;
  all(): Iterable<T & { readonly labels: Labels<L> }>;
}

/** By the value of one label after the other: each is a text that is there already, where all of them in one would be made to be looked up. */
type Branch<T> = Map<string, Branch<T> | T>;

function createSeries<L extends string, T extends object>(
  labelNames: readonly L[],
  empty: () => T,
): SeriesOf<L, T> {
  type Series = T & { readonly labels: Labels<L> };
  const all: Series[] = [];
  const root: Branch<Series> = new Map();
  const add = (labels: Labels<L>): Series => {
    const one = { ...empty(), labels: { ...labels } };
    all.push(one);
    return one;
  };
  // Without labels there is one series from the start, as in prom-client.
  const only = labelNames.length === 0 ? add({} as Labels<L>) : undefined;
  const seriesOf = (labels: Labels<L>): Series => {
    if (only !== undefined) return only;
    let at: Branch<Series> | Series = root;
    for (let depth = 1; depth <= labelNames.length; depth++) {
      const branch = at as Branch<Series>;
      const value = String(labels[labelNames[depth - 1] as L]);
      let next = branch.get(value);
      if (next === undefined) {
        next = depth === labelNames.length ? add(labels) : new Map();
        branch.set(value, next);
      }
      at = next;
    }
    return at as Series;
  };
  return Object.assign(seriesOf, { all: () => all });
}
