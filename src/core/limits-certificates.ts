/** The bounds of what a stranger's certificates may cost: a part of LIMITS. */
export const CERTIFICATE_LIMITS = Object.freeze({
  // — certificates: caps before any expensive step (Go CVE-2025-58187 and relatives) —
  chainBytesMax: 65_536,
  /** Leaf and at most 4 above it (contract), so 5 in a path; a peer may send a few useless ones besides. */
  presentedCertificatesMax: 10,
  certificatesAboveLeafMax: 4,
  subjectAltNamesMax: 100,
  /**
   * Of those names together that are no text (DNS, URI, email), which the second parser reads to the bottom: 0.1 ms for 50 octets of the worst. A
   * user principal name has some 60.
   */
  otherNamesOctetsMax: 1_024,
  /** A name of 64 attributes has some 1,500. */
  distinguishedNameOctetsMax: 4_096,
  /** Public CAs write some ten; whether one is there twice, and what is critical, is asked of each. */
  extensionsMax: 64,
  /** Of one that is understood and has no bound on its names: a policy with its notices has some hundred. */
  extensionOctetsMax: 4_096,
  /** That the second parser makes of one element, 10 µs each: a name of 64 attributes has 257. */
  asn1ValuesMax: 512,
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
