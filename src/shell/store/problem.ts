/** Why a store's file cannot be used. */
export interface FileProblem {
  readonly message: string;
  /** SQLite's code; undefined: it is damaged, and `message` says how. */
  readonly code: string | undefined;
}

export const REPLACED: FileProblem = Object.freeze({
  message: 'another file was put in its place while it was checked: start again',
  code: 'fault',
});
