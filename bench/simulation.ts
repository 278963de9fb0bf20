/**
 * How a fleet comes back after an outage: pure, its chance seeded. The client is Flux Operator's controller as its source has it
 * (v0.58: the ResourceSetInputProvider controller, go-retryablehttp below it):
 *
 * - a poll that cannot connect is tried five times, 1, 2, 4 and 8 s apart, and has then failed;
 * - after a failure the controller waits 750 ms, twice as long after each further one, 15 min at most, without jitter;
 * - a poll that is not answered within 2 min has failed;
 * - the next poll follows an interval after an answer, without jitter; a cluster's three providers poll in lock-step.
 *
 * The gateway is one queue, first come first served, that all its cores work on; while it is away, connections are refused at once.
 */

export const CLIENT = Object.freeze({
  /** Seconds after a poll's begin at which it is tried. */
  triesS: Object.freeze([0, 1, 3, 7, 15]),
  backOffFirstS: 0.75,
  backOffMaxS: 900,
  timeoutS: 120,
  providers: 3,
});

export interface Scenario {
  readonly clusters: number;
  /** Between a cluster's polls. */
  readonly intervalS: number;
  /** How long every connection is refused. */
  readonly outageS: number;
  readonly cpuMsPerPoll: number;
  readonly cores: number;
  readonly seed: number;
}

export interface Recovery {
  /** Seconds from the gateway's return until a cluster has all its answers: of half of them, of 99 in 100, of all. */
  readonly halfS: number;
  readonly mostS: number;
  readonly allS: number;
  /** The most polls that arrived within one second. */
  readonly peakPerSecond: number;
  /** The longest that a poll waited for its answer; those above the client's timeout were given up. */
  readonly longestWaitS: number;
  readonly givenUp: number;
  /** False: it had not recovered when the simulation ended, and the figures are of those who had. */
  readonly recovered: boolean;
}

/** How long a controller waits after its failure number `failures` in a row, from 1 on. */
export function backOffS(failures: number): number {
  return Math.min(CLIENT.backOffMaxS, CLIENT.backOffFirstS * 2 ** (failures - 1));
}

/** Of a controller whose polls all fail: seconds from the first poll's begin on, and the failures before each, up to `lengthS`. */
export interface Tries {
  readonly atS: readonly number[];
  readonly failures: readonly number[];
}

export function triesFor(lengthS: number): Tries {
  const atS: number[] = [];
  const failures: number[] = [];
  for (let begunS = 0, failed = 0; (atS.at(-1) ?? -1) < lengthS; ) {
    for (const tryS of CLIENT.triesS) {
      atS.push(begunS + tryS);
      failures.push(failed);
    }
    failed++;
    begunS = (atS.at(-1) ?? 0) + backOffS(failed);
  }
  return { atS, failures };
}

/** The first try at or after `fromS` of a controller whose poll began at `dueS` and failed until then; `tries` reach that far. */
export function nextTry(
  dueS: number,
  fromS: number,
  tries: Tries,
): { readonly atS: number; readonly failures: number } {
  let low = 0;
  let high = tries.atS.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (dueS + (tries.atS[middle] ?? 0) >= fromS) high = middle;
    else low = middle + 1;
  }
  return { atS: dueS + (tries.atS[low] ?? 0), failures: tries.failures[low] ?? 0 };
}

/** Five hours of nothing but failures: what has not recovered by then does not. */
const HORIZON_S = 18_000;

export function recover(scenario: Scenario): Recovery {
  const { clusters, intervalS, outageS } = scenario;
  const chance = random(scenario.seed);
  const dueS = new Float64Array(clusters);
  const failures = new Uint8Array(clusters);
  const tries = triesFor(outageS);
  for (let cluster = 0; cluster < clusters; cluster++) {
    // The outage begins at 0; each cluster's next poll falls anywhere within an interval of it.
    const first = nextTry(chance() * intervalS, outageS, tries);
    dueS[cluster] = first.atS;
    failures[cluster] = first.failures;
  }
  return serve(scenario, dueS, failures);
}

/** `dueS`: when each cluster polls next, none before the outage's end; `failures`: of each so far, in a row. Both are written to. */
export function serve(scenario: Scenario, dueS: Float64Array, failures: Uint8Array): Recovery {
  const { clusters, intervalS, outageS, cpuMsPerPoll, cores } = scenario;
  const workS = (CLIENT.providers * cpuMsPerPoll) / 1_000 / cores;
  const servedS: number[] = [];
  const wasServed = new Uint8Array(clusters);
  const arrivals = arrivalsOf(dueS);
  let freeS = 0;
  let longestWaitS = 0;
  let givenUp = 0;
  let peakPerSecond = 0;
  let second = -1;
  let inSecond = 0;
  while (servedS.length < clusters) {
    const cluster = arrivals.next();
    const nowS = dueS[cluster] ?? 0;
    if (nowS > outageS + HORIZON_S) break;
    if (Math.floor(nowS) !== second) {
      second = Math.floor(nowS);
      inSecond = 0;
    }
    inSecond += CLIENT.providers;
    peakPerSecond = Math.max(peakPerSecond, inSecond);
    freeS = Math.max(freeS, nowS) + workS;
    const waitS = freeS - nowS;
    longestWaitS = Math.max(longestWaitS, waitS);
    if (waitS > CLIENT.timeoutS) {
      // Given up, though the gateway has the work of it.
      givenUp += CLIENT.providers;
      const count = Math.min(255, (failures[cluster] ?? 0) + 1);
      failures[cluster] = count;
      arrivals.again(cluster, nowS + CLIENT.timeoutS + backOffS(count));
      continue;
    }
    if (wasServed[cluster] === 0) {
      wasServed[cluster] = 1;
      servedS.push(freeS - outageS);
    }
    failures[cluster] = 0;
    arrivals.afterAnswer(cluster, freeS + intervalS);
  }
  // Answers come in the order of time.
  const share = (of: number): number =>
    servedS[Math.max(0, Math.ceil(servedS.length * of) - 1)] ?? Number.NaN;
  return {
    halfS: share(0.5),
    mostS: share(0.99),
    allS: share(1),
    peakPerSecond,
    longestWaitS,
    givenUp,
    recovered: servedS.length === clusters,
  };
}

interface Arrivals {
  /** The cluster that polls next. */
  next(): number;
  /** It polls again then; times given here never go back. */
  afterAnswer(cluster: number, atS: number): void;
  again(cluster: number, atS: number): void;
}

/** Three queues, each in the order of time: first polls, those that follow answers, and the few that follow being given up. */
function arrivalsOf(dueS: Float64Array): Arrivals {
  const first = Uint32Array.from(dueS.keys()).sort((a, b) => (dueS[a] ?? 0) - (dueS[b] ?? 0));
  const answered = new Uint32Array(dueS.length);
  const retried: number[] = [];
  let firstAt = 0;
  let head = 0;
  let tail = 0;
  const due = (cluster: number | undefined): number =>
    cluster === undefined ? Number.POSITIVE_INFINITY : (dueS[cluster] ?? 0);
  return {
    next() {
      const ofFirst = due(first[firstAt]);
      const ofAnswered = head === tail ? Number.POSITIVE_INFINITY : due(answered[head % answered.length]);
      const ofRetried = due(retried[0]);
      if (ofRetried <= ofFirst && ofRetried <= ofAnswered) return retried.shift() as number;
      if (ofFirst <= ofAnswered) return first[firstAt++] as number;
      return answered[head++ % answered.length] as number;
    },
    afterAnswer(cluster, atS) {
      dueS[cluster] = atS;
      answered[tail++ % answered.length] = cluster;
    },
    again(cluster, atS) {
      dueS[cluster] = atS;
      let at = retried.length;
      while (at > 0 && due(retried[at - 1]) > atS) at--;
      retried.splice(at, 0, cluster);
    },
  };
}

/** Mulberry32: uniform in [0, 1), the same for the same seed. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
