import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { capacityOf, clustersPerCore, coresFor } from '../../../bench/capacity.ts';
import { chart } from '../../../bench/harness/chart.ts';
import {
  type Cell,
  cellOf,
  type Figure,
  median,
  missing,
  quantile,
  shown,
  shownCell,
} from '../../../bench/harness/figures.ts';
import { GOALS, verdicts } from '../../../bench/harness/goals.ts';
import { Samples, sideBySide } from '../../../bench/harness/measurement.ts';
import { blockOf, withBlock } from '../../../bench/harness/pages.ts';
import { familyInPs } from '../../../bench/harness/processes.ts';
import { nginxVersion } from '../../../bench/harness/servers.ts';

const figure = (id: string, fluxgate: Cell, node?: Cell): Figure => ({
  id,
  what: `the figure ${id}`,
  unit: 'ms',
  cells: { fluxgate, ...(node === undefined ? {} : { node }) },
});

describe('figures', () => {
  it('are medians, and quantiles that were measured', () => {
    assert.equal(median([3, 1, 2]), 2);
    assert.equal(median([4, 1, 2, 3]), 2.5);
    assert.equal(quantile([5, 1, 4, 2, 3], 0.5), 3);
    assert.equal(quantile([1, 2, 3], 0.99), 3);
    const hundred = Array.from({ length: 100 }, (_, n) => n + 1);
    assert.equal(quantile(hundred, 0.99), 99);
  });

  it('are shown with their spread, or with why there are none', () => {
    assert.equal(shownCell(cellOf([1, 3, 2])), '2.00 (1.00–3.00)');
    assert.equal(shownCell(cellOf([1, 2, 3, 4, 5, 6, 70])), '4.00 (1.00–70.0)');
    assert.equal(shownCell(cellOf([1, 2, 3, 4, 5, 6, 7, 80])), '4.50 (2.00–6.00)');
    assert.equal(shownCell(cellOf([12.34])), '12.3');
    assert.equal(shownCell(cellOf([])), 'not measured');
    assert.equal(shownCell(missing('not installed')), 'not installed');
    assert.equal(shown(123_456.7), '123,457');
  });
});

describe('a server that is not installed', () => {
  it('is named as such in its rows', (t) => {
    const path = process.env['PATH'];
    t.after(() => {
      process.env['PATH'] = path;
    });
    process.env['PATH'] = '/nowhere';
    assert.equal(nginxVersion(), undefined);
    const samples = new Samples();
    samples.add('fluxgate', 'cpu', 1);
    samples.add('node', 'cpu', 2);
    const cells = sideBySide(samples, new Map([['node', {}]]), 'cpu');
    assert.deepEqual(
      ['fluxgate', 'node', 'nginx'].map((name) => shownCell(cells[name as 'nginx'])),
      ['1.00', '2.00', 'not installed'],
    );
  });
});

describe('a goal', () => {
  const goal = GOALS.find(({ of }) => of.figure === 'poll-cpu-10000');
  const told = (figures: readonly Figure[]) => verdicts(figures).find(({ what }) => what === goal?.what);

  it('is met at its bound and missed above it', () => {
    const own = (ms: number) => [figure('poll-cpu-10000', cellOf([ms]), cellOf([2]))];
    assert.equal(told(own(2.1))?.verdict, 'met');
    assert.equal(told(own(2.12))?.verdict, 'MISSED');
    assert.equal(told(own(2.12))?.measured, '1.06');
  });

  it('that is a ratio is that of each round, with its spread, for a machine is slow for all of them at once', () => {
    const verdict = told([figure('poll-cpu-10000', cellOf([1, 3, 6]), cellOf([1, 2, 6]))]);
    assert.deepEqual([verdict?.measured, verdict?.verdict], ['1.00 (1.00–1.50)', 'met']);
    // Rounds that nobody can pair.
    const medians = told([figure('poll-cpu-10000', cellOf([1, 3, 6]), cellOf([2, 4]))]);
    assert.equal(medians?.measured, '1.00');
  });

  it('that is a least is missed below it', () => {
    const ratio = (value: number) => verdicts([figure('workers-ratio', cellOf([value]))]);
    const of = (value: number) => ratio(value).find((told) => told.goal.startsWith('≥'))?.verdict;
    assert.deepEqual([of(1.89), of(1.9)], ['MISSED', 'met']);
  });

  it('is neither without its figures, and says why', () => {
    assert.deepEqual(
      verdicts([]).map(({ verdict, measured }) => `${verdict}: ${measured}`),
      GOALS.map(() => 'not measured: not in this run'),
    );
    const partly = told([figure('poll-cpu-10000', cellOf([1]), missing('not installed'))]);
    assert.deepEqual([partly?.verdict, partly?.measured], ['not measured', 'not installed']);
  });
});

describe('processes in what ps says', () => {
  it('are those below one, with their time', () => {
    const text =
      '  10     1 1-02:03:04 2048\n  11    10    00:01.50 1024\n  12    11    01:00 512\n  13     1 00:09 99\n';
    const found = familyInPs(text, 10);
    assert.deepEqual([...found.keys()].sort(), [10, 11, 12]);
    assert.equal(found.get(10)?.cpuMs, 93_784_000);
    assert.equal(found.get(11)?.cpuMs, 1_500);
    assert.deepEqual(found.get(12), { cpuMs: 60_000, residentMiB: 0.5, peakMiB: undefined });
  });
});

describe('a block of a page', () => {
  const page = 'before\n<!-- measured: x -->\nold\n<!-- end of what was measured -->\nafter\n';

  it('is replaced, and nothing around it', () => {
    const written = withBlock(page, 'x', 'new\n');
    assert.equal(
      written,
      'before\n<!-- measured: x -->\n\nnew\n\n<!-- end of what was measured -->\nafter\n',
    );
    assert.equal(blockOf(written, 'x'), 'new');
    assert.equal(withBlock(written, 'x', 'new'), written);
  });

  it('must be there', () => {
    assert.throws(() => withBlock(page, 'y', 'new'));
    assert.throws(() => withBlock('<!-- measured: x -->', 'x', 'new'));
  });
});

describe('the chart', () => {
  it('shows what is there, and says what is not', () => {
    const machine = {
      cpu: 'a <CPU> & more',
      cores: 2,
      memoryGiB: 4,
      kernel: 'Linux',
      node: 'v26',
      openssl: '3.5',
      nginx: 'not installed',
      pinning: '',
    };
    const own = figure('poll-cpu-10', cellOf([1, 2, 3]), cellOf([1]));
    const svg = chart([{ ...own, cells: { ...own.cells, nginx: missing('not installed') } }], machine);
    assert.equal(svg.match(/<rect class="(own|other)"/g)?.length, 2);
    assert.match(svg, />not installed<\/text>/);
    assert.match(svg, /a &lt;CPU&gt; &amp; more/);
    assert.match(svg, /prefers-color-scheme: dark/);
  });
});

describe('capacity', () => {
  const capacity = capacityOf([
    figure('rss-10', cellOf([200.01])),
    figure('rss-100000', cellOf([300])),
    figure('poll-cpu-10', cellOf([9])),
    figure('poll-cpu-100000', cellOf([2])),
  ]);

  it('is of the largest store, and memory grows between the smallest and it', () => {
    assert.equal(capacity.cpuMsPerPoll, 2);
    assert.ok(Math.abs(capacity.mibPer10000 - 10) < 0.01);
    assert.ok(Math.abs(capacity.baseMiB - 200) < 0.01);
    assert.throws(() => capacityOf([]));
  });

  it('is a share of a core for three polls of each cluster', () => {
    assert.equal(clustersPerCore(capacity, 60, 0.5), 5_000);
    assert.equal(coresFor(capacity, 5_000, 60, 0.5), 1);
    assert.equal(coresFor(capacity, 5_001, 60, 0.5), 2);
  });
});
