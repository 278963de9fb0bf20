import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  backOffS,
  nextTry,
  random,
  recover,
  type Scenario,
  serve,
  triesFor,
} from '../../../bench/simulation.ts';

/** One poll is a second of work, so a cluster's three are three. */
const SLOW: Scenario = {
  clusters: 2,
  intervalS: 100_000,
  outageS: 0,
  cpuMsPerPoll: 1_000,
  cores: 1,
  seed: 1,
};
const FLEET: Scenario = {
  ...SLOW,
  clusters: 2_000,
  intervalS: 600,
  outageS: 3_600,
  cpuMsPerPoll: 0.001,
};

const allAt = (scenario: Scenario, timeS: number) =>
  serve(scenario, new Float64Array(scenario.clusters).fill(timeS), new Uint8Array(scenario.clusters));

describe('a controller that is refused', () => {
  it('waits 750 ms, twice as long after each further failure, and 15 min at most', () => {
    assert.deepEqual([1, 2, 3, 11, 12, 200].map(backOffS), [0.75, 1.5, 3, 768, 900, 900]);
  });

  it('tries five times within 15 s, and begins anew after its back-off', () => {
    const { atS, failures } = triesFor(40);
    assert.deepEqual(
      atS,
      [0, 1, 3, 7, 15, 15.75, 16.75, 18.75, 22.75, 30.75, 32.25, 33.25, 35.25, 39.25, 47.25],
    );
    assert.deepEqual(failures, [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 2]);
  });

  it('is back with its first try after the end', () => {
    const tries = triesFor(100);
    assert.deepEqual(nextTry(20, 10, tries), { atS: 20, failures: 0 });
    assert.deepEqual(nextTry(0, 10, tries), { atS: 15, failures: 0 });
    assert.deepEqual(nextTry(0, 15, tries), { atS: 15, failures: 0 });
    assert.deepEqual(nextTry(0, 15.5, tries), { atS: 15.75, failures: 1 });
    assert.deepEqual(nextTry(100, 131, tries), { atS: 132.25, failures: 2 });
  });
});

describe('a gateway that is back', () => {
  it('serves one cluster after the other', () => {
    const { halfS, allS, longestWaitS, peakPerSecond, givenUp, recovered } = allAt(SLOW, 0);
    assert.deepEqual([halfS, allS, longestWaitS, peakPerSecond, givenUp, recovered], [3, 6, 6, 6, 0, true]);
  });

  it('is as much faster as it has cores', () => {
    const { halfS, allS } = allAt({ ...SLOW, cores: 2 }, 0);
    assert.deepEqual([halfS, allS], [1.5, 3]);
  });

  it('counts from the end of the outage', () => {
    const { halfS, allS } = allAt({ ...SLOW, outageS: 50 }, 60);
    assert.deepEqual([halfS, allS], [13, 16]);
  });

  it('has the work of polls that were given up, and they come again', () => {
    // The 41st waits 123 s. Ten give up at 120 s and come again at 120.75 s, when there is work until 150 s.
    const { halfS, allS, longestWaitS, givenUp } = allAt({ ...SLOW, clusters: 50 }, 0);
    assert.deepEqual([halfS, allS, longestWaitS, givenUp], [75, 180, 150, 30]);
  });

  it('never serves a poll that takes longer than its client waits', () => {
    const { recovered, allS } = allAt({ ...SLOW, clusters: 1, cpuMsPerPoll: 50_000 }, 0);
    assert.deepEqual([recovered, allS], [false, Number.NaN]);
  });

  it('serves polls of clusters that were served before, too', () => {
    // One polls at 0, is answered at 3, and polls again at 8; the other comes at 9, when there is work until 11.
    const due = Float64Array.of(0, 9);
    const { allS } = serve({ ...SLOW, intervalS: 5 }, due, new Uint8Array(2));
    assert.equal(allS, 14);
  });
});

describe('a fleet', () => {
  it('is back within the longest back-off and one round of tries', () => {
    const { allS, recovered, halfS } = recover(FLEET);
    assert.ok(recovered);
    assert.ok(allS > 600 && allS <= 915, String(allS));
    assert.ok(halfS < allS);
  });

  it('that polls seldom waits for its own next poll after a short outage', () => {
    const { allS } = recover({ ...FLEET, outageS: 10 });
    assert.ok(allS > 580 && allS <= 600, String(allS));
  });

  it('is the same for the same seed, and another for another', () => {
    assert.deepEqual(recover(FLEET), recover(FLEET));
    assert.notDeepEqual(recover(FLEET), recover({ ...FLEET, seed: 2 }));
  });

  it('is spread evenly by its seed', () => {
    const chance = random(7);
    const tenths = new Array<number>(10).fill(0);
    for (let n = 0; n < 10_000; n++) {
      const tenth = Math.floor(chance() * 10);
      tenths[tenth] = (tenths[tenth] ?? 0) + 1;
    }
    for (const count of tenths) assert.ok(count > 900 && count < 1_100, tenths.join());
  });
});
