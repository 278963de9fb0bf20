import type { Cluster, FleetKind, FleetObject, FleetObjects } from '../../core/fleet/objects.ts';

/**
 * What the gateway may ask of its store: asynchronous, in the fleet's own words, with no SQL in sight, so that a second
 * implementation can stand beside SQLite. To read is to hold a FleetReader; only a transaction hands out a FleetTransactor.
 */

export interface ListQuery {
  /** Equality on top-level fields; only those that the kind declares as filters. */
  readonly filters: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly offset: number;
}

export interface Page<T> {
  readonly items: readonly T[];
  /** How many match in all, whatever `limit` and `offset` say. */
  readonly total: number;
}

export interface ObjectName {
  readonly kind: FleetKind;
  readonly id: string;
}

/** A cluster and, in its document's order, the catalogue objects that one Flux route renders. */
export interface ClusterInputs<K extends FleetKind = FleetKind> {
  readonly cluster: Cluster;
  readonly entries: readonly FleetObjects[K][];
}

/** Reads one consistent, committed state per call. */
export interface FleetReader {
  /** All that one Flux route needs, by two index look-ups whatever the size of the fleet; undefined: no such cluster. */
  clusterInputs<K extends Exclude<FleetKind, 'cluster'>>(
    clusterDns: string,
    kind: K,
  ): Promise<ClusterInputs<K> | undefined>;
  get<K extends FleetKind>(kind: K, id: string): Promise<FleetObjects[K] | undefined>;
  /** Ordered by id, by octets. */
  list<K extends FleetKind>(kind: K, query: ListQuery): Promise<Page<FleetObjects[K]>>;
  /** Who refers to this object, ordered by kind and id; `total` counts all of them. */
  usersOf(kind: FleetKind, id: string, limit: number): Promise<Page<ObjectName>>;
  /** Whether the cluster of this DNS name has ever been served by its certificate (the ratchet). */
  isRatcheted(clusterDns: string): Promise<boolean>;
}

/**
 * Throws FluxgateError: `conflict` (id or cluster_dns taken), `validation_error` (a reference to what is not there),
 * `in_use` (removal of what others refer to), `not_found`.
 */
export interface FleetTransactor extends FleetReader {
  insert<K extends FleetKind>(kind: K, object: FleetObjects[K]): Promise<void>;
  replace<K extends FleetKind>(kind: K, object: FleetObjects[K]): Promise<void>;
  remove(kind: FleetKind, id: string): Promise<FleetObject>;
}

export interface Store {
  readonly reader: FleetReader;
  /** Serialised with every other writer; commits when `work` resolves, rolls back when it rejects. */
  transact<T>(work: (transactor: FleetTransactor) => Promise<T>): Promise<T>;
  /** Loads the fleet into a store that was never initialised, in one transaction; false: it was, nothing happened. */
  initialise(load: (transactor: FleetTransactor) => Promise<void>): Promise<boolean>;
  isInitialised(): Promise<boolean>;
  /** Turns the ratchet: from now on no token reads this cluster's inputs. Idempotent. */
  ratchet(clusterDns: string, certificateSha256: string, nowMs: number): Promise<void>;
  /** Rejects if the store cannot be read now. */
  check(): Promise<void>;
  close(): Promise<void>;
}
