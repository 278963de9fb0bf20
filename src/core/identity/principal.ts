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

/** A shared token of the environment; `tokenId` is the start of its SHA-256: enough to tell tokens apart in a log. */
export interface TokenPrincipal {
  readonly kind: 'reader' | 'writer';
  readonly tokenId: string;
}

export interface AnonymousPrincipal {
  readonly kind: 'anonymous';
}

export type CertificatePrincipal = ClusterPrincipal | OperatorPrincipal;
export type Principal = CertificatePrincipal | TokenPrincipal | AnonymousPrincipal;
export type PrincipalKind = Principal['kind'];

export const ANONYMOUS: AnonymousPrincipal = Object.freeze({ kind: 'anonymous' });

export function isTokenPrincipal(principal: Principal): principal is TokenPrincipal {
  return principal.kind === 'reader' || principal.kind === 'writer';
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
    case 'anonymous':
      return 'anonymous';
  }
}
