import type { Page } from '../fleet/access.ts';
import type { ChainEnd } from './chain.ts';
import type { AuditEntry, AuditEvent } from './entry.ts';

/** What a store keeps of the audit trail, in the words of those who ask. */

export interface AuditQuery {
  readonly event?: AuditEvent | undefined;
  readonly principal?: string | undefined;
  readonly object?: string | undefined;
  readonly operation?: string | undefined;
  readonly request_id?: string | undefined;
  /** RFC 3339, UTC; both ends included. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  readonly limit: number;
  readonly offset: number;
}

/** An entry in its place in the chain. */
export interface AuditRecord extends AuditEntry {
  readonly sequence: number;
  readonly hash: string;
}

export interface AuditStore {
  /** In one commit of their own: for what changes nothing in the store. */
  append(entries: readonly AuditEntry[]): Promise<void>;
  /** Newest first. */
  list(query: AuditQuery): Promise<Page<AuditRecord>>;
  /** `sequence` 0: there is no row yet. */
  end(): Promise<ChainEnd>;
}
