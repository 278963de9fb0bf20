import type { Cluster, FleetKind, FleetObject, FleetObjects } from './objects.ts';
import type { PinnedAnswers } from './served.ts';

/**
 * What the rules need of whatever keeps the fleet: asynchronous, in the fleet's own words. To read is to hold a FleetReader;
 * only a transaction hands out a FleetTransactor.
 */

export interface ListQuery {
  /** Equality on top-level fields; only those that the kind declares as filters. */
  readonly filters: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly offset: number;
}

export interface FollowingQuery {
  /** As of a list. */
  readonly filters: Readonly<Record<string, string>>;
  /** Those after this id; '': from the first on. */
  readonly after: string;
  readonly limit: number;
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

/** The kinds that a cluster's document assigns from the catalogue. */
export type CatalogueKind = Exclude<FleetKind, 'cluster'>;

/** A cluster and, in its document's order, the catalogue objects that one Flux route renders. */
export interface ClusterInputs<K extends CatalogueKind = CatalogueKind> {
  readonly cluster: Cluster;
  readonly entries: readonly FleetObjects[K][];
  /** The newest one, of the same moment. */
  readonly revision: number;
  /** Of a frozen cluster: the body of the answer, as it was when it was frozen. */
  readonly pinned?: string;
}

/** Each call reads one consistent state. What it hands out is frozen. Throws `unavailable` when the state cannot be read. */
export interface FleetReader {
  /** All that one Flux route needs, by two index look-ups whatever the size of the fleet; undefined: no such cluster. */
  clusterInputs<K extends CatalogueKind>(clusterDns: string, kind: K): Promise<ClusterInputs<K> | undefined>;
  /** 0: nothing was ever written. */
  newestRevision(): Promise<number>;
  get<K extends FleetKind>(kind: K, id: string): Promise<FleetObjects[K] | undefined>;
  /** Ordered by id, by octets. */
  list<K extends FleetKind>(kind: K, query: ListQuery): Promise<Page<FleetObjects[K]>>;
  /** The same order, for whoever reads all of them: a page costs as much at the end as at the beginning. */
  following<K extends FleetKind>(kind: K, query: FollowingQuery): Promise<readonly FleetObjects[K][]>;
  /** Who refers to this object, in the order in which they were made; `total` counts all of them. */
  usersOf(kind: FleetKind, id: string, limit: number): Promise<Page<ObjectName>>;
  /** The clusters that assign this catalogue object, in the same order, those after the cluster `after` ('' for the first page). */
  clustersUsing(kind: CatalogueKind, id: string, after: string, limit: number): Promise<readonly Cluster[]>;
  /** What a frozen cluster is served; undefined: nothing is pinned for it. */
  pinnedAnswers(clusterId: string): Promise<PinnedAnswers | undefined>;
  /** What it was served when it was last frozen, if that has ended (it was unfrozen or deleted) and is still known. */
  formerAnswers(clusterId: string, revision: number): Promise<PinnedAnswers | undefined>;
  /** Whether the cluster of this DNS name has ever been served by its certificate (the ratchet). */
  isRatcheted(clusterDns: string): Promise<boolean>;
}

/**
 * Each write happens whole or not at all, also when the caller catches its error and goes on. Throws FluxgateError:
 * `conflict` (id or cluster_dns taken), `validation_error` (a reference to what is not there), `in_use` (removal of what
 * others refer to), `not_found`, `unavailable` (the disk is full, the transaction is over, …).
 */
export interface FleetTransactor extends FleetReader {
  insert<K extends FleetKind>(kind: K, object: FleetObjects[K]): Promise<void>;
  replace<K extends FleetKind>(kind: K, object: FleetObjects[K]): Promise<void>;
  remove(kind: FleetKind, id: string): Promise<FleetObject>;
  /** undefined: what was pinned for the cluster is so no more. Nor is it when the cluster is removed. */
  pin(clusterId: string, answers: PinnedAnswers | undefined): Promise<void>;
}
