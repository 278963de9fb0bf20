import assert from 'node:assert/strict';
import { test } from 'node:test';
import fastCheck from 'fast-check';
import { LIMITS } from '../../../src/core/limits.ts';
import {
  intervalMs,
  mergeRecords,
  type Poll,
  type PollRecord,
  pruned,
  type RouteRecord,
  withPoll,
} from '../../../src/core/liveness/polls.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const DAY = 86_400 * SECOND;
const T0 = Date.parse('2026-05-04T00:00:00Z');

const poll = (lastMs: number, digest = 'sha256:aa'): Poll => ({
  lastMs,
  revision: 7,
  digest,
  credential: { method: 'certificate', name: 'a.example.com', sha256: 'ff' },
  client: 'Go-http-client/1.1',
});

const after = (...seconds: readonly number[]): RouteRecord | undefined =>
  seconds.reduce<RouteRecord | undefined>((record, s) => withPoll(record, poll(T0 + s * SECOND)), undefined);

const intervalOf = (record: RouteRecord | undefined): number | undefined =>
  record?.polls === undefined ? undefined : intervalMs(record.polls);

test('no interval is told from one poll, nor from retries and second requests of one burst', () => {
  assert.equal(intervalOf(after(0)), undefined);
  assert.equal(intervalOf(after(0, 1, 2, 3, 9)), undefined);
  assert.equal(intervalOf(after(0, 1, 600, 603, 1_200)), 600 * SECOND);
});

test('the interval is a median: one outage, or one retry after a minute, changes nothing', () => {
  assert.equal(intervalOf(after(0, 600, 1_200, 90_000, 90_600)), 600 * SECOND);
  assert.equal(intervalOf(after(0, 600, 1_200, 1_260, 1_800, 2_400)), 600 * SECOND);
});

test('the interval follows a provider whose interval was changed', () => {
  assert.equal(intervalOf(after(0, 600, 1_200, 4_800, 8_400, 12_000)), 3_600 * SECOND);
});

test('two polls that lie months apart make nobody slow', () => {
  const interval = intervalOf(after(0, 90 * 86_400));
  assert.equal(interval, LIMITS.pollIntervalMsMax);
  assert.ok(interval < 2 * DAY);
});

test('what is kept of one route is bounded, however long it polls', () => {
  const seconds = Array.from({ length: 1_000 }, (_, index) => index * 600);
  const record = after(...seconds);
  assert.equal(record?.polls?.burstsMs.length, LIMITS.pollBurstsKept);
  assert.equal(record.polls.lastMs, T0 + 999 * 600 * SECOND);
});

test('since when something is served: from its first poll until another digest comes', () => {
  let record = withPoll(undefined, poll(T0));
  record = withPoll(record, poll(T0 + MINUTE));
  assert.equal(record.polls?.sinceMs, T0);
  record = withPoll(record, poll(T0 + 2 * MINUTE, 'sha256:bb'));
  assert.equal(record.polls?.sinceMs, T0 + 2 * MINUTE);
});

const polls = fastCheck.array(
  fastCheck.record({
    route: fastCheck.constantFrom('namespaces', 'rolebindings'),
    atMs: fastCheck.integer({ min: 0, max: 200 }).map((n) => T0 + n * 15 * SECOND),
    worker: fastCheck.constantFrom(0, 1, 2),
  }),
  { maxLength: 40 },
);

test('what several processes saw merges to what one would have seen, in any order, any number of times', () => {
  fastCheck.assert(
    fastCheck.property(polls, fastCheck.infiniteStream(fastCheck.nat()), (seen, dice) => {
      const inTime = seen.toSorted((a, b) => a.atMs - b.atMs);
      const workers: PollRecord[] = [{}, {}, {}];
      let alone: PollRecord = {};
      for (const { route, atMs, worker } of inTime) {
        const mine = workers[worker] ?? {};
        workers[worker] = { ...mine, [route]: withPoll(mine[route], poll(atMs)) };
        alone = { ...alone, [route]: withPoll(alone[route], poll(atMs)) };
      }
      const next = (): PollRecord => workers[(dice.next().value ?? 0) % 3] ?? {};
      let merged: PollRecord = {};
      for (const worker of [...workers, next(), next(), ...workers]) merged = mergeRecords(merged, worker);
      for (const [route, { polls: expected }] of Object.entries(alone)) {
        const found = merged[route]?.polls;
        assert.deepEqual([found?.lastMs, found?.sinceMs], [expected?.lastMs, expected?.sinceMs]);
        // 15 s apart and more, each is a burst of its own: the last of them are the same whoever saw them.
        assert.deepEqual(found?.burstsMs, expected?.burstsMs);
      }
    }),
  );
});

test('a moment that has not come yet keeps nobody current', () => {
  const future = { namespaces: withPoll(withPoll(undefined, poll(T0)), poll(T0 + 400 * DAY)) };
  const { namespaces } = pruned(future, T0 + MINUTE);
  assert.ok((namespaces?.polls?.lastMs ?? 0) <= T0 + MINUTE);
  assert.deepEqual(namespaces?.polls?.burstsMs, [T0]);
  const refused = { atMs: T0 + DAY, status: 495, reason: 'expired', knownBy: 'proven' } as const;
  assert.deepEqual(pruned({ namespaces: { refused } }, T0), {});
});

test('a route whose provider was taken away is forgotten after a week, while others poll', () => {
  const record = {
    namespaces: withPoll(undefined, poll(T0)),
    rolebindings: withPoll(undefined, poll(T0 + 6 * DAY)),
  };
  assert.equal(pruned(record, T0 + 6 * DAY), record, 'nothing to take out of it');
  const later = { ...record, rolebindings: withPoll(record.rolebindings, poll(T0 + 8 * DAY)) };
  assert.deepEqual(Object.keys(pruned(later, T0 + 8 * DAY)), ['rolebindings']);
  // A cluster that is silent altogether is not forgotten: it is missing.
  assert.deepEqual(Object.keys(pruned(record, T0 + 90 * DAY)), ['namespaces', 'rolebindings']);
});
