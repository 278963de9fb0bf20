import type { AuditEntry } from '../../core/audit/entry.ts';
import type { StillAdmitted } from '../../core/audit/still-admitted.ts';
import type { StoredPins } from './pin-pages.ts';

/** Who was seen with what, as the store keeps it: documents are opaque to it, octets are kept once. */

/** Whose sighting it is: one of each is kept. */
export interface SightingKey {
  readonly kind: string;
  readonly name: string;
  readonly credential: string;
}

export interface Sighting extends SightingKey {
  /** JSON; its `issuers` are the fingerprints of `issuers` below, in their order. */
  readonly document: string;
  /** DER; undefined: a token, or that of the row, which is there already. */
  readonly leaf: Uint8Array | undefined;
  readonly issuers: readonly { readonly sha256: string; readonly der: Uint8Array }[];
}

export type StoredSighting = Omit<Sighting, 'leaf' | 'issuers'> & { readonly issuers: readonly Uint8Array[] };

export interface SightingBatch {
  readonly sightings: readonly Sighting[];
  readonly forgotten: readonly SightingKey[];
  /** `document` undefined: forgotten. */
  readonly pins: readonly { readonly clusterDns: string; readonly document: string | undefined }[];
  /** What operators did of this, in the same commit. */
  readonly audit?: readonly AuditEntry[];
}

export interface SightingStore {
  /** All of them but for their leaves, page by page, letting others in between. */
  load(): AsyncIterable<StoredSighting>;
  pins(): Promise<StoredPins>;
  /** DER of what was presented; undefined: there is none. */
  leafOf(key: SightingKey): Promise<Uint8Array | undefined>;
  /** One commit. Rejects at once when another process holds the lock: nobody waits for this, it comes again. */
  save(batch: SightingBatch, stillAdmitted?: StillAdmitted): Promise<void>;
  /** The DNS names of all clusters of the fleet, in their order, without reading their documents; page by page. */
  clusterNames(): Promise<readonly string[]>;
}
