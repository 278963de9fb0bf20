import type { Principal } from '../core/identity/principal.ts';
import type { RequestRecord } from './http/pipeline.ts';
import type { CredentialKind, Presentation } from './presentations.ts';

export type Sighted = Pick<Presentation, 'kind' | 'name' | 'credential' | 'certificate' | 'tokenId'>;

/** Who showed what in this request, if it says anything of whom trust is for. */
export function sightingIn(record: RequestRecord, status: number): Sighted | undefined {
  const { verdict, principal, clusterDns } = record;
  if (verdict?.accepted === true) return ofCertificate(verdict.principal, 'certificate');
  if (verdict?.wouldBe !== undefined) return ofCertificate(verdict.wouldBe, 'observed');
  if (verdict !== undefined || status !== 200 || clusterDns === undefined) return undefined;
  // A token says nothing of who holds it: only what it was given for a cluster counts, and only on that cluster's routes.
  if (record.operation?.audience !== 'flux') return undefined;
  if (principal.kind !== 'reader' && principal.kind !== 'writer' && principal.kind !== 'cluster_token') {
    return undefined;
  }
  return {
    kind: 'cluster',
    name: clusterDns,
    credential: 'token',
    certificate: undefined,
    tokenId: principal.tokenId,
  };
}

function ofCertificate(
  principal: Extract<Principal, { certificate: unknown }>,
  credential: CredentialKind,
): Sighted {
  const name = principal.kind === 'cluster' ? principal.dns : principal.name;
  return {
    kind: principal.kind,
    name,
    credential,
    certificate: principal.certificate,
    tokenId: undefined,
  };
}

/** By what was accepted and how: a path to another anchor after a reload is another state of affairs. */
export function isSameCredential(
  before: Pick<Presentation, 'certificate' | 'tokenId'>,
  { certificate, tokenId }: Sighted,
): boolean {
  return (
    before.tokenId === tokenId &&
    // Nearly always the very same object: a verdict that is remembered.
    (before.certificate === certificate ||
      (before.certificate?.sha256 === certificate?.sha256 &&
        before.certificate?.issuersSha256.join() === certificate?.issuersSha256.join()))
  );
}
