/** Why a store's file cannot be used. */
export interface FileProblem {
  readonly message: string;
  /** SQLite's code; undefined: it is damaged, and `message` says how. */
  readonly code: string | undefined;
}
