/** The bounds of who polls, and of what clusters report: a part of LIMITS. */
export const LIVENESS_LIMITS = Object.freeze({
  // — who polls —
  /** What comes this soon after a poll is a retry, or the same connection again: no interval is told from it. */
  pollBurstMs: 10_000,
  /** Five gaps: their median forgives two outages. */
  pollBurstsKept: 6,
  /** Flux's own default, of whom no interval is known yet. */
  pollIntervalMsDefault: 600_000,
  /** Providers that poll once a day, and are a little late. */
  pollIntervalMsMax: 90_000_000,
  /** A client that failed backs off to 15 minutes. */
  overdueMsMin: 1_200_000,
  /** A route that is silent for so long while others of its cluster are polled has lost its provider. */
  pollRouteForgottenMs: 7 * 86_400_000,
  /** Clusters of one page of GET /fleet without `limit`. */
  fleetPageClusters: 100,
  /** Clusters of which polls are kept, some 150 octets for each of three routes. */
  livenessClustersMax: 131_072,
  /** A process that is killed loses what came since. 10,000 clusters make 17 rows a second of it. */
  livenessFlushMs: 5_000,
  clientCharactersMax: 128,

  // — what clusters report —
  /** Flux's longest message has 39,000 characters, of up to four octets. */
  eventBytesMax: 262_144,
  /** Of one message, reason, revision. */
  reportMessageCharactersMax: 500,
  reportTextCharactersMax: 256,
  /** Objects of one cluster whose last word is kept: a hundred components by three kinds of object, and some. */
  reportsPerClusterMax: 400,
  /** Reports that wait to be written, of all clusters: each some 800 octets; beyond it new ones are not taken (503). */
  reportsPendingMax: 20_000,
  /** A clock may be late by this; a report that says it is older is taken for as old as this. */
  reportAgeMsMax: 3_600_000,
});
