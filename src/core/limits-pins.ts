/** The bounds of what is known of clusters' keys: a part of LIMITS. */
export const PIN_LIMITS = Object.freeze({
  /**
   * First keys, promotions, conflicts: soon, and all of a burst in few commits. A process that is killed before has not seen
   * them: the key that was replaced is the current one again, until the next request with the new key replaces it once more.
   */
  pinsFlushMs: 250,
  /** Clusters whose keys are known. */
  pinsMax: 131_072,
  /** Renewals every 60 days: more than a year of keys, longer than any of their certificates lives. */
  retiredKeysMax: 8,
  /** A renewed Secret is read at the next poll, after outages up to 15 min late; a day leaves room for other clients of it. */
  pinGraceMs: 86_400_000,
  /** A conflict is told again this often, not with each poll. */
  pinWarningMs: 3_600_000,
});
