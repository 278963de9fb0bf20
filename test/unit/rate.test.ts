import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { LIMITS } from '../../src/core/limits.ts';
import { createBuckets, failureDelayMs, loadLevel, sheds } from '../../src/core/rate.ts';

describe('a bucket', () => {
  it('gives its burst at once, and then as much as time brings', () => {
    const buckets = createBuckets({ burst: 3, perSecond: 2 });
    for (let taken = 0; taken < 3; taken++) assert.equal(buckets.take('a', 0), 0);
    assert.equal(buckets.take('a', 0), 500);
    assert.equal(buckets.take('a', 499), 1);
    assert.equal(buckets.take('a', 500), 0);
    assert.equal(buckets.take('a', 500), 500);
    assert.equal(buckets.take('b', 0), 0, 'each key has its own');
    assert.equal(buckets.used('a', 500), 3);
    assert.equal(buckets.used('a', 1_000), 2);
    assert.equal(buckets.used('a', 60_000), 0);
    assert.equal(buckets.used('nobody', 0), 0);
  });

  it('never gives more than burst and time allow, nor less to who asks slowly', () => {
    const rates = fc.record({
      burst: fc.integer({ min: 1, max: 50 }),
      perSecond: fc.integer({ min: 1, max: 100 }),
    });
    fc.assert(
      fc.property(rates, fc.array(fc.nat(2_000), { maxLength: 200 }), (rate, pauses) => {
        const buckets = createBuckets(rate);
        let now = 0;
        let given = 0;
        for (const pause of pauses) {
          now += pause;
          const waitMs = buckets.take('a', now);
          if (waitMs === 0) given++;
          else
            assert.ok(
              waitMs <= 1_000 / rate.perSecond + 1e-6,
              'the next one is never further than one interval',
            );
          if (pause >= 1_000 / rate.perSecond + 1) assert.equal(waitMs, 0);
        }
        assert.ok(given <= rate.burst + (now / 1_000) * rate.perSecond + 1e-6);
      }),
    );
  });

  it('takes no room once it is full again', () => {
    const buckets = createBuckets({ burst: 20, perSecond: 200 });
    // A hundred thousand clusters within some minutes, and one that asks too much.
    for (let n = 0; n < 100_000; n++) {
      buckets.take('too much', n);
      assert.equal(buckets.take(`cluster ${n}`, n), 0);
      assert.ok(buckets.kept() <= 130, `${buckets.kept()}`);
    }
    const many = createBuckets({ burst: 1, perSecond: 0.001 });
    for (let n = 0; n < 10_000; n++) many.take(`cluster ${n}`, n);
    assert.equal(many.kept(), 10_000, 'none is full again');
    for (let n = 0; n < 10_000; n++) assert.ok(many.take(`cluster ${n}`, 10_000) > 0);
  });

  it('of many that are not full loses none to those that are', () => {
    const buckets = createBuckets({ burst: 2, perSecond: 1 });
    for (let n = 0; n < 5_000; n++) {
      for (let taken = 0; taken < 2; taken++) assert.equal(buckets.take(`empty ${n}`, n), 0);
      buckets.take(`soon full ${n}`, n);
    }
    // Those of the last second have nothing yet; of those of the one before it one is there again.
    for (let n = 4_001; n < 5_000; n++) assert.ok(buckets.take(`empty ${n}`, 5_000) > 0, `${n}`);
  });

  it('that is not full gives way to none that is, however many were not full before', () => {
    const buckets = createBuckets({ burst: 100, perSecond: 1 }, 1_000);
    for (let taken = 0; taken < 100; taken++) assert.equal(buckets.take('empty', 0), 0);
    for (let n = 0; n < 999; n++) buckets.take(`one taken ${n}`, 1);
    // All of those are full by now, and as many as there is room for come anew.
    for (let n = 0; n < 900; n++) buckets.take(`later ${n}`, 2_000);
    assert.equal(Math.round(buckets.used('empty', 2_000)), 98);
    assert.ok(buckets.kept() <= 910, `${buckets.kept()}`);
  });

  it('keeps no more keys than it may', () => {
    const buckets = createBuckets({ burst: 1, perSecond: 0.001 }, 2);
    for (const key of ['a', 'b', 'c']) assert.equal(buckets.take(key, 0), 0);
    assert.ok(buckets.take('c', 0) > 0);
    assert.equal(buckets.take('a', 0), 0, 'it was forgotten');
  });
});

describe('the delay of refusals', () => {
  it('is nothing for a fleet’s honest mistakes, then grows to its bound', () => {
    assert.equal(failureDelayMs(LIMITS.failedTokensFree), 0);
    const delays = Array.from({ length: 100 }, (_, index) =>
      failureDelayMs(LIMITS.failedTokensFree + 1 + index),
    );
    assert.deepEqual(
      delays,
      delays.toSorted((a, b) => a - b),
    );
    assert.ok((delays[0] ?? 0) >= LIMITS.failureDelayMsMin);
    assert.equal(delays.at(-1), LIMITS.failureDelayMsMax);
  });
});

describe('load', () => {
  const late = (delayMs: number): number[] => Array.from({ length: LIMITS.loadSamples }, () => delayMs);

  it('is what stays, not a pause', () => {
    assert.equal(loadLevel([5_000]), 'none');
    assert.equal(loadLevel([...late(5_000).slice(1), 0]), 'none');
    assert.equal(loadLevel(late(LIMITS.shedAnonymousDelayMs - 1)), 'none');
    assert.equal(loadLevel(late(LIMITS.shedAnonymousDelayMs)), 'anonymous');
    assert.equal(loadLevel(late(LIMITS.shedTokensDelayMs)), 'tokens');
  });

  it('turns away the anonymous before tokens', () => {
    assert.equal(sheds('none', 'anonymous'), false);
    assert.equal(sheds('anonymous', 'anonymous'), true);
    assert.equal(sheds('anonymous', 'tokens'), false);
    assert.equal(sheds('tokens', 'anonymous'), true);
    assert.equal(sheds('tokens', 'tokens'), true);
  });
});
