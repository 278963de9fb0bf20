import { BODY_LIMITS } from './limits-bodies.ts';
import { CERTIFICATE_LIMITS } from './limits-certificates.ts';
import { LIVENESS_LIMITS } from './limits-liveness.ts';
import { PIN_LIMITS } from './limits-pins.ts';
import { POLL_LIMITS } from './limits-poll.ts';

/** Every bound of the gateway, with its unit in the name and its reason beside it. */
export const LIMITS = Object.freeze({
  ...CERTIFICATE_LIMITS,
  ...BODY_LIMITS,
  ...LIVENESS_LIMITS,
  ...PIN_LIMITS,
  ...POLL_LIMITS,
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
  /** How often is looked for connections that are to be bound by it; it may be exceeded by as much. */
  socketIdleLookMs: 5_000,
  /** A certificate-carrying request has a few hundred bytes of headers. */
  headerBytesMax: 16_384,
  headersCountMax: 64,
  requestsPerSocketMax: 10_000,
  /** Requests that wait behind another on their connection. Flux sends one; who sends more than this ends the connection. */
  pipelinedRequestsMax: 32,
  /** Connections at once: 10,000 clusters × 3 providers polling in lock-step, and some. CONNECTIONS_MAX says otherwise. */
  connectionsMax: 40_000,
  /** What a drain may take before the remaining sockets are cut (contract: exit 0 within 10 s). */
  drainTimeoutMs: 8_000,

  // — fairness between addresses (IPv6: /64). "entitled": lately a credential was accepted from there —
  /** Fleets stand behind one NAT address; each limit of an entitled address grows with this. CLUSTERS_PER_ADDRESS_MAX says otherwise. */
  clustersPerAddressMax: 10_000,
  /** How long an accepted credential entitles its address: providers that poll once a day find it still so. */
  entitledMs: 90_000_000,
  /** Entitled addresses that are remembered: each cluster at its own, and their moves. */
  entitledAddressesMax: 131_072,
  /** Of all connections, at most this share is held by strangers: the rest waits for the entitled, however big the flood. */
  strangerConnectionsShare: 0.25,
  /** A fleet that is new here connects in bursts of the listen queue (511), twice; the first that is accepted entitles it. */
  strangerConnectionsPerAddressMax: 1_024,
  /** Per cluster of an entitled address: three providers, and one connection that has not closed yet. */
  entitledConnectionsPerCluster: 4,
  /** Unfinished handshakes of strangers, some 50 KiB each. Above it the oldest ends: an honest one takes a round trip or two. */
  strangerHandshakesMax: 2_048,
  /** While the event loop is late, strangers have this many at once: newcomers still get in, one flood does not. */
  strangerHandshakesLoadedMax: 32,
  /** Handshakes begun by a stranger's address, at 1 ms of CPU each: two seconds at once, a tenth of a core for ever. */
  strangerHandshakes: Object.freeze({ burst: 2_000, perSecond: 100 }),
  /** Per cluster of an entitled address: three providers at once and a retry; three providers polling each minute for ever. */
  entitledHandshakesPerCluster: Object.freeze({ burst: 4, perSecond: 0.05 }),
  /** Requests without certificate and token, per address: probes, scrapers, people. */
  anonymousRequests: Object.freeze({ burst: 1_000, perSecond: 100 }),
  /** Requests that come with a token, and those whose certificate was refused, per cluster of an address: entitled bursts of token clusters pass, too. */
  tokenRequestsPerCluster: Object.freeze({ burst: 6, perSecond: 0.2 }),
  /** One cluster: 20 s of CPU at once, a fifth of a core for ever. It polls a few times a minute; a stolen key may try more. */
  clusterRequests: Object.freeze({ burst: 20_000, perSecond: 200 }),
  /** One operator: a fleet of 10,000 imported object by object must pass; a loop gone wild must not starve polls. */
  operatorRequests: Object.freeze({ burst: 20_000, perSecond: 500 }),
  /** One shared token, in the hands of a whole fleet: three providers for each of 10,000 clusters, twice. */
  sharedTokenRequests: Object.freeze({ burst: 60_000, perSecond: 2_000 }),
  /** Addresses and principals of which a bucket is kept that is not full, 200 octets each. */
  bucketsMax: 131_072,

  // — credentials that are not accepted, per address —
  /** A token that was rotated too early fails for hundreds of clusters at once: they should see 401, not 429. */
  failedTokensFree: 100,
  /** From here on 429, and no token is looked at that was not accepted from this address before. */
  failedTokensBurst: 200,
  /** Guesses a second that an address has for ever. */
  failedTokensPerSecond: 1,
  failureDelayMsMin: 20,
  /** Doubles with so many failures: from 20 ms to 2 s between the two bounds above. */
  failuresPerDoubling: 15,
  /** Longer would hold connections for the attacker's sake; a client waits 10 s. */
  failureDelayMsMax: 2_000,
  /** Answers that are held back at once; beyond it they go out at once: connections are dearer than a guess. */
  delayedAnswersMax: 1_000,
  /** Tokens accepted lately, with their addresses. */
  acceptedTokensMax: 65_536,

  // — load: how late the event loop is —
  /** How often it is looked at, and how many times in a row it must be late: a pause for half a second is no load. */
  loadSampleMs: 100,
  loadSamples: 5,
  /** A poll is 1 ms; this late, polls begin to feel it. */
  shedAnonymousDelayMs: 250,
  /** A second late: whoever has no certificate waits. */
  shedTokensDelayMs: 1_000,
  /** What a shed peer is told to wait. */
  shedRetryAfterMs: 5_000,

  // — lines in the log that strangers cause —
  /** Of each kind: more than any test or person looks at in one go, and 20 a second, a gigabyte a day at most. */
  strangerLines: Object.freeze({ burst: 2_000, perSecond: 20 }),
  /** What is left out is counted, in one line each. */
  leftOutLinesMs: 10_000,

  // — the PROXY protocol —
  /** Version 2 with the extensions of every load balancer that documents its own; a certificate in one of them fits twice. */
  proxyHeaderOctetsMax: 4_096,
  /** The specification registers a dozen types; each loop over them is bounded by this, not by their octets. */
  proxyExtensionsMax: 32,
  /** A load balancer sends it with its first segment; the specification wants at least 3 s allowed for, a lost packet. */
  proxyHeaderTimeoutMs: 5_000,

  // — the request —
  urlBytesMax: 2_048,
  tokenBytesMax: 4_096,
  /** A shared token that is shorter is warned of: 16 random letters are 75 bits, which nobody guesses. */
  tokenCharactersAdvised: 16,
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

  // — long work —
  /** How long reading trust, a plan or a report may hold the event loop before it lets polls in, each of which takes four turns of it. */
  sliceMs: 1,

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
  /** One per live certificate: 100,000 clusters and their renewals, some 700 octets each. */
  acceptedVerdictsMax: 131_072,
  /** Apart from the accepted, so that a flood of bad certificates cannot push good verdicts out. */
  rejectedVerdictsMax: 4_096,
  decisionsMax: 393_216, // three routes of 131,072 clusters, 60 octets each
  /** Rendered answers: 300 octets for each of 100,000 clusters, and the text that clusters share. Without room it begins anew. */
  fluxAnswersBytesMax: 67_108_864,
  /** Catalogue entries as the last revision has them, in characters of their documents: some ten thousand ordinary ones. */
  catalogueMemoryCharacters: 8_388_608,
  /** What each cluster, and each text, costs besides. */
  fluxAnswerEntryBytes: 300,

  // — revocation by API —
  /** In force at once; each is looked up by hash, but the list is read as a whole when it changes. */
  revocationsMax: 20_000,

  // — token records —
  /** Not expired, revoked ones among them: read as a whole when one changes, some 400 B each. */
  tokensMax: 20_000,
  /** One in use, and the one that takes over from it. */
  tokensPerNameMax: 2,
  /** Shorter is a typing error; longer is a secret that nobody remembers having given away. */
  tokenLifetimeMsMin: 60_000,
  tokenLifetimeMsMax: 365 * 86_400_000,
  /** The last use of a token is lost when the process is killed within this. */
  tokenUsesFlushMs: 5_000,

  // — OpenID Connect —
  /** Clocks of issuers differ from ours by seconds; a minute would double the life of the shortest tokens. */
  jwtSkewSeconds: 30,
  /** GitHub's live for minutes, others as long as a job. */
  jwtAgeMaxSeconds: 86_400,
  workloadSubjectCharactersMax: 512,
  /** GitHub's have some 30; lists count by their entries. */
  workloadClaimsMax: 128,
  workloadClaimCharactersMax: 512,
  /** An issuer's keys: a dozen while it rotates. */
  jwksKeysMax: 100,
  jwksBytesMax: 262_144,
  /** The request that waits for it is bounded to 30 s. */
  jwksTimeoutMs: 5_000,
  /** A key that is not among those known is looked for again this often at most, whoever sends what. */
  jwksCooldownMs: 30_000,
  jwksAgeMaxMs: 600_000,
  /** After a failure the issuer is left alone for this long. */
  jwksRetryMs: 5_000,

  // — answers to "why" —
  /** Chains presented lately, kept for POST /explain; apart for accepted and refused ones. */
  recentChainsMax: 1_000,
  recentChainsBytesMax: 8_388_608,
  /** Clusters (by each kind of evidence) and fingerprints whose refusals are remembered, and how many different ones of each. */
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
  /** Who is new, or came with another certificate, is written this soon; a process that is killed before loses it. */
  sightingsFlushMs: 5_000,
  /**
   * A sighting that differs in its time only is written again this often, where liveness has each poll: a row of a kilobyte, which fleets
   * that poll every ten minutes would else write with each poll.
   */
  sightingsRewriteMs: 1_800_000,
  /** How often it is looked who is in no fleet any more. */
  goneSweepMs: 600_000,
  /** A cluster that is in no fleet is forgotten when it has been silent for this: who still polls is still told of. */
  goneSightingMs: 3_600_000,
  /** Rows in one commit: some milliseconds of the event loop. */
  sightingsPerCommitMax: 250,

  // — the audit trail —
  /** Refusals are gathered this long, so that many alike are one row. */
  auditFlushMs: 60_000,
  /** Different refusals of one kind in that time; the rest is one row with their number: at most some 100 MB a day. */
  auditRefusalsPerFlush: 50,
  /** Reloads, starts and stops that wait for a store that cannot be written. */
  auditPendingMax: 1_000,
  /** How often the log is told where the trail ends, if it has grown: what is cut off later is missed there. */
  auditHeadLogMs: 3_600_000,
  /** After a reload, who was seen this lately is looked at: whether it is refused now. Longer ago, POST /trust/plan tells. */
  seenLatelyMs: 86_400_000,
  /** Names in one line of the log. */
  loggedNamesMax: 20,
  /** Names in each list of GET /trust without `limit`. */
  trustNamesDefault: 100,
  // — the fleet as a directory —
  /** The body of an import; some 30,000 clusters of ordinary size. */
  importBytesMax: 33_554_432,

  // — plans that wait for a second person —
  /** Beyond it the oldest that nobody approved give way. */
  plansKeptMax: 200,
  /** Of one plan's page; 200 of them are listed at once. */
  planKeptBytesMax: 65_536,
  /** Over a night; a plan that is older is made anew, by whoever still wants it. */
  planKeptMs: 86_400_000,

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

  seedBytesMax: 268_435_456,
  tokenFileBytesMax: 1_048_576,
});
