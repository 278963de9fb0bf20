import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { shareGateway } from '../support/shared-gateway.ts';
import { PROJECT } from '../support/spawned.ts';

const read = (path: string): string => readFileSync(join(PROJECT, path), 'utf8');

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: { readonly severity: string };
  readonly annotations: Readonly<Record<string, string>>;
}

const RULES = (
  parse(read('deploy/monitoring/alerts.yaml')) as { spec: { groups: { name: string; rules: Rule[] }[] } }
).spec.groups.flatMap(({ rules }) => rules);

interface Panel {
  readonly title: string;
  readonly type: string;
  readonly targets?: readonly { readonly expr: string }[];
}

const DASHBOARD = JSON.parse(read('deploy/monitoring/grafana-dashboard.json')) as {
  panels: readonly Panel[];
  templating: unknown;
};

/** Name → labels, of the tables; a cell may name several metrics. */
function documented(): ReadonlyMap<string, readonly string[]> {
  const rows = [...read('docs/monitoring.md').matchAll(/^\| (`fluxgate_[^|]+) \|([^|]*)\|/gm)];
  return new Map(
    rows.flatMap(([, names = '', labels = '']) => {
      const own = [...labels.matchAll(/`([a-z_]+)`/g)].map(([, label = '']) => label);
      return [...names.matchAll(/`(fluxgate_\w+)`/g)].map(([, name = '']) => [name, own] as const);
    }),
  );
}

/** Of a text with PromQL: what is no function, keyword or label. A histogram is named by its parts. */
function metricsIn(expressions: readonly string[]): ReadonlySet<string> {
  const names = expressions.flatMap((text) => text.match(/\bfluxgate_\w+/g) ?? []);
  return new Set(names.map((name) => name.replace(/_bucket$/, '')));
}

/** Labels that an expression selects or sums by, as far as they are our own. */
function labelsIn(expression: string): readonly string[] {
  const selected = [...expression.matchAll(/[{,]\s*(\w+)\s*(?:=~|!~|!=|=)\s*"/g)].map(
    ([, label = '']) => label,
  );
  const grouped = [...expression.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(/,\s*/),
  );
  return [...selected, ...grouped].filter((label) => !['', 'instance', 'job', 'le'].includes(label));
}

const DASHBOARD_EXPRESSIONS = DASHBOARD.panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));

describe('monitoring', () => {
  const gateway = shareGateway();
  const exposed = async (): Promise<ReadonlyMap<string, string>> => {
    const { adminAddress } = gateway().gateway;
    const text = await (await fetch(`http://127.0.0.1:${adminAddress?.port}/metrics`)).text();
    return new Map(
      [...text.matchAll(/^# TYPE (\w+) (\w+)$/gm)].map(([, name = '', type = '']) => [name, type]),
    );
  };

  it('has every metric that is exposed in its tables, and no other', async () => {
    const names = [...(await exposed()).keys()];
    assert.ok(names.length > 60);
    assert.deepEqual([...documented().keys()].sort(), names.sort());
  });

  it('names metrics as Prometheus has it: counters end in _total, durations in seconds, moments in timestamp_seconds', async () => {
    for (const [name, type] of await exposed()) {
      if (/^fluxgate_(process|nodejs)_/.test(name)) continue;
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      if (type === 'histogram') assert.match(name, /_seconds$/);
      assert.doesNotMatch(name, /_(ms|milliseconds|minutes|kb|percent)\b/, name);
    }
  });

  it('alerts on what is exposed, by labels that it has', async () => {
    const names = await exposed();
    assert.ok(RULES.length > 15);
    for (const { alert, expr } of RULES) {
      const used = metricsIn([expr]);
      assert.ok(used.size > 0 || /^up\{/.test(expr), alert);
      assert.deepEqual(
        [...used].filter((name) => !names.has(name)),
        [],
        alert,
      );
      const labels = new Set([...used].flatMap((name) => documented().get(name) ?? []));
      assert.deepEqual(
        labelsIn(expr).filter((label) => !labels.has(label)),
        [],
        alert,
      );
    }
  });

  it('shows what is exposed, by labels that it has, each metric of ours but those that have a page of their own', async () => {
    const names = await exposed();
    for (const expr of DASHBOARD_EXPRESSIONS) {
      const used = metricsIn([expr]);
      assert.deepEqual(
        [...used].filter((name) => !names.has(name)),
        [],
        expr,
      );
      const labels = new Set([...used].flatMap((name) => documented().get(name) ?? []));
      assert.deepEqual(
        labelsIn(expr).filter((label) => !labels.has(label)),
        [],
        expr,
      );
    }
    assert.ok(DASHBOARD_EXPRESSIONS.length > 30);
  });

  it('gives each alert a name of its own, words for people, and a runbook that is there', () => {
    assert.equal(new Set(RULES.map(({ alert }) => alert)).size, RULES.length);
    for (const { alert, labels, annotations, for: duration } of RULES) {
      assert.match(alert, /^Fluxgate[A-Z]\w+$/);
      assert.match(labels.severity, /^(warning|critical)$/, alert);
      assert.match(duration, /^\d+[mh]$/, alert);
      assert.ok(annotations['summary'] && annotations['description'], alert);
      const { runbook_url: runbook = '' } = annotations;
      assert.match(runbook, /^docs\/runbooks\/[a-z-]+\.md$/, alert);
      assert.ok(existsSync(join(PROJECT, runbook)), `${alert}: ${runbook}`);
    }
  });

  it('has no panel without a query, and no data source of somebody’s own', () => {
    for (const { type, title, targets = [] } of DASHBOARD.panels) {
      assert.equal(targets.length > 0, type !== 'row', title);
    }
    const text = JSON.stringify(DASHBOARD);
    const sources = new Set([...text.matchAll(/"uid":"([^"]*)"/g)].map(([, uid]) => uid));
    assert.deepEqual([...sources].sort(), [`$${'{datasource}'}`, 'fluxgate']);
  });
});
