/** Who polled what, and what clusters reported, as the store keeps it: documents are opaque to it. */

export interface LivenessRow {
  readonly clusterDns: string;
  /** JSON. */
  readonly document: string;
}

/** What one row becomes, whatever another process has made of it meanwhile. */
export interface LivenessMerge {
  readonly clusterDns: string;
  /** The version by which this process wrote the row last, if it did: while it stands there, nothing in it is new to `merge`. */
  writtenAs?(): number | undefined;
  /** `stored` undefined: there is no row, or it is the one of `writtenAs`. Both are called in the transaction. */
  merge(stored: string | undefined): string;
}

export interface LivenessBatch {
  readonly polls: readonly LivenessMerge[];
  readonly reports: readonly LivenessMerge[];
  /** Clusters of which nothing is to be kept. */
  readonly forgotten: readonly string[];
}

export interface LivenessChanges {
  readonly polls: readonly LivenessRow[];
  /** Whose reports are others than before, and since which version. */
  readonly reports: readonly { readonly clusterDns: string; readonly version: number }[];
}

export interface LivenessStore {
  /**
   * Hands all that was written after `version` (0: everything, page by page, letting others in between), without what was written as one
   * of `known`, to `take`, which is to know that some may come twice. Resolves with the version to ask with the next time.
   */
  since(
    version: number,
    known: ReadonlySet<number>,
    take: (changes: LivenessChanges) => void,
  ): Promise<number>;
  /** One commit, and its version. Rejects at once when another process holds the lock: nobody waits for this, it comes again. */
  save(batch: LivenessBatch): Promise<number>;
  reportsOf(clusterDns: string): Promise<string | undefined>;
}
