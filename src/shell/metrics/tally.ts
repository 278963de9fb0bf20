import { Counter, type CounterConfiguration, type HistogramConfiguration, type Metric } from 'prom-client';

/**
 * What is counted at each request and asked for at each scrape. prom-client sorts, checks and joins the labels each time that it
 * counts, which costs a poll more than its decision; here that is done when somebody asks. Only for labels from closed lists,
 * of which no value holds a space.
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

function createSeries<L extends string, T extends object>(
  labelNames: readonly L[],
  empty: () => T,
): SeriesOf<L, T> {
  const known = new Map<string, T & { readonly labels: Labels<L> }>();
  const seriesOf = (labels: Labels<L>): T => {
    let key = '';
    for (const name of labelNames) key += `${labels[name]} `;
    let one = known.get(key);
    if (one === undefined) {
      one = { ...empty(), labels: { ...labels } };
      known.set(key, one);
    }
    return one;
  };
  // Without labels there is one series from the start, as in prom-client.
  if (labelNames.length === 0) seriesOf({} as Labels<L>);
  return Object.assign(seriesOf, { all: () => known.values() });
}
