import type { TLSSocket } from 'node:tls';
import type { RevocationList } from '../core/identity/revocation-list.ts';
import type { TokenSet } from '../core/identity/token.ts';
import type { TokenList } from '../core/identity/token-list.ts';
import type { PolicyEngine } from '../core/policy/decide.ts';
import type { Snapshot } from '../core/snapshot.ts';
import type { Clock } from './clock.ts';
import { PeerJudge, type PeerVerdict, type Presented } from './tls/peer.ts';

/** The trust in force now: one reference, so that a request never sees half of one snapshot and half of another. */
export class LiveTrust {
  readonly #clock: Clock;
  #snapshot: Snapshot;
  #judge: PeerJudge;

  constructor(
    loaded: Snapshot,
    kept: { readonly revocations: RevocationList; readonly tokenRecords: TokenList },
    clock: Clock,
  ) {
    this.#clock = clock;
    this.#snapshot = Object.freeze({ ...loaded, ...kept });
    this.#judge = new PeerJudge(this.#snapshot);
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

  /**
   * From here on every request is judged by what was loaded from files, on connections that are open already, too. What is
   * revoked by then stays revoked, however long ago the loading began.
   */
  replace(loaded: Snapshot): void {
    const { revocations, tokenRecords } = this.#snapshot;
    this.#enforce({ ...loaded, revocations, tokenRecords });
  }

  /** The same for a new list of token records. No certificate is judged by it, so what is remembered of them stays. */
  useTokens(tokenRecords: TokenList): void {
    const generation = this.#snapshot.generation + 1;
    this.#snapshot = Object.freeze({ ...this.#snapshot, tokenRecords, generation });
  }

  /** The same for a new list of revocations; the files' part of the snapshot stays as it is by then. */
  revoke(revocations: RevocationList): void {
    this.#enforce({ ...this.#snapshot, revocations });
  }

  /** Synchronous, on the state of this very moment: reloads and revocations cannot undo each other. */
  #enforce(next: Snapshot): void {
    const snapshot = Object.freeze({ ...next, generation: this.#snapshot.generation + 1 });
    this.#judge = new PeerJudge(snapshot, this.#judge);
    this.#snapshot = snapshot;
  }

  get lookups(): PeerJudge['lookups'] {
    return this.#judge.lookups;
  }

  presentedBy(socket: TLSSocket): Presented {
    return this.#judge.presentedBy(socket, this.#clock.now());
  }

  /** The same; undefined: the connection is gone before anybody looked. */
  shownBy(socket: TLSSocket): Presented | undefined {
    try {
      return this.presentedBy(socket);
    } catch {
      return undefined;
    }
  }

  /** Judged at this moment, whatever was true at the handshake. */
  verdictOf(socket: TLSSocket): PeerVerdict {
    return this.#judge.verdictOf(socket, this.#clock.now());
  }
}
