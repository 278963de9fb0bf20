import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { LIMITS } from '../../../src/core/limits.ts';
import {
  componentReports,
  type FluxEvent,
  mergeReports,
  type Reports,
  reportKey,
  takeEvent,
} from '../../../src/core/liveness/reports.ts';
import { timesAsCostly } from '../../support/cost.ts';

const NOW = Date.parse('2026-05-04T12:00:00Z');
const served: ReadonlySet<string> = new Set(['cert-manager', 'podinfo']);

const event = (
  change: Partial<FluxEvent> = {},
  kind = 'Kustomization',
  name = 'cert-manager',
): FluxEvent => ({
  involvedObject: { kind, name },
  severity: 'info',
  timestamp: '2026-05-04T11:59:00Z',
  message: 'Reconciliation finished in 1.2s',
  reason: 'ReconciliationSucceeded',
  metadata: { revision: 'v1.16.1@sha256:0c2f' },
  ...change,
});

const take = (...events: readonly FluxEvent[]): Reports =>
  events.reduce<Reports>((reports, one) => {
    const { report } = takeEvent(one, NOW, served);
    return report === undefined ? reports : mergeReports(reports, { [reportKey(report)]: report });
  }, {});

const results = (...events: readonly FluxEvent[]): readonly string[] =>
  componentReports(take(...events), served).map(({ component, result }) => `${component} ${result}`);

test('an event is about the component that its object is named after, if the cluster is served it', () => {
  for (const kind of ['Kustomization', 'HelmRelease', 'OCIRepository', 'HelmRepository', 'HelmChart']) {
    assert.equal(takeEvent(event({}, kind), NOW, served).component, 'cert-manager');
    assert.equal(takeEvent(event({}, kind, 'flux-system'), NOW, served).taken, 'ignored');
  }
  assert.equal(takeEvent(event({}, 'Deployment'), NOW, served).taken, 'ignored');
  assert.equal(takeEvent(event({}, 'FluxInstance', 'flux'), NOW, served).taken, 'ignored');
});

test('a ResourceSet is told of by itself, and passes for no component', () => {
  assert.deepEqual(results(event({}, 'ResourceSet', 'cert-manager')), ['ResourceSet/cert-manager applied']);
  for (const name of ['../x', 'A', 'a b', '__proto__', 'a'.repeat(254), '']) {
    assert.equal(takeEvent(event({}, 'ResourceSet', name), NOW, served).taken, 'ignored', name);
  }
});

test('several lines are told in one, and white space between them costs what letters cost', () => {
  const told = (message: string): string | undefined =>
    takeEvent(event({ message }), NOW, served).report?.message;
  assert.equal(told('one\r\n  two\n\n\tthree  \n'), 'one; two; three');
  const of = (one: string) => () => told(one.repeat(39_000));
  assert.ok(timesAsCostly(of(' '), of('y')) < 10);
});

test('what Flux says while it works is progress, and changes nothing', () => {
  for (const reason of ['Progressing', 'DependencyNotReady', 'Suspended', 'UninstallSucceeded', 'info']) {
    const { taken, report } = takeEvent(event({ reason }), NOW, served);
    assert.deepEqual([taken, report], ['progress', undefined], reason);
  }
  assert.equal(takeEvent(event({ severity: 'trace' }), NOW, served).taken, 'progress');
  assert.deepEqual(
    results(event({ severity: 'error', reason: 'HealthCheckFailed' }), event({ reason: 'Progressing' })),
    ['cert-manager failed'],
  );
});

test('applied and failed, by reason and severity', () => {
  for (const reason of ['ReconciliationSucceeded', 'InstallSucceeded', 'UpgradeSucceeded', 'TestSucceeded']) {
    assert.equal(takeEvent(event({ reason }, 'HelmRelease'), NOW, served).taken, 'applied', reason);
  }
  assert.equal(takeEvent(event({ severity: 'error', reason: 'x' }), NOW, served).taken, 'failed');
  // Helm went back to what was there before: what is served was not applied.
  assert.equal(takeEvent(event({ reason: 'RollbackSucceeded' }, 'HelmRelease'), NOW, served).taken, 'failed');
});

test('a source that was fetched is not a component that was applied, and ends only its own failure', () => {
  assert.deepEqual(results(event({ reason: 'NewArtifact' }, 'OCIRepository')), []);
  const failure = event({ severity: 'error', reason: 'OCIArtifactPullFailed' }, 'OCIRepository');
  assert.deepEqual(results(event(), failure), ['cert-manager failed']);
  assert.deepEqual(results(event(), failure, event({ reason: 'NewArtifact' }, 'OCIRepository')), [
    'cert-manager applied',
  ]);
  const broken = event({ severity: 'error', reason: 'HealthCheckFailed' });
  assert.deepEqual(results(broken, event({ reason: 'NewArtifact' }, 'OCIRepository')), [
    'cert-manager failed',
  ]);
});

test('what is served no more has nothing to say', () => {
  const reports = take(event(), event({ severity: 'error' }, 'HelmRelease', 'podinfo'));
  assert.equal(componentReports(reports, served).length, 2);
  assert.deepEqual(
    componentReports(reports, new Set(['podinfo'])).map(({ component }) => component),
    ['podinfo'],
  );
});

test('the later word counts, whatever the order of arrival; of the same second, the one that came last', () => {
  const early = event({ severity: 'error', timestamp: '2026-05-04T11:50:00Z' });
  assert.deepEqual(results(event(), early), ['cert-manager applied']);
  assert.deepEqual(results(event(), event({ severity: 'error' })), ['cert-manager failed']);
  assert.deepEqual(results(event({ severity: 'error' }), event()), ['cert-manager applied']);
});

test('no event comes from the future, and none from longer ago than would ever be heard again', () => {
  const at = (timestamp: string | null): number =>
    takeEvent(event({ timestamp }), NOW, served).report?.atMs ?? 0;
  assert.equal(at('2099-01-01T00:00:00Z'), NOW);
  assert.equal(at('1999-01-01T00:00:00Z'), NOW - LIMITS.reportAgeMsMax);
  assert.equal(at('2026-02-30T00:00:00Z'), NOW);
  assert.equal(at(null), NOW);
  // A clock that was wrong, and is put right: what it says now is heard.
  const wrong = event({ severity: 'error', timestamp: '2099-01-01T00:00:00Z' });
  assert.deepEqual(results(wrong, event({ timestamp: '2026-05-04T12:00:00Z' })), ['cert-manager applied']);
});

test('a giant message of control characters becomes one bounded line', () => {
  const hostile = `\u001b[2J\r\n\u0000<script>\u202e${'x'.repeat(38_000)}`;
  const { report } = takeEvent(
    event({ severity: 'error', message: hostile, reason: hostile, metadata: { revision: hostile } }),
    NOW,
    served,
  );
  for (const text of [report?.message, report?.reason, report?.revision]) {
    assert.ok(text !== undefined && text.length <= LIMITS.reportMessageCharactersMax);
    assert.doesNotMatch(text, /[\p{C}\p{Zl}\p{Zp}]/u);
  }
});

test('a revision is found with its group or without', () => {
  const revisionOf = (metadata: Record<string, string>) =>
    takeEvent(event({ metadata }), NOW, served).report?.revision;
  assert.equal(revisionOf({ 'kustomize.toolkit.fluxcd.io/revision': 'main@sha1:ab' }), 'main@sha1:ab');
  assert.equal(revisionOf({ revision: 'v1' }), 'v1');
  assert.equal(revisionOf({ originRevision: 'x' }), undefined);
});

test('of one cluster a bounded number of objects is kept, the newest', () => {
  const report = takeEvent(event(), NOW, served).report;
  assert.ok(report);
  let reports: Reports = {};
  for (let n = 0; n < LIMITS.reportsPerClusterMax + 50; n++) {
    const one = { ...report, component: `ResourceSet/r${n}`, kind: 'ResourceSet', atMs: NOW + n };
    reports = mergeReports(reports, { [reportKey(one)]: one });
  }
  assert.equal(Object.keys(reports).length, LIMITS.reportsPerClusterMax);
  assert.equal(`ResourceSet ResourceSet/r0` in reports, false);
});

const LONG = `a-very-long-name-of-a-component-that-nobody-should-use-at-${'x'.repeat(5)}`;

test('the objects of deploy/cluster, which have a prefix, and where the id is long a hash', () => {
  const all = new Set(['x', 'component-x', 'cert-manager', LONG, LONG.replace(/x$/, 'y')]);
  const about = (name: string): string | undefined =>
    takeEvent(event({}, 'HelmRelease', name), NOW, all).component;
  assert.equal(about('component-cert-manager'), 'cert-manager');
  assert.equal(about('component-x'), 'x');
  assert.equal(about('component-component-x'), 'component-x');
  assert.ok(LONG.length > 53);
  const name = `component-${LONG.slice(0, 44)}-${createHash('sha256').update(LONG).digest('hex').slice(0, 8)}`;
  assert.ok(name.length <= 63);
  assert.equal(about(name), LONG);
  assert.equal(about(name.replace(/.$/, '')), undefined);
  assert.equal(about(`component-${LONG}`), undefined);
  assert.equal(about('component-'), undefined);
});

test('deploy/cluster names its objects by this rule', () => {
  const template = readFileSync(new URL('../../../deploy/cluster/certificate.yaml', import.meta.url), 'utf8');
  const rule =
    '$name := gt (len inputs.id) 53 | ternary (printf "component-%.44s-%.8s" inputs.id (sha256sum inputs.id)) (printf "component-%s" inputs.id)';
  assert.ok(template.includes(rule), 'where it is changed there, change objectName as well');
});
