/** What a script can tell apart; docs/cli.md lists them. 69 and 78 as in sysexits.h. */
export const EXIT = Object.freeze({
  ok: 0,
  /** The command ran, and its answer is no. */
  failed: 1,
  usage: 2,
  /** The gateway knows too little of who asks, or they may not: 401, 403, 495. */
  refused: 3,
  notFound: 4,
  /** Somebody else was there first: 409, 412, 428. */
  conflict: 5,
  /** A plan waits for --plan-hash; nothing was written. */
  needsConfirmation: 6,
  /** A plan waits for a second person; nothing was written. */
  needsApproval: 7,
  /** The gateway does not take what was sent: 400, 405, 413, 415. */
  invalid: 8,
  /** No connection, no TLS, no answer, or one that says to come back later. */
  unavailable: 69,
  refusedToStart: 78,
});
