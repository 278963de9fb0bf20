/** The bounds of what a stranger's certificates may cost: a part of LIMITS. */
export const CERTIFICATE_LIMITS = Object.freeze({
  // — certificates: caps before any expensive step (Go CVE-2025-58187 and relatives) —
  chainBytesMax: 65_536,
  /** Leaf and at most 4 above it (contract), so 5 in a path; a peer may send a few useless ones besides. */
  presentedCertificatesMax: 10,
  certificatesAboveLeafMax: 4,
  subjectAltNamesMax: 100,
  nameConstraintsMax: 100,
  /** Names × constraints of one path; each comparison is cheap, their product is not. */
  nameConstraintComparisonsMax: 10_000,
  /** Signatures verified while looking for a path: bounds the work of cross-signing mazes. */
  signatureChecksMax: 24,
  rsaBitsMin: 2_048,
  /** A signature check with a 16k-bit key costs milliseconds; no CA issues above 8k. */
  rsaBitsMax: 8_192,
  bundleBytesMax: 8_388_608,
  bundleCertificatesMax: 4_096,
});
