import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { AggregatorRegistry, Counter, Histogram, Registry } from 'prom-client';
import { createCounterTally, createHistogramTally } from '../../../src/shell/metrics/tally.ts';

const BUCKETS = [0.5, 1, 5];
const VALUES = [
  ['poll', 0.5],
  ['poll', 0.51],
  ['read', 7],
  ['poll', 5],
  ['read', 0.01],
] as const;

/** The same said to a tally and to what prom-client has of its own. */
function both(act: (tallied: Registry, own: Registry) => void): readonly [Registry, Registry] {
  const registries = [new Registry(), new Registry()] as const;
  act(...registries);
  return registries;
}

const named = (registry: Registry) => ({ name: 'n', help: 'Some help.', registers: [registry] });

describe('tallies', () => {
  it('count as a counter of prom-client does, over several scrapes', async () => {
    const labelNames = ['operation', 'status'] as const;
    const [tallied, own] = both((a, b) => {
      const counters = [
        createCounterTally({ ...named(a), labelNames }),
        new Counter({ ...named(b), labelNames }),
      ];
      for (const counter of counters) {
        counter.inc({ operation: 'poll', status: 200 });
        counter.inc({ operation: 'poll', status: 404 });
        counter.inc({ status: 200, operation: 'poll' });
      }
    });
    assert.equal(await tallied.metrics(), await own.metrics());
    assert.equal(await tallied.metrics(), await own.metrics());
    assert.match(await tallied.metrics(), /^n\{operation="poll",status="200"\} 2$/m);
  });

  it('keep apart what differs in one label, whichever', async () => {
    const [tallied, own] = both((a, b) => {
      const labelNames = ['a', 'b', 'c'] as const;
      for (const counter of [
        createCounterTally({ ...named(a), labelNames }),
        new Counter({ ...named(b), labelNames }),
      ]) {
        counter.inc({ a: 'x', b: 'y', c: 'z' });
        counter.inc({ a: 'x y', b: 'y', c: 'z' });
        counter.inc({ a: 'x', b: 'y y', c: 'z' });
        counter.inc({ a: 'x', b: 'y', c: 'y' });
        counter.inc({ a: 'x', b: 'y', c: 200 });
        counter.inc({ a: 'x', b: 'y', c: '200' });
      }
    });
    assert.equal(await tallied.metrics(), await own.metrics());
  });

  it('goes on counting after a scrape', async () => {
    const registry = new Registry();
    const counter = createCounterTally({ ...named(registry), labelNames: ['result'] });
    counter.inc({ result: 'served' });
    await registry.metrics();
    counter.inc({ result: 'served' });
    assert.match(await registry.metrics(), /^n\{result="served"\} 2$/m);
  });

  it('observe as a histogram of prom-client does, in text and in what workers tell each other', async () => {
    const [tallied, own] = both((a, b) => {
      const labelNames = ['operation'] as const;
      const ours = createHistogramTally({ ...named(a), labelNames, buckets: BUCKETS });
      const theirs = new Histogram({ ...named(b), labelNames, buckets: BUCKETS });
      for (const [operation, value] of VALUES) {
        ours.observe({ operation }, value);
        theirs.observe({ operation }, value);
      }
    });
    assert.equal(await tallied.metrics(), await own.metrics());
    const sumOf = async (registry: Registry): Promise<string> => {
      const told = JSON.parse(JSON.stringify(await registry.getMetricsAsJSON()));
      return AggregatorRegistry.aggregate([told, told]).metrics();
    };
    assert.equal(await sumOf(tallied), await sumOf(own));
    assert.match(await sumOf(tallied), /^n_count\{operation="poll"\} 6$/m);
  });

  it('show a histogram without labels before anything was observed', async () => {
    const [tallied, own] = both((a, b) => {
      createHistogramTally({ ...named(a), labelNames: [], buckets: BUCKETS });
      new Histogram({ ...named(b), buckets: BUCKETS });
    });
    assert.equal(await tallied.metrics(), await own.metrics());
    assert.match(await tallied.metrics(), /^n_count 0$/m);
  });
});
