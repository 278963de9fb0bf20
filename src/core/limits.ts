/** Every bound of the gateway, with its unit in the name and its reason beside it. */
export const LIMITS = Object.freeze({
  // — the connection —
  /** Flux retries a handshake for 15 s in all; a peer that needs longer than 10 s is silent or hostile. */
  handshakeTimeoutMs: 10_000,
  /** Go's client sends headers at once; slow headers are the slow-loris attack. */
  headersTimeoutMs: 10_000,
  /** Whole request, body included: 1 MiB in 30 s is 35 KiB/s, slower than any honest operator. */
  requestTimeoutMs: 30_000,
  /** How often Node looks for connections over the two bounds above. */
  connectionsCheckIntervalMs: 2_000,
  /** Flux never reuses a connection; operators' tools do, for moments. */
  keepAliveTimeoutMs: 30_000,
  /** A kept-open socket with nothing on it, in either direction. */
  socketIdleTimeoutMs: 60_000,
  /** A certificate-carrying request has a few hundred bytes of headers. */
  headerBytesMax: 16_384,
  headersCountMax: 64,
  requestsPerSocketMax: 10_000,
  /** Connections at once: 10,000 clusters × 3 providers polling in lock-step, and some. */
  connectionsMax: 40_000,
  /** What a drain may take before the remaining sockets are cut (contract: exit 0 within 10 s). */
  drainTimeoutMs: 8_000,

  // — the request —
  bodyBytesMax: 1_048_576,
  /** A cluster document is 4 deep; deeper input exists to exhaust a parser's stack. */
  jsonDepthMax: 16,
  jsonKeysMax: 50_000,
  urlBytesMax: 2_048,
  tokenBytesMax: 4_096,
  /** One page of a list. An absent `limit` means this, so that no list is ever cut off silently below it. */
  pageItemsMax: 10_000,
  /** Clusters of a plan that one answer shows, unless it is asked for more; the totals are always of all. */
  planPageClusters: 100,

  /** Rows read for the Flux list of clusters; twice what fits into its body, so that too large a fleet is seen, not cut. */
  fleetListItemsMax: 30_000,

  // — the answer (Flux Operator's own bounds) —
  /** Flux Operator's own default of spec.filter.limit. What is beyond it is cut off there, and uninstalled. */
  filterLimitDefault: 100,
  filterLimitMax: 10_000,
  /** Kubernetes' bound on the annotations of one object, keys and values together. */
  annotationsBytesMax: 262_144,
  /** 800 KiB, held when written: below the bound under it, so that no stored fleet is ever unanswerable. */
  renderedRouteBytesMax: 819_200,
  /** Flux Operator refuses an ExternalService body above this, decompressed. */
  fluxBodyBytesMax: 921_600,

  // — certificates: caps before any expensive step (Go CVE-2025-58187 and relatives) —
  chainBytesMax: 65_536,
  /** Leaf and at most 4 above it (contract), so 5 in a path; a peer may send a few useless ones besides. */
  presentedCertificatesMax: 10,
  certificatesAboveLeafMax: 4,
  subjectAltNamesMax: 100,
  nameConstraintsMax: 100,
  /** Names × constraints of one path; each comparison is cheap, their product is not. */
  nameConstraintComparisonsMax: 10_000,
  /** Signatures verified while looking for a path: bounds the work of cross-signing mazes. */
  signatureChecksMax: 24,
  rsaBitsMin: 2_048,
  /** A signature check with a 16k-bit key costs milliseconds; no CA issues above 8k. */
  rsaBitsMax: 8_192,
  bundleBytesMax: 8_388_608,
  bundleCertificatesMax: 4_096,

  // — CRLs —
  /** The largest lists of public CAs have some 30 MiB; read, checked and replaced, one lies in memory twice. */
  crlBytesMax: 67_108_864,
  /** At 34 octets and more an entry this is more than `crlBytesMax` lets through; a bound on the table by itself. */
  crlEntriesMax: 2_000_000,
  /** Files in CRL_DIR, and what they may hold together. */
  crlFilesMax: 1_024,
  crlDirectoryBytesMax: 268_435_456,
  /** Clocks differ; a list that begins within this is taken for one that has begun. */
  crlSkewMs: 300_000,

  // — names (RFC 1035 §2.3.4, in octets) —
  dnsNameOctetsMax: 253,
  dnsLabelOctetsMax: 63,

  // — memory of verdicts and decisions —
  /** One per live certificate: 100,000 clusters and their renewals, some 300 B each. */
  acceptedVerdictsMax: 131_072,
  /** Apart from the accepted, so that a flood of bad certificates cannot push good verdicts out. */
  rejectedVerdictsMax: 4_096,
  decisionsMax: 65_536,

  // — revocation by API —
  /** In force at once; each is looked up by hash, but the list is read as a whole when it changes. */
  revocationsMax: 20_000,

  // — answers to "why" —
  /** Chains presented lately, kept for POST /explain; apart for accepted and refused ones. */
  recentChainsMax: 1_000,
  recentChainsBytesMax: 8_388_608,
  /** Clusters and fingerprints whose refusals are remembered, and how many different ones of each. */
  refusalKeysMax: 5_000,
  refusalsPerKeyMax: 20,
  /** At some 2 KiB: ten megabytes for those who are known, and as much for strangers. */
  refusalGroupsMax: 5_000,
  /** Request ids that can be asked about: a day of a fleet's mistakes, minutes of a flood. */
  refusedRequestsMax: 10_000,
  /** Steps told of one explanation; a maze of cross-signed CAs has many more. */
  explainedStepsMax: 400,

  // — who was seen with what —
  /** Certificates and tokens of clusters and operators, some 2 KiB each with their chain: 100,000 clusters. */
  presentationsMax: 131_072,
  /** Different intermediates that are kept once for all; beyond it they are kept with each chain. */
  presentedIntermediatesMax: 4_096,
  /** What was seen since is lost when the process is killed: a few seconds of sightings, never a key that was promoted. */
  sightingsFlushMs: 5_000,
  /** First keys and promotions: soon, and all of a burst in few commits. */
  pinsFlushMs: 250,
  /** A sighting that differs in its time only is written again this often: 100,000 clusters make 170 rows a second. */
  sightingsRewriteMs: 600_000,
  /** Rows in one commit: some milliseconds of the event loop. */
  sightingsPerCommitMax: 250,
  pinsMax: 131_072,
  /** Renewals every 60 days: more than a year of keys, longer than any of their certificates lives. */
  retiredKeysMax: 8,
  /** A renewed Secret is read at the next poll, after outages up to 15 min late; a day leaves room for other clients of it. */
  pinGraceMs: 86_400_000,
  /** A conflict is told again this often, not with each poll. */
  pinWarningMs: 3_600_000,
  /** How long a plan may hold the event loop before it lets polls in. */
  planSliceMs: 5,
  /** Names in each list of GET /trust without `limit`. */
  trustNamesDefault: 100,
  // — the fleet as a directory —
  /** The body of an import; some 30,000 clusters of ordinary size. */
  importBytesMax: 33_554_432,

  // — the fleet's past —
  /** Revisions that can be asked for and reverted; a year of a busy fleet. */
  revisionsKeptMax: 10_000,
  revisionsKeptMs: 365 * 86_400_000,
  changeReasonCharactersMax: 500,
  /** Revisions of one page, each with its plan's summary; GET /revisions takes up to pageItemsMax when asked. */
  revisionsPage: 100,
  /** How long an Idempotency-Key is remembered: over a night and an outage. */
  answersKeptMs: 86_400_000,
  /** Per principal, each up to a body long. */
  answersKeptMax: 1_000,

  // — files —
  seedBytesMax: 268_435_456,
  tokenFileBytesMax: 1_048_576,
});
