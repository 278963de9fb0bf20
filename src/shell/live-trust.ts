import type { TLSSocket } from 'node:tls';
import type { TokenSet } from '../core/identity/token.ts';
import type { PolicyEngine } from '../core/policy/decide.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Clock } from './clock.ts';
import { PeerJudge, type PeerVerdict } from './tls/peer.ts';

/** The trust in force now: one reference, so that a request never sees half of one snapshot and half of another. */
export class LiveTrust {
  readonly #clock: Clock;
  #snapshot: Snapshot;
  #judge: PeerJudge;

  constructor(snapshot: Snapshot, clock: Clock) {
    this.#clock = clock;
    this.#snapshot = snapshot;
    this.#judge = new PeerJudge(snapshot.trust, snapshot.revocation);
  }

  get snapshot(): Snapshot {
    return this.#snapshot;
  }

  get tokens(): TokenSet {
    return this.#snapshot.tokens;
  }

  get policy(): PolicyEngine {
    return this.#snapshot.policy;
  }

  /** From here on every request is judged by this snapshot, on connections that are open already, too. */
  replace(snapshot: Snapshot): void {
    this.#judge = new PeerJudge(snapshot.trust, snapshot.revocation, this.#judge);
    this.#snapshot = snapshot;
  }

  /** Judged at this moment, whatever was true at the handshake. */
  verdictOf(socket: TLSSocket): PeerVerdict {
    return this.#judge.verdictOf(socket, this.#clock.now());
  }
}
