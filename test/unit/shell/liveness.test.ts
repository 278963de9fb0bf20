import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Principal } from '../../../src/core/identity/principal.ts';
import { LIMITS } from '../../../src/core/limits.ts';
import type { Report } from '../../../src/core/liveness/reports.ts';
import type { Clock } from '../../../src/shell/clock.ts';
import { type AnsweredPoll, type Liveness, openLiveness } from '../../../src/shell/liveness.ts';
import { createLog } from '../../../src/shell/log.ts';
import type { LivenessStore } from '../../../src/shell/store/liveness.ts';
import { openSqliteStore } from '../../../src/shell/store/sqlite-store.ts';
import type { Store } from '../../../src/shell/store/store.ts';
import { until } from '../../support/until.ts';
import { temporaryDatabase } from '../store/temporary.ts';

const EAST = 'east.k8s.example.com';
const WEST = 'west.k8s.example.com';
const T0 = Date.parse('2026-05-04T00:00:00Z');
const log = createLog('silent', { write: () => undefined });

const clockAt = (): Clock & { ms: number } => {
  const clock = { ms: T0, now: () => clock.ms, elapsed: () => clock.ms };
  return clock;
};

const reader: Principal = { kind: 'reader', tokenId: 'abcd' };

const pollOf = (change: Partial<AnsweredPoll> = {}): AnsweredPoll => ({
  clusterDns: EAST,
  kind: 'namespace',
  principal: reader,
  client: 'Go-http-client/1.1',
  revision: 1,
  inputs: () => '{"inputs":[]}',
  ...change,
});

const reportOf = (component: string, atMs = T0, word: Report['word'] = 'applied'): Report => ({
  component,
  kind: 'Kustomization',
  word,
  revision: 'v1',
  reason: 'ReconciliationSucceeded',
  message: 'done',
  atMs,
});

interface Process {
  readonly store: Store;
  readonly liveness: Liveness;
}

/** Another process that serves the same fleet. */
async function startProcess(t: TestContext, url: string, clock: Clock): Promise<Process> {
  const store = await openSqliteStore(url);
  const liveness = openLiveness(store.liveness, clock, log);
  await liveness.refresh();
  t.after(async () => {
    await liveness.close();
    await store.close();
  });
  return { store, liveness };
}

const lastOf = ({ liveness }: Process, route: string, clusterDns = EAST): number | undefined =>
  liveness.of(clusterDns)?.[route]?.polls?.lastMs;

test('several processes on one store each come to know what the others saw', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const [a, b] = [await startProcess(t, url, clock), await startProcess(t, url, clock)];
  a.liveness.polled(pollOf());
  clock.ms += 1_000;
  b.liveness.polled(pollOf({ kind: 'rolebinding' }));
  b.liveness.polled(pollOf({ clusterDns: WEST }));
  await a.liveness.flush();
  await b.liveness.flush();
  // Merged into its own row, so nothing is new to it, and all is known.
  assert.equal(lastOf(b, 'namespaces'), T0);
  assert.equal(lastOf(a, 'rolebindings'), undefined);
  await a.liveness.refresh();
  assert.equal(lastOf(a, 'rolebindings'), T0 + 1_000);
  assert.equal(lastOf(a, 'namespaces', WEST), T0 + 1_000);
});

test('a flush writes over nothing newer', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const [a, b] = [await startProcess(t, url, clock), await startProcess(t, url, clock)];
  a.liveness.polled(pollOf());
  clock.ms += 60_000;
  b.liveness.polled(pollOf({ revision: 2, inputs: () => '{"inputs":[{"id":"a"}]}' }));
  await b.liveness.flush();
  await a.liveness.flush();
  const c = await startProcess(t, url, clock);
  assert.equal(lastOf(c, 'namespaces'), T0 + 60_000);
  assert.equal(c.liveness.of(EAST)?.['namespaces']?.polls?.revision, 2);
  assert.deepEqual(c.liveness.of(EAST)?.['namespaces']?.polls?.burstsMs, [T0, T0 + 60_000]);
});

test('a row that is as this process left it is not read again; one that another wrote, or that is gone, is', async (t) => {
  const { url } = temporaryDatabase(t);
  const store = await openSqliteStore(url);
  t.after(() => store.close());
  const read: (string | undefined)[] = [];
  const save = (document: string, writtenAs?: number): Promise<number> => {
    read.length = 0;
    const merge = (stored: string | undefined): string => {
      read.push(stored);
      return document;
    };
    return store.liveness.save({
      polls: [{ clusterDns: EAST, writtenAs: () => writtenAs, merge }],
      reports: [],
      forgotten: [],
    });
  };
  const rowOf = async (): Promise<string | undefined> => {
    let document: string | undefined;
    await store.liveness.since(0, new Set(), ({ polls }) => {
      document = polls[0]?.document ?? document;
    });
    return document;
  };
  const first = await save('{"a":1}');
  const second = await save('{"a":2}', first);
  assert.deepEqual(read, [undefined]);
  assert.equal(await rowOf(), '{"a":2}');
  // Another process, which knows nothing of the version.
  await save('{"b":1}');
  assert.deepEqual(read, ['{"a":2}']);
  const fourth = await save('{"a":3}', second);
  assert.deepEqual(read, ['{"b":1}']);
  assert.equal(await rowOf(), '{"a":3}');
  await store.liveness.save({ polls: [], reports: [], forgotten: [EAST] });
  await save('{"a":4}', fourth);
  assert.deepEqual(read, [undefined]);
  assert.equal(await rowOf(), '{"a":4}');
});

test('a write says by which one this process left the row, once it has', async () => {
  const store = watched();
  const said: (number | undefined)[] = [];
  const { save } = store;
  store.save = (batch) => {
    said.push(...batch.polls.map(({ writtenAs }) => writtenAs?.()));
    return save(batch);
  };
  const liveness = openLiveness(store, clockAt(), log);
  for (const locked of [false, true, false, false]) {
    store.locked = locked;
    liveness.polled(pollOf());
    await liveness.flush().catch(() => undefined);
  }
  assert.deepEqual(said, [undefined, 1, 1, 3]);
});

test('a clock that went back does not make another process’s older poll the last one', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const [a, b] = [await startProcess(t, url, clock), await startProcess(t, url, clock)];
  for (const process of [a, b]) {
    process.liveness.polled(pollOf());
    await process.liveness.flush();
    clock.ms += 30_000;
  }
  a.liveness.polled(pollOf({ revision: 2, inputs: () => '{"inputs":[{"id":"a"}]}' }));
  clock.ms -= 3_600_000;
  await a.liveness.flush();
  for (const process of [a, await startProcess(t, url, clock)])
    assert.equal(process.liveness.of(EAST)?.['namespaces']?.polls?.revision, 2);
});

test('a cluster that is forgotten while its write waits loses nothing of its row by that write', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const store = await openSqliteStore(url);
  let held: Promise<void> | undefined;
  const slowly: LivenessStore = {
    ...store.liveness,
    save: async (batch) => {
      await held;
      return store.liveness.save(batch);
    },
  };
  const liveness = openLiveness(slowly, clock, log);
  t.after(async () => {
    await liveness.close();
    await store.close();
  });
  await liveness.refresh();
  for (let poll = 0; poll < 2; poll++) {
    liveness.polled(pollOf());
    await liveness.flush();
    clock.ms += 60_000;
  }
  const release = Promise.withResolvers<void>();
  held = release.promise;
  liveness.polled(pollOf());
  const flushed = liveness.flush();
  await new Promise((resolve) => setImmediate(resolve));
  clock.ms += LIMITS.goneSightingMs + 1;
  liveness.forgetGone(new Set());
  liveness.polled(pollOf());
  release.resolve();
  await flushed;
  const again = await startProcess(t, url, clock);
  assert.deepEqual(again.liveness.of(EAST)?.['namespaces']?.polls?.burstsMs, [T0, T0 + 60_000, clock.ms]);
});

test('what another process wrote between two writes of this one is in the second, too', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const [a, b] = [await startProcess(t, url, clock), await startProcess(t, url, clock)];
  const next = (process: Process, kind: AnsweredPoll['kind']): Promise<void> => {
    clock.ms += 60_000;
    process.liveness.polled(pollOf({ kind }));
    return process.liveness.flush();
  };
  await next(a, 'namespace');
  await next(a, 'namespace');
  await next(b, 'rolebinding');
  await next(a, 'namespace');
  await next(a, 'namespace');
  for (const process of [a, await startProcess(t, url, clock)]) {
    assert.equal(lastOf(process, 'rolebindings'), T0 + 180_000);
    assert.deepEqual(
      process.liveness.of(EAST)?.['namespaces']?.polls?.burstsMs,
      [60_000, 120_000, 240_000, 300_000].map((ms) => T0 + ms),
    );
  }
});

test('a route that is polled no more is forgotten, by a process that wrote the row itself, too', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const a = await startProcess(t, url, clock);
  a.liveness.polled(pollOf({ kind: 'rolebinding' }));
  a.liveness.polled(pollOf());
  await a.liveness.flush();
  clock.ms += LIMITS.pollRouteForgottenMs;
  a.liveness.polled(pollOf());
  await a.liveness.flush();
  for (const process of [a, await startProcess(t, url, clock)]) {
    assert.deepEqual(Object.keys(process.liveness.of(EAST) ?? {}), ['namespaces']);
  }
});

test('reports of one cluster through several processes are one list', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const [a, b] = [await startProcess(t, url, clock), await startProcess(t, url, clock)];
  a.liveness.reported(EAST, reportOf('cert-manager', T0 + 2, 'failed'));
  b.liveness.reported(EAST, reportOf('cert-manager', T0 + 1));
  b.liveness.reported(EAST, reportOf('podinfo'));
  // Before anything is written, too.
  assert.equal((await a.liveness.reportsOf(EAST))['Kustomization cert-manager']?.word, 'failed');
  await a.liveness.flush();
  await b.liveness.flush();
  const before = a.liveness.reportsVersion(EAST);
  await a.liveness.refresh();
  assert.notEqual(a.liveness.reportsVersion(EAST), before);
  for (const { liveness } of [a, b, await startProcess(t, url, clock)]) {
    const reports = await liveness.reportsOf(EAST);
    assert.equal(reports['Kustomization cert-manager']?.word, 'failed');
    assert.equal(reports['Kustomization podinfo']?.word, 'applied');
  }
});

test('what was seen survives a restart', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const store = await openSqliteStore(url);
  const liveness = openLiveness(store.liveness, clock, log);
  await liveness.refresh();
  liveness.polled(pollOf());
  liveness.refused(EAST, 'rolebindings', { atMs: T0, status: 495, reason: 'expired', knownBy: 'proven' });
  liveness.reported(EAST, reportOf('podinfo'));
  await liveness.close();
  await store.close();
  const again = await startProcess(t, url, clock);
  assert.equal(lastOf(again, 'namespaces'), T0);
  assert.equal(again.liveness.of(EAST)?.['rolebindings']?.refused?.reason, 'expired');
  assert.ok('Kustomization podinfo' in (await again.liveness.reportsOf(EAST)));
});

/** What a store is asked, with a lock that can be held. */
function watched(): LivenessStore & { saves: number; locked: boolean } {
  const store = {
    saves: 0,
    locked: false,
    since: async () => 0,
    save: async () => {
      store.saves++;
      if (store.locked) throw new Error('locked');
      return store.saves;
    },
    reportsOf: async () => undefined,
  };
  return store;
}

test('no poll and no report writes on its path, and a store that is locked costs nothing but the wait', async () => {
  const store = watched();
  store.locked = true;
  const liveness = openLiveness(store, clockAt(), log);
  for (let n = 0; n < 1_000; n++) liveness.polled(pollOf({ clusterDns: `c${n}.example.com` }));
  liveness.reported(EAST, reportOf('podinfo'));
  assert.equal(store.saves, 0);
  await assert.rejects(liveness.flush(), /locked/);
  store.locked = false;
  const before = store.saves;
  await liveness.flush();
  assert.equal(store.saves - before, Math.ceil(1_000 / LIMITS.sightingsPerCommitMax), 'nothing was lost');
  await liveness.close();
});

test('polls that come while it writes do not keep it writing', async () => {
  const store = watched();
  const liveness = openLiveness(
    {
      ...store,
      save: async () => {
        liveness.polled(pollOf());
        return ++store.saves;
      },
    },
    clockAt(),
    log,
  );
  liveness.polled(pollOf());
  await liveness.flush();
  assert.equal(store.saves, 1);
});

test('the inputs are looked at once for each revision, not with each poll', async () => {
  const liveness = openLiveness(watched(), clockAt(), log);
  let looked = 0;
  const inputs = (): string => `{"inputs":[${++looked}]}`;
  for (let n = 0; n < 5; n++) liveness.polled(pollOf({ inputs }));
  assert.equal(looked, 1);
  liveness.polled(pollOf({ inputs, revision: 2 }));
  assert.equal(looked, 2);
});

test('whoever looks at what a cluster is told is not that cluster', async () => {
  const liveness = openLiveness(watched(), clockAt(), log);
  const grants = { roles: [], environments: [], labels: [] };
  for (const principal of [
    { kind: 'operator_token', name: 'x', tokenId: 'x', grants, expiresMs: 0 },
    { kind: 'workload', issuer: 'x', subject: 'x', claims: [] },
    { kind: 'anonymous' },
  ] as const) {
    liveness.polled(pollOf({ principal }));
  }
  assert.equal(liveness.of(EAST), undefined);
});

test('a flood of reports is bounded: for one cluster by what is kept, for all by 503', async () => {
  const liveness = openLiveness(watched(), clockAt(), log);
  for (let n = 0; n < 5_000; n++)
    liveness.reported(EAST, { ...reportOf(`ResourceSet/r${n}`), kind: 'ResourceSet' });
  assert.equal(Object.keys(await liveness.reportsOf(EAST)).length, LIMITS.reportsPerClusterMax);
  const flood = (): void => {
    for (let n = 0; n <= LIMITS.reportsPendingMax; n++)
      liveness.reported(`c${n}.example.com`, reportOf('podinfo'));
  };
  assert.throws(flood, (error: { code?: string }) => error.code === 'unavailable');
  // Whoever waits already is not refused for what says the same anew.
  liveness.reported(EAST, { ...reportOf('ResourceSet/r4999', T0 + 1), kind: 'ResourceSet' });
});

test('a User-Agent is escaped and cut, and told as it is now', async () => {
  const liveness = openLiveness(watched(), clockAt(), log);
  liveness.polled(pollOf({ client: `flux\u0080\u202e${'x'.repeat(4_000)}` }));
  const shown = liveness.of(EAST)?.['namespaces']?.polls?.client ?? '';
  assert.ok(shown.startsWith('flux\\u{80}\\u{202e}x') && shown.length <= LIMITS.clientCharactersMax, shown);
  liveness.polled(pollOf({ client: undefined }));
  assert.equal(liveness.of(EAST)?.['namespaces']?.polls?.client, undefined);
});

test('a cluster that is in no fleet is forgotten when it has been silent for a while, in the store, too', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const { liveness } = await startProcess(t, url, clock);
  liveness.polled(pollOf());
  liveness.polled(pollOf({ clusterDns: WEST }));
  liveness.reported(EAST, reportOf('podinfo'));
  await liveness.flush();
  liveness.forgetGone(new Set([WEST]));
  assert.ok(liveness.of(EAST), 'not silent yet');
  clock.ms += LIMITS.goneSightingMs + 1;
  liveness.forgetGone(new Set([WEST]));
  assert.equal(liveness.of(EAST), undefined);
  await liveness.flush();
  const again = await startProcess(t, url, clock);
  assert.equal(again.liveness.of(EAST), undefined);
  assert.ok(again.liveness.of(WEST));
  assert.deepEqual(await again.liveness.reportsOf(EAST), {});
});

test('a cluster that is in no fleet is not forgotten for being silent before it is known when it polled', async (t) => {
  const { url } = temporaryDatabase(t);
  const clock = clockAt();
  const before = await startProcess(t, url, clock);
  before.liveness.polled(pollOf());
  before.liveness.reported(EAST, reportOf('podinfo'));
  await before.liveness.close();
  const store = await openSqliteStore(url);
  const held = Promise.withResolvers<void>();
  const slowly: LivenessStore = {
    ...store.liveness,
    async since(since, own, take) {
      const pages: (() => void)[] = [];
      const version = await store.liveness.since(
        since,
        own,
        (changes) => void pages.push(() => take(changes)),
      );
      // Of what clusters reported and when they polled, the first is there sooner.
      pages.shift()?.();
      await held.promise;
      for (const page of pages) page();
      return version;
    },
  };
  const liveness = openLiveness(slowly, clock, log);
  t.after(async () => {
    await liveness.close();
    await store.close();
  });
  const loaded = liveness.refresh();
  await until(async () => liveness.reportsVersion(EAST) !== undefined);
  liveness.forgetGone(new Set());
  held.resolve();
  await loaded;
  await liveness.flush();
  const again = await startProcess(t, url, clock);
  assert.equal(lastOf(again, 'namespaces'), T0);
  assert.ok('Kustomization podinfo' in (await again.liveness.reportsOf(EAST)));
});

test('of more clusters than there is room for, those that were silent for longest are forgotten, in the store, too', async () => {
  const clock = clockAt();
  const gone: string[] = [];
  const store: LivenessStore = {
    ...watched(),
    save: async ({ forgotten }) => {
      gone.push(...forgotten);
      return 1;
    },
  };
  const liveness = openLiveness(store, clock, log);
  const nameOf = (n: number): string => `c${n}.example.com`;
  const inputs = '{"inputs":[]}';
  for (let n = 0; n < LIMITS.livenessClustersMax; n++) {
    clock.ms += 1;
    liveness.polled(pollOf({ clusterDns: nameOf(n), inputs: () => inputs }));
  }
  clock.ms += 1;
  liveness.polled(pollOf({ clusterDns: nameOf(0) }));
  assert.ok(liveness.of(nameOf(1)), 'not full yet');
  liveness.polled(pollOf({ clusterDns: EAST }));
  assert.equal(liveness.of(nameOf(1)), undefined);
  for (const kept of [EAST, nameOf(0), nameOf(LIMITS.livenessClustersMax - 1)])
    assert.ok(liveness.of(kept), kept);
  await liveness.flush();
  assert.ok(gone.includes(nameOf(1)) && !gone.includes(nameOf(0)));
  await liveness.close();
});
