/** Bounds of writes, each with its reason. */
export const WRITE_LIMITS = Object.freeze({
  /**
   * A plan of more clusters is not kept for the write that follows it: half a KiB each is what it holds in memory, and whoever changes more
   * can wait for it to be made twice.
   */
  planRememberedClustersMax: 20_000,
  /** Whoever looks at a plan for longer waits as long for the write as for the plan. */
  planRememberedMs: 60_000,
});
