import type { AuditRequest } from '../audit/entry.ts';
import type { CatalogueKind, FleetTransactor, ObjectName, Page } from './access.ts';
import type { PlanApproval } from './approval.ts';
import type { Cluster, FleetKind, FleetObject, FleetObjects } from './objects.ts';
import type { PinnedAnswers } from './served.ts';

/** Every transaction that changes the fleet is a numbered revision; these are its words, as FleetReader has those of now. */

export type RevisionAction = 'write' | 'bulk' | 'import' | 'revert' | 'seed' | 'upgrade';

/** Who wants a change, and why; goes into the revision that the change becomes. */
export interface ChangeOrigin {
  /** As in the log: `operator:alex@example.com`. */
  readonly author: string;
  readonly action: RevisionAction;
  readonly atMs: number;
  readonly requestId?: string | undefined;
  readonly reason?: string | undefined;
  /** For the audit trail; absent: the gateway did it by itself. */
  readonly request?: AuditRequest | undefined;
  /** Told the revision's number once it is committed; what changes nothing is no revision. */
  readonly committed?: (revision: number) => void;
}

/** As the API answers it. */
export interface Revision {
  readonly revision: number;
  /** RFC 3339, UTC. */
  readonly at: string;
  readonly author: string;
  readonly action: RevisionAction;
  readonly request_id?: string;
  readonly reason?: string;
  /** The summary of the plan that was carried out. */
  readonly plan?: object;
  /** How many objects it created, replaced or deleted. */
  readonly changes: number;
}

/** What one revision did to one object; undefined: it was not there. */
export interface RevisionChange {
  readonly kind: FleetKind;
  readonly id: string;
  readonly before: FleetObject | undefined;
  readonly after: FleetObject | undefined;
}

/** The revisions that can still be asked for, ends included; 0 and 0 where there was no change yet. */
export interface RevisionRange {
  readonly oldest: number;
  readonly newest: number;
}

/** A cluster's document and all that it assigns, at one moment. */
export interface ClusterMoment {
  readonly cluster: Cluster;
  readonly entries: { readonly [K in CatalogueKind]: readonly FleetObjects[K][] };
  /** Where it was frozen then: the bodies that it was answered, whatever document and entries came to. */
  readonly pinned?: PinnedAnswers;
}

/** Each call reads one consistent state. A revision outside `range` gives undefined, or nothing. */
export interface HistoryReader {
  range(): Promise<RevisionRange>;
  /** Newest first. */
  revisions(limit: number, offset: number): Promise<Page<Revision>>;
  revision(number: number): Promise<Revision | undefined>;
  /** Ordered by kind and id. */
  changesOf(number: number, limit: number, offset: number): Promise<Page<RevisionChange>>;
  /** As the object was after this revision. */
  objectAt(kind: FleetKind, id: string, revision: number): Promise<FleetObject | undefined>;
  clusterAt(id: string, revision: number): Promise<ClusterMoment | undefined>;
  /** The clusters whose answers may differ between the two, ordered by id: their documents, or what they assign. */
  clustersTouched(after: number, upTo: number, limit: number, offset: number): Promise<Page<string>>;
  /**
   * Revisions before this one that changed the cluster's document, or something that it assigns or assigned, newest first. Of those that
   * changed the catalogue, some may have changed nothing for it: it may not have assigned the object then.
   */
  revisionsOfCluster(id: string, before: number, limit: number): Promise<readonly Revision[]>;
  /** The objects that were changed after that revision. */
  changedSince(revision: number): Promise<readonly ObjectName[]>;
  /** Who changed this object after that revision: the numbers, oldest first, at most `limit`. */
  laterChanges(name: ObjectName, revision: number, limit: number): Promise<readonly number[]>;
}

/** An answer that was given, to be given again to the same Idempotency-Key. */
export interface RememberedAnswer {
  /** Of the request: the same key with another request is a mistake. */
  readonly fingerprint: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

export interface AnswerName {
  readonly principal: string;
  readonly key: string;
}

/** What a transaction can do beside changing the fleet; kept or lost with its changes. */
export interface HistoryTransactor {
  readonly history: HistoryReader;
  /** The number that this transaction's revision gets, if it changes anything. */
  nextRevision(): Promise<number>;
  /** The summary of the plan, for the revision. */
  notePlan(plan: object): Promise<void>;
  /** Of a plan that waits to be carried out; undefined: nobody has approved it, or too long ago. */
  planApproval(hash: string, nowMs: number): Promise<PlanApproval | undefined>;
  /** It is carried out by this transaction. */
  closePlan(hash: string): Promise<void>;
  recallAnswer(name: AnswerName, nowMs: number): Promise<RememberedAnswer | undefined>;
  rememberAnswer(name: AnswerName, answer: RememberedAnswer, nowMs: number): Promise<void>;
}

/** What a store's transaction hands out. */
export interface RecordedTransactor extends FleetTransactor, HistoryTransactor {}
