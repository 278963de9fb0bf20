import type { X509Certificate } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { boundedMemory } from '../../core/bounded-memory.ts';
import { type DigestMemory, digestMemory } from '../../core/digest-memory.ts';
import { confirmedBefore } from '../../core/identity/certificate.ts';
import { createIssuerReader, type IssuerReader } from '../../core/identity/certificate-memory.ts';
import { type JudgeInput, judge } from '../../core/identity/judge.ts';
import { withObservation } from '../../core/identity/observe.ts';
import type { RevocationCheck } from '../../core/identity/revocation.ts';
import { shownSubject } from '../../core/identity/shown-subject.ts';
import type { Verdict } from '../../core/identity/verdict.ts';
import { LIMITS } from '../../core/limits.ts';
import { revocationOf, type Snapshot } from '../../core/snapshot.ts';
import { type Agreed, agreedOn, handshakeOf } from './agreed.ts';
import { OfSocket } from './of-socket.ts';

/** What a connection's peer presented in the handshake; read off the socket once. */
export interface Presented {
  /** Leaf first, as sent. Empty: no certificate; or, where it was recalled, the connection is gone. */
  readonly chain: readonly Uint8Array[];
  /** Not read off the socket, but known by its leaf: docs/decisions/known-leaves.md. */
  readonly recalled: boolean;
  readonly openssl: { readonly authorized: boolean; readonly error: string | undefined };
  readonly resumed: boolean;
  readonly tls: Agreed;
  /** SHA-256 over everything a verdict depends on besides trust and time, each character an octet. */
  readonly key: string;
}

/** Undefined: the peer presented no certificate. */
export type PeerVerdict = Verdict | undefined;

/**
 * Takes and remembers verdicts under one state of trust: make a new one for each, and everything is judged again.
 * A poll is a fresh connection with a certificate that was seen before, so a verdict is shared between connections.
 */
export class PeerJudge {
  readonly #snapshot: Snapshot;
  readonly #revocation: RevocationCheck;
  readonly #presented: OfSocket<Presented>;
  /** Keys of what was accepted under any snapshot: both parsers have read those octets alike, and need not again. */
  readonly #readBefore: DigestMemory<true>;
  readonly #issuers: IssuerReader;
  readonly #rejected = boundedMemory<string, Verdict>(LIMITS.rejectedVerdictsMax);

  /** By leaf, of connections that OpenSSL accepts: what was accepted, so that its chain need not be read again before it is an hour old. */
  readonly #leaves = digestMemory<KnownLeaf>(LIMITS.acceptedVerdictsMax);

  /** What was said of a connection is said again to its next question. */
  readonly #ofConnection: OfSocket<Said>;
  /** Only what was said by this very judge counts. */
  readonly #self = Object.freeze({});

  /** Verdicts that were remembered, and those that were worked out. Grows. */
  readonly lookups = { hits: 0, misses: 0 };

  /** `predecessor`: whose connections are still open; what they presented need not be read again. */
  constructor(snapshot: Snapshot, predecessor?: PeerJudge) {
    this.#snapshot = snapshot;
    this.#revocation = revocationOf(snapshot);
    this.#presented = predecessor === undefined ? new OfSocket() : predecessor.#presented;
    this.#ofConnection = predecessor === undefined ? new OfSocket() : predecessor.#ofConnection;
    this.#issuers = predecessor === undefined ? createIssuerReader() : predecessor.#issuers;
    this.#readBefore =
      predecessor === undefined ? digestMemory(LIMITS.acceptedVerdictsMax) : predecessor.#readBefore;
  }

  /** What the peer showed in the handshake, whatever is thought of it. `nowMs`: since the epoch. */
  presentedBy(socket: TLSSocket, nowMs: number): Presented {
    return (
      this.#presented.get(socket) ?? this.#keep(socket, this.#recall(socket, nowMs) ?? readPresented(socket))
    );
  }

  /** `nowMs`: since the epoch. A remembered verdict is used only while it is valid. */
  verdictOf(socket: TLSSocket, nowMs: number): PeerVerdict {
    const known = this.#saidOf(socket);
    if (known !== undefined && nowMs < known.validUntil) {
      this.lookups.hits++;
      return known;
    }
    let presented = this.presentedBy(socket, nowMs);
    // To recall it may have been to know it.
    const remembered = this.#saidOf(socket) ?? this.#rememberedOf(socket, presented, nowMs);
    if (remembered !== undefined && nowMs < remembered.validUntil) {
      this.lookups.hits++;
      this.#say(socket, remembered);
      return remembered;
    }
    // Whatever is judged was read off this very connection.
    if (presented.recalled) presented = this.#keep(socket, readPresented(socket));
    if (presented.chain.length === 0) return undefined;
    this.lookups.misses++;
    const verdict = presented.resumed ? resumedSession(presented) : this.#judge(presented, nowMs);
    if (verdict.accepted) {
      this.#readBefore.set(presented.key, true);
      const leaf = leafKeyOf(socket);
      if (leaf !== undefined) {
        this.#leaves.set(leaf, { key: presented.key, verdict, untilMs: nowMs + LIMITS.chainReadAgainMs });
      }
    } else this.#rejected.set(presented.key, verdict);
    this.#say(socket, verdict);
    return verdict;
  }

  #saidOf(socket: TLSSocket): Verdict | undefined {
    const said = this.#ofConnection.get(socket);
    return said?.by === this.#self ? said.verdict : undefined;
  }

  #say(socket: TLSSocket, verdict: Verdict): void {
    this.#ofConnection.set(socket, { by: this.#self, verdict });
  }

  #keep(socket: TLSSocket, presented: Presented): Presented {
    this.#presented.set(socket, presented);
    return presented;
  }

  /** undefined: the chain is to be read. Only of what is accepted now, by this state of trust. */
  #recall(socket: TLSSocket, nowMs: number): Presented | undefined {
    const leaf = leafKeyOf(socket);
    const known = leaf === undefined ? undefined : this.#leaves.get(leaf);
    if (known === undefined || nowMs >= known.untilMs || nowMs >= known.verdict.validUntil) return undefined;
    this.#say(socket, known.verdict);
    return new Recalled(socket, known.key);
  }

  #rememberedOf(socket: TLSSocket, { key, recalled }: Presented, nowMs: number): Verdict | undefined {
    const leaf = leafKeyOf(socket);
    const known = leaf === undefined ? undefined : this.#leaves.get(leaf);
    if (known?.key === key) {
      // The chain has just been read, and is what it was.
      const isValid = nowMs < known.verdict.validUntil;
      if (!recalled && isValid) known.untilMs = nowMs + LIMITS.chainReadAgainMs;
      return known.verdict;
    }
    // What was refused with the chain that a leaf is known by says nothing of the chain that this connection came with.
    return recalled ? undefined : this.#rejected.get(key);
  }

  #judge(presented: Presented, nowMs: number): Verdict {
    const input: JudgeInput = {
      presented: presented.chain,
      openssl: presented.openssl,
      trust: this.#snapshot.trust,
      revocation: this.#revocation,
      revokedClusters: this.#snapshot.revocations,
      nowMs,
      readIssuer: this.#issuers.read,
      confirm: this.#readBefore.get(presented.key) === true ? confirmedBefore : this.#issuers.confirm,
    };
    return withObservation(judge(input), input);
  }
}

/** What was said of a connection, and by whom: a mark of that judge, for to hold the judge is to hold all that it trusted. */
interface Said {
  readonly by: object;
  readonly verdict: Verdict;
}

interface KnownLeaf {
  /** Of what was presented with it. */
  readonly key: string;
  readonly verdict: Verdict;
  /** From then on the chain is read again: a cluster may have come by another one for the same leaf. */
  untilMs: number;
}

/** undefined: nothing is to be known by this leaf, as OpenSSL does not accept it or the handshake proved nothing. */
function leafKeyOf(socket: TLSSocket): string | undefined {
  if (!socket.authorized || opensslError(socket) !== undefined || socket.isSessionReused()) return undefined;
  return handshakeOf(socket).leafSha256;
}

/** What is read here is for who remembers chains; no verdict is taken by it. A class, for there is one for each connection. */
class Recalled implements Presented {
  readonly #socket: TLSSocket;
  readonly recalled = true;
  readonly openssl = AUTHORIZED;
  readonly resumed = false;
  readonly tls: Agreed;
  readonly key: string;

  constructor(socket: TLSSocket, key: string) {
    this.#socket = socket;
    this.tls = agreedOn(socket);
    this.key = key;
  }

  get chain(): readonly Uint8Array[] {
    return isGone(this.#socket) ? (chains.get(this.#socket) ?? []) : readChain(this.#socket);
  }
}

const AUTHORIZED = Object.freeze({ authorized: true, error: undefined });

function isGone(socket: TLSSocket): boolean {
  return socket.destroyed || (socket.getCipher() as object | undefined) === undefined;
}

function opensslError({ authorizationError }: TLSSocket): string | undefined {
  const error = authorizationError as { code?: string } | string | null | undefined;
  return typeof error === 'string' ? error : (error?.code ?? undefined);
}

/** By connection: Node takes apart OpenSSL's own list as it hands the issuers out, so that there is no second time. */
const chains = new WeakMap<TLSSocket, readonly Uint8Array[]>();

function readChain(socket: TLSSocket): readonly Uint8Array[] {
  const before = chains.get(socket);
  if (before !== undefined) return before;
  const chain: Uint8Array[] = [];
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  // One more than allowed is read, so that the judge sees that there were too many.
  while (certificate !== undefined && chain.length <= LIMITS.presentedCertificatesMax) {
    chain.push(certificate.raw);
    certificate = certificate.issuerCertificate;
  }
  chains.set(socket, chain);
  return chain;
}

/** Resumption is off; should a session ever be resumed all the same, its certificate was not proven in this handshake. */
function resumedSession(presented: Presented): Verdict {
  const [leaf] = presented.chain;
  const sha256 = createHash('sha256')
    .update(leaf ?? '')
    .digest('hex');
  const refusal = {
    rule: 'session_reused',
    position: 'leaf',
    detail: 'the TLS session was resumed, so the peer did not prove that it holds the key',
    sha256,
    serial: '',
    subject: shownSubject(leaf),
    claimedClusters: [],
  } as const;
  return { accepted: false, refusal, validUntil: Number.POSITIVE_INFINITY };
}

/** Throws for a connection that is gone: it would look like one on which no certificate was presented. */
function readPresented(socket: TLSSocket): Presented {
  if (isGone(socket)) throw new Error('the connection is gone');
  const chain = readChain(socket);
  const hash = createHash('sha256');
  for (const der of chain) hash.update(`${der.length}:`).update(der);
  const openssl = { authorized: socket.authorized, error: opensslError(socket) };
  const resumed = socket.isSessionReused();
  hash.update(JSON.stringify([openssl, resumed]));
  return { chain, recalled: false, openssl, resumed, tls: agreedOn(socket), key: hash.digest('binary') };
}
