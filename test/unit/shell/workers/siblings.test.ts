import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WORKER_LIMITS } from '../../../../src/core/limits-workers.ts';
import type { SupervisorMessage, WorkerMessage } from '../../../../src/core/workers/messages.ts';
import { shareBuckets } from '../../../../src/shell/edge/shared-buckets.ts';
import { createRecentChains } from '../../../../src/shell/recent-chains.ts';
import { createAnnouncements } from '../../../../src/shell/workers/announcements.ts';
import { createMetricsRound } from '../../../../src/shell/workers/metrics-round.ts';
import { ALONE, connectSiblings, createOutbox } from '../../../../src/shell/workers/siblings.ts';

/** A worker's end of the channel, with a test for a supervisor. */
function connected(count = 2) {
  const sent: WorkerMessage[] = [];
  let hear: (message: SupervisorMessage) => void = () => undefined;
  const siblings = connectSiblings({
    worker: 1,
    count,
    send: (message) => void sent.push(message),
    onMessage(listener) {
      hear = listener;
    },
  });
  assert.deepEqual(sent.splice(0), [{ kind: 'hears' }]);
  return { siblings, sent, hear: (message: SupervisorMessage) => hear(message) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('the siblings of a worker', () => {
  it('are told what is gathered, and nothing where there is nothing', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { siblings, sent } = connected();
    const outbox = createOutbox<number>();
    siblings.gather('pins', outbox.take);
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    assert.deepEqual(sent, []);
    outbox.put('a', 1);
    outbox.put('a', 2);
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    assert.deepEqual(sent, [{ kind: 'share', parts: [['pins', [['a', 2]]]] }]);
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    assert.equal(sent.length, 1);
  });

  it('are told all topics by one message, unless it would hold too much', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { siblings, sent } = connected();
    const [pins, sightings, connections] = [createOutbox(), createOutbox(), createOutbox()];
    siblings.gather('pins', pins.take);
    siblings.gather('sightings', sightings.take);
    siblings.gather('connections', connections.take);
    const counts = (): number[][] => {
      t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
      return sent
        .splice(0)
        .map((message) => (message.kind === 'share' ? message.parts.map(([, items]) => items.length) : []));
    };
    pins.put('a', 1);
    connections.put('a', 1);
    assert.deepEqual(counts(), [[1, 1]]);
    for (let n = 0; n < WORKER_LIMITS.sharedItemsMax; n++) sightings.put(String(n), n);
    pins.put('a', 1);
    connections.put('a', 1);
    assert.deepEqual(counts(), [[1], [WORKER_LIMITS.sharedItemsMax], [1]]);
    assert.deepEqual(counts(), []);
  });

  it('are told that a worker is alive by whatever it tells, and of that alone where it tells nothing', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let nowMs = 0;
    t.mock.method(performance, 'now', () => nowMs);
    const { siblings, sent } = connected();
    const outbox = createOutbox();
    siblings.gather('pins', outbox.take);
    const told = (whileMs: number, something: boolean): string[] => {
      for (const untilMs = nowMs + whileMs; nowMs < untilMs; ) {
        nowMs += WORKER_LIMITS.shareIntervalMs;
        if (something) outbox.put('a', 1);
        t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
      }
      return [...new Set(sent.splice(0).map(({ kind }) => kind))];
    };
    assert.deepEqual(told(3 * WORKER_LIMITS.aliveMs, true), ['share']);
    assert.deepEqual(told(WORKER_LIMITS.aliveMs - WORKER_LIMITS.shareIntervalMs, false), []);
    assert.deepEqual(told(WORKER_LIMITS.shareIntervalMs, false), ['alive']);
  });

  it('write one at a time: the work waits for its turn, which is over even where it fails', async () => {
    const { siblings, sent, hear } = connected();
    let worked = false;
    const working = siblings.turn(async () => {
      worked = true;
      throw new Error('it fails');
    });
    await turn();
    assert.deepEqual([worked, sent], [false, [{ kind: 'turn_wanted', id: 1 }]]);
    hear({ kind: 'turn', id: 1 });
    await assert.rejects(working, /it fails/);
    assert.deepEqual(sent.at(-1), { kind: 'turn_over', id: 1 });
  });

  it('say that they took an announcement in once they did, even where that fails', async () => {
    const { siblings, sent, hear } = connected();
    const taken = Promise.withResolvers<void>();
    siblings.onShared('token_ending', () => taken.promise);
    hear({ kind: 'shared', from: 2, parts: [['token_ending', ['x']]], ack: 5 });
    await turn();
    assert.deepEqual(sent, []);
    taken.reject(new Error('the store cannot be read'));
    await turn();
    assert.deepEqual(sent, [{ kind: 'taken', from: 2, ack: 5 }]);
  });

  it('are heard of late, by whoever listens only now: the newest of it, and nothing of one that is gone', async () => {
    const { siblings, sent, hear } = connected();
    const share = (from: number, items: readonly unknown[], ack?: number): void =>
      hear({ kind: 'shared', from, parts: [['pins', items]], ...(ack === undefined ? {} : { ack }) });
    for (let n = 0; n <= WORKER_LIMITS.unheardMax; n++) share(2, [n]);
    share(3, ['of one that is gone']);
    share(2, ['last'], 9);
    hear({ kind: 'gone', worker: 3 });
    await turn();
    assert.deepEqual(sent, [{ kind: 'taken', from: 2, ack: 9 }], 'nobody waits for who does not serve yet');
    const taken: unknown[] = [];
    siblings.onShared('pins', (items, from) => void taken.push(...items.map((item) => [from, item])));
    assert.deepEqual(taken, [], 'not while whoever listens is being made');
    share(2, ['later']);
    assert.deepEqual(taken.splice(0), [[2, 'later']]);
    await turn();
    assert.deepEqual(taken.at(0), [2, 3]);
    assert.deepEqual(taken.at(-1), [2, 'last']);
    assert.equal(taken.length, WORKER_LIMITS.unheardMax - 1);
    hear({ kind: 'shared', from: 2, parts: [['ratchet', ['a.example.com']]] });
    siblings.onShared('ratchet', () => {
      throw new Error('a fault of whoever listens ends nothing');
    });
    hear({ kind: 'shared', from: 2, parts: [['ratchet', ['a.example.com']]], ack: 10 });
    const again: unknown[] = [];
    siblings.onShared('pins', (items) => void again.push(items));
    await turn();
    assert.deepEqual(again, [], 'it was taken');
    assert.deepEqual(sent.at(-1), { kind: 'taken', from: 2, ack: 10 });
  });

  it('are none where a process is alone: nothing waits', async () => {
    await ALONE.announce('pin_reset', 'x');
    assert.equal(await ALONE.turn(async () => 7), 7);
    assert.equal(await ALONE.metricsOfOthers(async () => []), undefined);
  });
});

describe('what waits to be told', () => {
  it('is bounded, and handed out in parts', () => {
    const outbox = createOutbox<number>(WORKER_LIMITS.sharedItemsMax + 1);
    for (let n = 0; n < WORKER_LIMITS.sharedItemsMax + 3; n++) outbox.put(String(n), n);
    const part = outbox.take();
    assert.equal(part.length, WORKER_LIMITS.sharedItemsMax);
    assert.deepEqual(part[0], ['2', 2], 'the oldest two are left out');
    assert.equal(outbox.take().length, 1);
    assert.deepEqual(outbox.take(), []);
  });
});

describe('chains of refused requests', () => {
  it('are told, and those that are longer than a cluster’s are not', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { siblings, sent } = connected();
    const chains = createRecentChains(siblings);
    const openssl = { authorized: false, error: 'x' };
    const note = (octets: number): void =>
      chains.note({ chain: [new Uint8Array(octets)], openssl }, false, true, '192.0.2.1', 0);
    note(WORKER_LIMITS.sharedChainOctetsMax + 1);
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    assert.deepEqual(sent, []);
    note(WORKER_LIMITS.sharedChainOctetsMax);
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    assert.equal(sent.length, 1);
  });
});

describe('buckets that workers share', () => {
  const clock = { now: () => 0, elapsed: () => 0 };
  const rate = { burst: 8, perSecond: 1 };

  it('tell nothing of what is far below the limit, and everything beyond', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const { siblings, sent } = connected();
    const buckets = shareBuckets(siblings, clock)('failed_tokens', rate);
    for (let n = 0; n < 2; n++) assert.equal(buckets.take('192.0.2.1', 0), 0);
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    assert.deepEqual(sent, []);
    for (let n = 0; n < 3; n++) assert.equal(buckets.take('192.0.2.1', 0), 0);
    t.mock.timers.tick(WORKER_LIMITS.shareIntervalMs);
    assert.deepEqual(sent, [{ kind: 'share', parts: [['buckets', [['failed_tokens 192.0.2.1', 3]]]] }]);
  });

  it('hold what others took against the same key of the same limit, and no other', () => {
    const { siblings, hear } = connected();
    const make = shareBuckets(siblings, clock);
    const [failed, anonymous] = [make('failed_tokens', rate), make('anonymous', rate)];
    hear({ kind: 'shared', from: 2, parts: [['buckets', [['failed_tokens 2001:db8::/64', 8]]]] });
    assert.ok(failed.take('2001:db8::/64', 0) > 0);
    assert.equal(failed.take('192.0.2.1', 0), 0);
    assert.equal(anonymous.take('2001:db8::/64', 0), 0);
  });
});

describe('an announcement', () => {
  it('is done when all have taken it in, whatever the order, and only once', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const done: string[] = [];
    const announcements = createAnnouncements((from, ack) => void done.push(`${from}.${ack}`));
    announcements.begin(1, 4, [2, 3]);
    announcements.taken(1, 4, 3);
    announcements.taken(1, 4, 3);
    assert.deepEqual(done, []);
    announcements.taken(1, 4, 2);
    announcements.taken(1, 4, 2);
    t.mock.timers.tick(WORKER_LIMITS.announceTimeoutMs);
    assert.deepEqual(done, ['1.4']);
  });

  it('waits neither for ever, nor for nobody, nor for one that is gone', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const done: string[] = [];
    const announcements = createAnnouncements((from, ack) => void done.push(`${from}.${ack}`));
    announcements.begin(1, 1, []);
    announcements.begin(1, 2, [2]);
    announcements.gone(2);
    assert.deepEqual(done, ['1.1', '1.2']);
    announcements.begin(1, 3, [2]);
    announcements.begin(3, 4, [2]);
    announcements.gone(3);
    t.mock.timers.tick(WORKER_LIMITS.announceTimeoutMs);
    assert.deepEqual(done, ['1.1', '1.2', '1.3']);
  });
});

describe('what all workers count', () => {
  const counter = (value: number) => [
    { name: 'x', help: 'x', type: 'counter', aggregator: 'sum', values: [{ value, labels: {} }] },
    { name: 'g', help: 'g', type: 'gauge', aggregator: 'sum', values: [{ value, labels: {} }] },
  ];

  it('is told to who asked: of the others, of those that did not answer in time, and the counts of those that are gone', async (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const sent: [number, SupervisorMessage][] = [];
    const round = createMetricsRound({
      send: (worker, message) => void sent.push([worker, message]),
      workers: () => ({ serving: 2, replaced: 1 }),
    });
    round.begin(1, 9, counter(1), [2, 3]);
    assert.deepEqual(sent.splice(0), [
      [2, { kind: 'metrics_asked', id: 1 }],
      [3, { kind: 'metrics_asked', id: 1 }],
    ]);
    round.told(2, 1, counter(10));
    round.told(3, 1, counter(100));
    const [[asker, first] = []] = sent.splice(0);
    assert.equal(asker, 1);
    assert.deepEqual(first, {
      kind: 'metrics_of_all',
      id: 9,
      others: [counter(10), counter(100), []],
      workers: { serving: 2, replaced: 1 },
    });
    round.gone(3);
    await turn();
    round.begin(2, 10, counter(11), [1]);
    t.mock.timers.tick(WORKER_LIMITS.metricsTimeoutMs);
    const last = sent.at(-1)?.[1];
    assert.ok(last?.kind === 'metrics_of_all');
    const [late, gone] = last.others as readonly { name: string; values: { value: number }[] }[][];
    assert.equal(late?.[0]?.values[0]?.value, 1, 'what it told when it asked itself');
    assert.deepEqual(
      gone?.map(({ name, values }) => [name, values[0]?.value]),
      [['x', 100]],
      'a counter goes on, a gauge does not',
    );
  });

  it('goes on where a worker told nonsense', async () => {
    const sent: SupervisorMessage[] = [];
    const round = createMetricsRound({
      send: (_worker, message) => void sent.push(message),
      workers: () => ({ serving: 1, replaced: 0 }),
    });
    round.told(2, 0, [{ type: 'counter', name: 'x', aggregator: 'none', values: 7 }]);
    round.gone(2);
    await turn();
    round.begin(1, 1, [], []);
    assert.deepEqual(sent.at(-1), {
      kind: 'metrics_of_all',
      id: 1,
      others: [[]],
      workers: { serving: 1, replaced: 0 },
    });
  });
});
