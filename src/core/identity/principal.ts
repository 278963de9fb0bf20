import type { Grants } from '../policy/roles.ts';

/** Who is asking: exactly one principal per request (contract §4). Handlers see a principal, never a certificate. */

/** What a log line or a policy may know of the accepted certificate. Fingerprints and serials are lower-case hex. */
export interface CertificateReference {
  /** SHA-256 of the leaf's DER. */
  readonly sha256: string;
  readonly spkiSha256: string;
  readonly serial: string;
  /** Readable, for people; never compared. */
  readonly subject: string;
  readonly issuer: string;
  /** SHA-256 of the anchor that the accepted path ends in. */
  readonly anchorSha256: string;
  /** SHA-256 of each certificate above the leaf on that path, the anchor last. */
  readonly issuersSha256: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** Of a principal that is made up, to ask the policies about: no certificate has any of it. */
export const NO_CERTIFICATE: CertificateReference = Object.freeze({
  sha256: '',
  spkiSha256: '',
  serial: '',
  subject: '',
  issuer: '',
  anchorSha256: '',
  issuersSha256: Object.freeze([]),
  notAfter: 0,
});

export interface ClusterPrincipal {
  readonly kind: 'cluster';
  /** Canonical DNS name: equal to the path's `cluster_dns`, or it is another cluster. */
  readonly dns: string;
  readonly certificate: CertificateReference;
}

export interface OperatorPrincipal {
  readonly kind: 'operator';
  /** The one email, DNS or SPIFFE name of the certificate. */
  readonly name: string;
  /** The subject's O values, as Kubernetes reads them. */
  readonly groups: readonly string[];
  readonly certificate: CertificateReference;
}

/**
 * A shared token of the environment (`tokenId`: the start of its SHA-256, enough to tell tokens apart in a log), or a token
 * record of kind reader (`tokenId`: the record's).
 */
export interface SharedTokenPrincipal {
  readonly kind: 'reader' | 'writer';
  readonly tokenId: string;
  /** Of a writer: the token is a read token as well, so clusters may poll with it. */
  readonly alsoReads?: true;
}

/** A token record that stands for one cluster, until that cluster comes with its certificate. */
export interface ClusterTokenPrincipal {
  readonly kind: 'cluster_token';
  readonly dns: string;
  readonly tokenId: string;
}

/** A token record that stands for a person or a program that operates the fleet. */
export interface OperatorTokenPrincipal {
  readonly kind: 'operator_token';
  /** The record's, not unique: a token and the one that is to replace it share it. */
  readonly name: string;
  readonly tokenId: string;
  readonly grants: Grants;
  /** Milliseconds since the epoch. What it makes may not outlive it. */
  readonly expiresMs: number;
}

/** A pipeline with an OpenID Connect token of OIDC_ISSUER: nobody in particular until a policy speaks of its claims. */
export interface WorkloadPrincipal {
  readonly kind: 'workload';
  readonly issuer: string;
  readonly subject: string;
  /** `name=value`, bounded in number and length. */
  readonly claims: readonly string[];
}

export type TokenRecordPrincipal = SharedTokenPrincipal | ClusterTokenPrincipal | OperatorTokenPrincipal;
export type TokenPrincipal = TokenRecordPrincipal | WorkloadPrincipal;

export interface AnonymousPrincipal {
  readonly kind: 'anonymous';
}

export type CertificatePrincipal = ClusterPrincipal | OperatorPrincipal;
export type Principal = CertificatePrincipal | TokenPrincipal | AnonymousPrincipal;
export type PrincipalKind = Principal['kind'];

export const ANONYMOUS: AnonymousPrincipal = Object.freeze({ kind: 'anonymous' });

export function isTokenPrincipal(principal: Principal): principal is TokenPrincipal {
  return TOKEN_PRINCIPALS.includes(principal.kind);
}

const TOKEN_PRINCIPALS: readonly PrincipalKind[] = [
  'reader',
  'writer',
  'cluster_token',
  'operator_token',
  'workload',
];

/** Which token it was, for the log; undefined: none that has an id. */
export function tokenIdOf(principal: Principal): string | undefined {
  return 'tokenId' in principal ? principal.tokenId : undefined;
}

/** For a log line: never a secret, never unbounded. */
export function describePrincipal(principal: Principal): string {
  switch (principal.kind) {
    case 'cluster':
      return `cluster:${principal.dns}`;
    case 'operator':
      return `operator:${principal.name}`;
    case 'reader':
    case 'writer':
      return `${principal.kind}:token-${principal.tokenId}`;
    case 'cluster_token':
      return `cluster-token:${principal.dns}`;
    case 'operator_token':
      return `operator:${operatorTokenName(principal)}`;
    case 'workload':
      return `workload:${principal.subject}`;
    case 'anonymous':
      return 'anonymous';
  }
}

/** No certificate's name holds a colon beside this one's, so no token can pass for a certificate by its name. */
export function operatorTokenName({ name }: OperatorTokenPrincipal): string {
  return `token:${name}`;
}
