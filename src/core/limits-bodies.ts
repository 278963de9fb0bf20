/** The bounds of what a body may cost before it is known to be right: a part of LIMITS. */
export const BODY_LIMITS = Object.freeze({
  bodyBytesMax: 1_048_576,
  /** A cluster document is 4 deep; deeper input exists to exhaust a parser's stack. */
  jsonDepthMax: 16,
  jsonKeysMax: 50_000,
  /** Of a value to each key, and of entries of lists: a document of ours has fewer entries than keys; a megabyte of `{},` has 350,000. */
  jsonValuesMax: 100_000,
  /** An event has up to 256 fields of metadata and some 20 others; a later Flux may send more. 22,000 wrong ones cost 100 ms. */
  eventValuesMax: 1_000,
  /**
   * Of a document with as many values, all that is wrong is told: three times a cluster with a hundred of everything. What Ajv does for
   * that grows with the square of what is wrong: 20 ms here, a minute for a megabyte.
   */
  valuesToldWholeMax: 2_000,
  /**
   * Of one file of an import, as YAML takes it apart: a line `- id: a` has 9, and a cluster with 5,000 namespaces and 5,000 rolebindings
   * 100,000. Each costs 2 to 5 µs, all in one go: a megabyte of them 5 s.
   */
  fileTokensMax: 150_000,
  /** Of an object that is wrong, and of all of them together in vain: 50 are told, and an import has room for millions. */
  mentionsLookedAtMax: 1_000,
  /** Each piece of a body costs 2 to 4 µs in Node, whatever is in it: a chunk of one octet, or a TLS record. */
  bodyPiecesMax: 4_096,
  /** And one more for each: TLS libraries send records of 1,200 octets (Go, at first) to 16,384. */
  bodyPieceOctets: 1_024,
});
