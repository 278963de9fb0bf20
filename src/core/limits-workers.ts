/** The bounds of worker processes and of what they tell each other. */
export const WORKER_LIMITS = Object.freeze({
  /** More cores than machines have that serve one fleet. */
  workersMax: 256,
  /** What workers gather for each other: a limit that two of them share is exact to within this. */
  shareIntervalMs: 100,
  /** Items of one topic in one message, so that none holds a worker for long; the rest goes with the next. */
  sharedItemsMax: 500,
  /** Messages of one topic that are kept until somebody listens: what is older than some seconds is in the store. */
  unheardMax: 32,
  /** What waits to be told of one topic; beyond it the oldest is left out. */
  sharedWaitingMax: 20_000,
  /** The same of refusals, which a stranger can cause: some 2 KiB each. */
  sharedRefusalsWaitingMax: 2_000,
  /** A chain that is longer is no cluster's, and is remembered by the worker that refused it only. */
  sharedChainOctetsMax: 8_192,
  /** The same of chains that were refused: some 4 KiB each. */
  sharedChainsWaitingMax: 500,
  /** Writes at once that tell how far they have come, 200 octets each: they take turns, so more than a few is a loop gone wild. */
  progressesMax: 256,
  /** A revocation is answered once every worker refuses by it. One that does not say so by then hangs, and finds it in the store. */
  announceTimeoutMs: 1_000,
  /** A worker that was still for so long asks the store what it missed, before it answers anybody; half of what an announcement waits. */
  behindMs: 500,
  /** How often a worker says that it is alive; one that is silent for `hungMs` is ended, for whatever it holds others wait for. */
  aliveMs: 1_000,
  hungMs: 15_000,
  /** A scrape waits so long for each worker. */
  metricsTimeoutMs: 1_000,
  /** From its start until a worker serves: a large store is read, and the machine may be busy. */
  startTimeoutMs: 120_000,
  /** Beyond the drain's own bound, before a worker that does not end is ended. */
  stopGraceMs: 1_500,
  /** A worker that ends by itself is replaced at once; the next time after twice as long, up to the longest. */
  replaceDelayMsMin: 100,
  replaceDelayMsMax: 30_000,
  /** Who served for so long did not die of how it started. */
  steadyMs: 60_000,
});
