import type { AuditStore } from '../../core/audit/trail.ts';
import type { FleetReader, FleetTransactor } from '../../core/fleet/access.ts';
import type { ChangeOrigin, HistoryReader, RecordedTransactor } from '../../core/fleet/history.ts';
import type { PageSession } from '../../core/identity/page-session.ts';
import type { LivenessStore } from './liveness.ts';
import type { OutlineStore } from './outlines.ts';
import type { PlanStore } from './plan-records.ts';
import type { RevocationStore } from './revocation-records.ts';
import type { SightingStore } from './sightings.ts';
import type { TokenStore } from './token-records.ts';

/** The fleet's words live in the core, where the rules use them; whoever holds a store finds them here as well. */
export type {
  ClusterInputs,
  FleetReader,
  FleetTransactor,
  ListQuery,
  ObjectName,
  Page,
} from '../../core/fleet/access.ts';

export interface RatchetEntry {
  readonly clusterDns: string;
  /** SHA-256 of the certificate that turned it, lower-case hex. */
  readonly certificateSha256: string;
  readonly sinceMs: number;
}

/** Keys are opaque. */
export interface CrlIssuerStore {
  all(): Promise<ReadonlySet<string>>;
  add(keys: readonly string[]): Promise<void>;
  clear(): Promise<void>;
}

/** Sessions of the status page that were signed out; each is known until it would have ended. */
export interface EndedSessionStore {
  has(session: PageSession): Promise<boolean>;
  /** Throws `unavailable` where it cannot be kept. */
  add(session: PageSession, nowMs: number): Promise<void>;
}

/**
 * What the gateway may ask of its store, with no SQL in sight, so that a second implementation can stand beside SQLite.
 */
export interface Store {
  /** Committed state only. Not for use inside `transact`, whose work reads through its transactor. */
  readonly reader: FleetReader;
  /** Committed revisions, under the same rule. */
  readonly history: HistoryReader;
  /** The same fleet, as far as it is looked at as a whole. */
  readonly outlines: OutlineStore;
  /**
   * Serialised with every other writer; commits when `work` resolves, rolls back when it rejects. The transactor is dead
   * once `work` has settled, or has taken longer than the store's bound (rolled back, `unavailable`). What it changed is a
   * revision in the same commit: without the one there is not the other. `origin` absent: the gateway itself.
   */
  transact<T>(work: (transactor: RecordedTransactor) => Promise<T>, origin?: ChangeOrigin): Promise<T>;
  /** Loads the fleet into a store that was never initialised, in one transaction; false: it was, nothing happened. */
  initialise(load: (transactor: FleetTransactor) => Promise<void>): Promise<boolean>;
  /** Whether a fleet was ever loaded or written, however empty the store is now. */
  isInitialised(): Promise<boolean>;
  /** Turns the ratchet of these clusters in one commit: from now on no token reads their inputs. The first turn stays. */
  ratchet(entries: readonly RatchetEntry[]): Promise<void>;
  /** Who was seen with what, and which key is whose: written behind requests, never by them. */
  readonly sightings: SightingStore;
  /** Who polled what, and what clusters reported: written behind requests, merged with what other processes wrote. */
  readonly liveness: LivenessStore;
  /** What operators revoked. Like `reader`, not for use inside `transact`. */
  readonly revocations: RevocationStore;
  /** Who did what. What changes the store writes its own entry, in the same commit. */
  readonly audit: AuditStore;
  /** Tokens that were made here, as hashes. Like `reader`, not for use inside `transact`. */
  readonly tokens: TokenStore;
  /** Plans that wait for a second person. */
  readonly plans: PlanStore;
  /** Which CAs have had CRLs: a list that is gone must be missed after a restart as well. */
  readonly crlIssuers: CrlIssuerStore;
  readonly endedSessions: EndedSessionStore;
  /** Rejects if the store cannot be read now. */
  check(): Promise<void>;
  /** Waits for the writers in line, then lets go of the file. */
  close(): Promise<void>;
}
