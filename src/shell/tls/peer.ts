import type { X509Certificate } from 'node:crypto';
import { createHash } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { LRUCache } from 'lru-cache';
import { boundedMemory } from '../../core/bounded-memory.ts';
import { readCertificate, readCertificateAgain } from '../../core/identity/certificate.ts';
import { type JudgeInput, judge } from '../../core/identity/judge.ts';
import { withObservation } from '../../core/identity/observe.ts';
import type { RevocationCheck } from '../../core/identity/revocation.ts';
import type { Verdict } from '../../core/identity/verdict.ts';
import { LIMITS } from '../../core/limits.ts';
import { revocationOf, type Snapshot } from '../../core/snapshot.ts';
import { type Agreed, agreedOn } from './agreed.ts';

/** What a connection's peer presented in the handshake; read off the socket once. */
export interface Presented {
  /** Leaf first, as sent. Empty: no certificate. */
  readonly chain: readonly Uint8Array[];
  readonly openssl: { readonly authorized: boolean; readonly error: string | undefined };
  readonly resumed: boolean;
  readonly tls: Agreed;
  /** SHA-256 over everything a verdict depends on besides trust and time. */
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
  readonly #presented: WeakMap<TLSSocket, Presented>;
  /** Keys of what was accepted under any snapshot: both parsers have read those octets alike, and need not again. */
  readonly #readBefore: LRUCache<string, true>;
  readonly #accepted = boundedMemory<string, Verdict>(LIMITS.acceptedVerdictsMax);
  readonly #rejected = boundedMemory<string, Verdict>(LIMITS.rejectedVerdictsMax);

  /** Verdicts that were remembered, and those that were worked out. Grows. */
  readonly lookups = { hits: 0, misses: 0 };

  /** `predecessor`: whose connections are still open; what they presented need not be read again. */
  constructor(snapshot: Snapshot, predecessor?: PeerJudge) {
    this.#snapshot = snapshot;
    this.#revocation = revocationOf(snapshot);
    this.#presented = predecessor === undefined ? new WeakMap() : predecessor.#presented;
    this.#readBefore =
      predecessor === undefined ? boundedMemory(LIMITS.acceptedVerdictsMax) : predecessor.#readBefore;
  }

  /** What the peer showed in the handshake, whatever is thought of it. */
  presentedBy(socket: TLSSocket): Presented {
    let presented = this.#presented.get(socket);
    if (presented === undefined) {
      presented = readPresented(socket);
      this.#presented.set(socket, presented);
    }
    return presented;
  }

  /** `nowMs`: since the epoch. A remembered verdict is used only while it is valid. */
  verdictOf(socket: TLSSocket, nowMs: number): PeerVerdict {
    const presented = this.presentedBy(socket);
    if (presented.chain.length === 0) return undefined;
    const remembered = this.#accepted.get(presented.key) ?? this.#rejected.get(presented.key);
    if (remembered !== undefined && nowMs < remembered.validUntil) {
      this.lookups.hits++;
      return remembered;
    }
    this.lookups.misses++;
    const verdict = presented.resumed ? resumedSession(presented) : this.#judge(presented, nowMs);
    (verdict.accepted ? this.#accepted : this.#rejected).set(presented.key, verdict);
    if (verdict.accepted) this.#readBefore.set(presented.key, true);
    return verdict;
  }

  #judge(presented: Presented, nowMs: number): Verdict {
    const input: JudgeInput = {
      presented: presented.chain,
      openssl: presented.openssl,
      trust: this.#snapshot.trust,
      revocation: this.#revocation,
      revokedClusters: this.#snapshot.revocations,
      nowMs,
      read: this.#readBefore.has(presented.key) ? readCertificateAgain : readCertificate,
    };
    return withObservation(judge(input), input);
  }
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
    claimedClusters: [],
  } as const;
  return { accepted: false, refusal, validUntil: Number.POSITIVE_INFINITY };
}

/** Throws for a connection that is gone: it would look like one on which no certificate was presented. */
function readPresented(socket: TLSSocket): Presented {
  if (socket.destroyed || (socket.getCipher() as object | undefined) === undefined)
    throw new Error('the connection is gone');
  const chain: Uint8Array[] = [];
  const hash = createHash('sha256');
  let certificate: X509Certificate | undefined = socket.getPeerX509Certificate();
  // One more than allowed is read, so that the judge sees that there were too many.
  while (certificate !== undefined && chain.length <= LIMITS.presentedCertificatesMax) {
    const der = certificate.raw;
    chain.push(der);
    hash.update(`${der.length}:`).update(der);
    certificate = certificate.issuerCertificate;
  }
  const error = socket.authorizationError as { code?: string } | string | null | undefined;
  const openssl = {
    authorized: socket.authorized,
    error: typeof error === 'string' ? error : (error?.code ?? undefined),
  };
  const resumed = socket.isSessionReused();
  hash.update(JSON.stringify([openssl, resumed]));
  return { chain, openssl, resumed, tls: agreedOn(socket), key: hash.digest('base64') };
}
