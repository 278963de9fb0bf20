import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type PollRecord, type RefusedAttempt, withPoll } from '../../../src/core/liveness/polls.ts';
import { clusterStatus, overdueAfterMs, type Situation } from '../../../src/core/liveness/states.ts';

const MINUTE = 60_000;
const T0 = Date.parse('2026-05-04T00:00:00Z');
const ROUTES = ['platform-components', 'namespaces', 'rolebindings'];

const poll = (atMs: number) => ({
  lastMs: atMs,
  revision: 7,
  digest: 'sha256:aa',
  credential: { method: 'certificate', name: 'a.example.com', sha256: 'ff' } as const,
  client: undefined,
});

/** Polled at these minutes. */
function polled(...minutes: readonly number[]): PollRecord[string] {
  return minutes.reduce<PollRecord[string] | undefined>(
    (record, minute) => withPoll(record, poll(T0 + minute * MINUTE)),
    undefined,
  ) as PollRecord[string];
}

const refusedAt = (minute: number, knownBy: RefusedAttempt['knownBy'] = 'proven'): RefusedAttempt => ({
  atMs: T0 + minute * MINUTE,
  status: 495,
  reason: 'expired',
  knownBy,
});

const at = (minute: number, more: Partial<Situation> = {}): Situation => ({
  nowMs: T0 + minute * MINUTE,
  isBehind: () => false,
  rumour: () => undefined,
  ...more,
});

const stateOf = (record: PollRecord, situation: Situation): string =>
  clusterStatus(record, ROUTES, situation).state;

test('never: nothing was polled, and nobody was refused', () => {
  const status = clusterStatus({}, ROUTES, at(0));
  assert.deepEqual(status, { state: 'never', lastPollMs: undefined, refusal: undefined, routes: [] });
});

test('overdue: later than three observed intervals, to the millisecond', () => {
  const record = { namespaces: polled(0, 10, 20, 30) };
  assert.equal(stateOf(record, at(60)), 'current');
  assert.equal(stateOf(record, { ...at(60), nowMs: T0 + 60 * MINUTE + 1 }), 'overdue');
});

test('overdue: never sooner than 20 minutes, for the back-off of a client reaches 15', () => {
  const record = { namespaces: polled(0, 1, 2, 3) };
  assert.equal(stateOf(record, at(23)), 'current');
  assert.equal(stateOf(record, at(23.1)), 'overdue');
  assert.equal(overdueAfterMs(MINUTE), 20 * MINUTE);
});

test("overdue: of whom no interval is known, Flux's default of ten minutes", () => {
  const record = { namespaces: polled(0) };
  assert.equal(stateOf(record, at(30)), 'current');
  assert.equal(stateOf(record, at(30.1)), 'overdue');
});

test('behind: what is answered now was not polled yet; overdue is worse', () => {
  const record = { namespaces: polled(0, 10, 20), rolebindings: polled(20) };
  const behind = { isBehind: (route: string) => route === 'namespaces' };
  const status = clusterStatus(record, ROUTES, at(21, behind));
  assert.equal(status.state, 'behind');
  assert.deepEqual(
    status.routes.map(({ route, state }) => [route, state]),
    [
      ['namespaces', 'behind'],
      ['rolebindings', 'current'],
    ],
  );
  assert.equal(stateOf(record, at(90, behind)), 'overdue');
});

test('refused: the latest attempt on a route was; the next poll that is served ends it', () => {
  const record = {
    namespaces: { ...polled(0, 10), refused: refusedAt(20) },
    rolebindings: polled(0, 10, 20),
  };
  const status = clusterStatus(record, ROUTES, at(21));
  assert.equal(status.state, 'refused');
  assert.deepEqual(status.refusal, { ...refusedAt(20), route: 'namespaces' });
  assert.equal(status.lastPollMs, T0 + 20 * MINUTE);
  const served = { ...record, namespaces: withPoll(record.namespaces, poll(T0 + 21 * MINUTE)) };
  const later = clusterStatus(served, ROUTES, at(22));
  assert.deepEqual([later.state, later.refusal], ['current', undefined]);
});

test('refused: a cluster that was never served', () => {
  const status = clusterStatus({ namespaces: { refused: refusedAt(1) } }, ROUTES, at(2));
  assert.deepEqual([status.state, status.lastPollMs, status.routes.length], ['refused', undefined, 1]);
});

test("a stranger's word makes nobody refused who polls; of whoever is missing it says why", () => {
  const rumour = { rumour: () => refusedAt(25, 'claimed') };
  assert.equal(stateOf({ namespaces: polled(0, 10, 20) }, at(26, rumour)), 'current');
  const missing = clusterStatus({ namespaces: polled(0, 10, 20) }, ROUTES, at(60, rumour));
  assert.equal(missing.state, 'refused');
  assert.equal(missing.refusal?.knownBy, 'claimed');
  assert.equal(stateOf({}, at(26, rumour)), 'refused');
  // What was before the last poll explains nothing.
  assert.equal(stateOf({ namespaces: polled(0, 10, 30) }, at(70, rumour)), 'overdue');
});

test('a rumour about a route that a cluster does not use makes nobody refused who polls the others', () => {
  const rumour = {
    rumour: (route: string) => (route === 'namespaces' ? refusedAt(25, 'requested') : undefined),
  };
  const status = clusterStatus({ rolebindings: polled(0, 10, 20) }, ROUTES, at(26, rumour));
  assert.deepEqual([status.state, status.routes.length], ['current', 1]);
});
