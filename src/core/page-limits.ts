/** The bounds of the status page; all others are in limits.ts. */
export const PAGE_LIMITS = Object.freeze({
  /** From signing in to having to again; a token that ends or is revoked before ends it before. */
  sessionMs: 3_600_000,
  /** Signed out within that hour, over all tokens: beyond it signing out is refused, for a copy of the cookie would still work. */
  endedSessionsMax: 10_000,
  /** Of one token; the next one signs out all that was signed in with it so far. A shared token's people do so a few times an hour. */
  endedSessionsPerTokenMax: 100,
  /** A form holds a token, a page's address and a token of its own. */
  formBytesMax: 16_384,
  formFieldsMax: 8,
  /** A sealed session and a form's nonce are 200 octets; other programs on the same host may have set some as well. */
  cookieBytesMax: 8_192,
  /** Clusters of one page: some 60 KB of it. */
  clusters: 50,
  /** Rows of every other list on a page. */
  rows: 100,
  /** Names of clusters behind one CA. */
  names: 100,
  /** Revisions that a cluster's page looks back. */
  history: 10,
  /** Characters of one value in a difference: a patch may be long, a page should be readable. */
  valueCharacters: 400,
  /** Pages that are told of changes; each looks again when it is, at some 30 ms. */
  streamsMax: 64,
  streamsPerPrincipalMax: 8,
  /** Trust that changed is looked at within this; time and policies by the hour at the latest within `streamJudgeMs`. */
  streamTickMs: 500,
  streamJudgeMs: 10_000,
  /** Below the bound on silent sockets. */
  streamBeatMs: 20_000,
  /** Polls alone, without any change of the fleet or of trust, are told of this often. */
  streamPollsMs: 30_000,
});
