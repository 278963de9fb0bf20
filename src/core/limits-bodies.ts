/** The bounds of what a body may cost before it is known to be right: a part of LIMITS. */
export const BODY_LIMITS = Object.freeze({
  bodyBytesMax: 1_048_576,
  /** A cluster document is 4 deep; deeper input exists to exhaust a parser's stack. */
  jsonDepthMax: 16,
  jsonKeysMax: 50_000,
  /**
   * Of a document with as many values, all that is wrong is told: three times a cluster with a hundred of everything. What Ajv does for
   * that grows with the square of what is wrong: 20 ms here, a minute for a megabyte.
   */
  valuesToldWholeMax: 2_000,
});
