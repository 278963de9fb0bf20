/** Who polled what, and what clusters reported, as the store keeps it: documents are opaque to it. */

export interface LivenessRow {
  readonly clusterDns: string;
  /** JSON. */
  readonly document: string;
}

/** What one row becomes, whatever another process has made of it meanwhile. */
export interface LivenessMerge {
  readonly clusterDns: string;
  /** `stored` undefined: there is no row. Called in the transaction. */
  merge(stored: string | undefined): string;
}

export interface LivenessBatch {
  readonly polls: readonly LivenessMerge[];
  readonly reports: readonly LivenessMerge[];
  /** Clusters of which nothing is to be kept. */
  readonly forgotten: readonly string[];
}

export interface LivenessChanges {
  /** Ask with this the next time. */
  readonly version: number;
  readonly polls: readonly LivenessRow[];
  /** Whose reports are others than before, and since which version. */
  readonly reports: readonly { readonly clusterDns: string; readonly version: number }[];
}

export interface LivenessStore {
  /** All that was written after `version` (0: everything), without what was written as one of `known`. */
  since(version: number, known: ReadonlySet<number>): Promise<LivenessChanges>;
  /** One commit, and its version. Rejects at once when another process holds the lock: nobody waits for this, it comes again. */
  save(batch: LivenessBatch): Promise<number>;
  reportsOf(clusterDns: string): Promise<string | undefined>;
}
