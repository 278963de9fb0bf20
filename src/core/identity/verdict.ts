import type { CertificatePrincipal, ClusterPrincipal } from './principal.ts';

/** Every rule by which a client certificate can be refused; the log names one of these, the answer is always 495. */
export const REFUSAL_RULES = Object.freeze([
  'malformed', // DER that is not a certificate, trailing octets, duplicate extensions, version below 3
  'too_large', // more certificates, octets, names or constraints than the limits allow
  'untrusted', // no path to an anchor of either bundle
  'ambiguous_trust', // a path in both bundles: it would be a cluster and an operator
  'bad_signature',
  'expired',
  'not_yet_valid',
  'weak_key',
  'weak_signature',
  'not_a_ca', // an issuer without basicConstraints cA, or a leaf with it
  'path_length',
  'key_usage',
  'extended_key_usage',
  'name_constraints',
  'certificate_policy', // a CA that demands an explicit policy, or maps one to any: we know no policies
  'unknown_critical_extension',
  'revoked', // by its issuer's CRL, or by an operator
  'crl_stale', // its issuer has CRLs, and policy requires one in force that is not past its nextUpdate
  'crl_not_yet_valid', // the only CRLs of its issuer are from the future
  'no_identity',
  'ambiguous_identity',
  'bad_name', // a name that is not canonicalisable: wildcard, NUL, non-LDH, too long
  'openssl_disagrees', // our rules accept, the handshake's verifier does not
  'key_pin', // the key of a cluster that has moved on to another one (PIN_CLUSTER_KEYS=enforce)
  'session_reused', // a resumed session never carries a client certificate's authority
] as const);
export type RefusalRule = (typeof REFUSAL_RULES)[number];

export interface Refusal {
  readonly rule: RefusalRule;
  /** Which certificate: 'leaf', 'intermediate 1' (the leaf's issuer), …, 'anchor', or 'chain'. */
  readonly position: string;
  /** For the log: subject, the date, the limit, what was seen. One line, control characters escaped, bounded. */
  readonly detail: string;
  /** SHA-256 of the refused leaf, lower-case hex; '' when there is no leaf to name. */
  readonly sha256: string;
  /** Serial of the leaf in lower-case hex, '' when unreadable. */
  readonly serial: string;
  /** Of rule `revoked`, where an operator did it: which revocation. */
  readonly revocationId?: string | undefined;
  /** Of the leaf, escaped and bounded; undefined: nobody can read it. As good as `claimedClusters`. */
  readonly subject: string | undefined;
  /** Which clusters the refused certificate says it is of: a stranger's word, good for nothing but finding this again. */
  readonly claimedClusters?: readonly string[];
}

/** `validUntil` (ms since the epoch): the verdict must be taken again from then on. Infinity: time changes nothing. */
export type Verdict =
  | { readonly accepted: true; readonly principal: CertificatePrincipal; readonly validUntil: number }
  | {
      readonly accepted: false;
      readonly refusal: Refusal;
      readonly validUntil: number;
      /** Whom CLUSTER_CA_OBSERVE_FILE would have made of it; it is refused all the same. */
      readonly wouldBe?: ClusterPrincipal;
    };
