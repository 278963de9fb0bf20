/** The bounds of what makes a poll cheap: a part of LIMITS. */
export const POLL_LIMITS = Object.freeze({
  // — the log —
  /** How long a line waits for others: each write wakes a thread, which costs more than the line. */
  logFlushMs: 100,
  /** Octets of lines that wait for nobody: some hundred requests, and what a pipe of Linux holds. */
  logFlushOctets: 65_536,
  /** Lines that are yet to be made, each of which keeps its request and connection in memory. */
  logLateLinesMax: 64,
  /** PIPE_BUF of Linux: so much is written to a pipe in one piece, whatever others write to it (POSIX write(2)). */
  logPieceOctets: 4_096,
  /** Of a certificate that nobody has judged, beyond which its subject is not looked at for a line: ordinary ones have 500 to 2,000. */
  shownCertificateOctetsMax: 4_096,

  // — handshakes —
  /** Connections that the kernel holds until they are accepted; beyond them it resets some. Linux allows so many by default (net.core.somaxconn). */
  listenBacklog: 4_096,

  // — the end —
  /** How long a drain waits for octets of finished answers that a peer has not taken yet; what is being answered has more. */
  sentMs: 1_000,

  // — where requests come from —
  /** Addresses of which it is remembered in which named network they are: those of a fleet behind some NAT gateways, and more. */
  namedAddressesMax: 16_384,

  // — whether anything was committed —
  /** How long that is believed of the wal-index alone. Not every file system shows to a read what was written to shared memory (9p, some of FUSE). */
  walIndexBelievedMs: 1_000,

  // — what operators look at —
  /** Objects as the last revision has them, in characters of their documents: some thousand clusters, with all that is made of them 10 MB. */
  lookedAtCharacters: 1_048_576,
  /** Operators of whom the last decision, and what the log says of their certificate, is kept: some 1 KiB each. */
  operatorsAtHandMax: 1_024,

  // — who was accepted before —
  /** How long a cluster's first poll waits for others, to be kept with them in one commit: clusters poll every few minutes. */
  ratchetGatherMs: 20,
  /** Clusters whose keys were forgotten lately; what is on its way between workers is a tenth of a second old. */
  pinResetsKeptMax: 1_000,
  /** Intermediates whose facts are kept, some 20 KiB each: more than a fleet's CAs have, fewer than a flood can fill memory with. */
  issuersReadMax: 256,
  /** Parts of certificates that the second parser has read, and how long each may be: some 100 octets, of the few kinds that CAs write. */
  partsReadMax: 1_024,
  partReadOctetsMax: 512,
  /** How long the chain beside a known leaf is taken for the same. Renewals have a new leaf; a new chain for an old one is rare. */
  chainReadAgainMs: 3_600_000,
  /** A sealed store that could not be checked yet: what was short (descriptors, memory) may be there by then. */
  lateCheckAgainMs: 10_000,
});
