/** What an operator may revoke, in the one spelling in which it is stored, compared and shown. */

import type { ErrorDetail } from '../errors.ts';

export const REVOCATION_KINDS = Object.freeze([
  /** One certificate, be it a client's, an intermediate's or an anchor's: whatever path has it is refused. */
  'certificate_sha256',
  /** One key, in whatever certificate it stands. */
  'spki_sha256',
  /** One certificate by its number and whose it is: a CA may have several certificates of one name and key (RFC 5280 §4.1.2.2). */
  'issuer_serial',
  /** Every certificate and token of one cluster. */
  'cluster_dns',
] as const);
export type RevocationKind = (typeof REVOCATION_KINDS)[number];

/** Fingerprints and serials in lower-case hex, as in CertificateFacts. */
export type RevocationTarget =
  | { readonly kind: 'certificate_sha256'; readonly sha256: string }
  | { readonly kind: 'spki_sha256'; readonly sha256: string }
  | {
      readonly kind: 'issuer_serial';
      /** As the operator named it; `issuerKey` is what is compared. */
      readonly issuerSha256: string;
      readonly serial: string;
      /** `issuerKeyOf` its certificates, all of them. */
      readonly issuerKey: string;
    }
  | { readonly kind: 'cluster_dns'; readonly dns: string };

/** The body's fields that name what is revoked; already of the document's schema. */
export interface RequestedTarget {
  readonly certificate_sha256?: string;
  readonly spki_sha256?: string;
  readonly issuer_sha256?: string;
  readonly serial?: string;
  readonly cluster_dns?: string;
}

/** What a look-up goes by. */
export function lookUpKeyOf(target: RevocationTarget): string {
  return target.kind === 'issuer_serial'
    ? serialLookUpKey(target.issuerKey, target.serial)
    : keyOfTarget(target);
}

export function serialLookUpKey(issuerKey: string, serial: string): string {
  return `issuer_serial ${issuerKey} ${serial}`;
}

/** How a target is stored. No part holds a space, so no two targets have one key. */
export function keyOfTarget(target: RevocationTarget): string {
  switch (target.kind) {
    case 'certificate_sha256':
    case 'spki_sha256':
      return `${target.kind} ${target.sha256}`;
    case 'issuer_serial':
      return `${target.kind} ${target.issuerSha256} ${target.serial} ${target.issuerKey}`;
    case 'cluster_dns':
      return `${target.kind} ${target.dns}`;
  }
}

/** The reverse of `keyOfTarget`; undefined for what it never made. */
export function targetOfKey(key: string): RevocationTarget | undefined {
  const [kind, first = '', second = '', third = '', ...rest] = key.split(' ');
  const ofIssuer = kind === 'issuer_serial';
  if (first === '' || rest.length > 0 || (second !== '') !== ofIssuer || (third !== '') !== ofIssuer) {
    return undefined;
  }
  switch (kind) {
    case 'certificate_sha256':
    case 'spki_sha256':
      return { kind, sha256: first };
    case 'issuer_serial':
      return { kind, issuerSha256: first, serial: second, issuerKey: third };
    case 'cluster_dns':
      return { kind, dns: first };
    default:
      return undefined;
  }
}

/** The fields by which an answer names the target. */
export function fieldsOfTarget(target: RevocationTarget): RequestedTarget {
  switch (target.kind) {
    case 'certificate_sha256':
      return { certificate_sha256: target.sha256 };
    case 'spki_sha256':
      return { spki_sha256: target.sha256 };
    case 'issuer_serial':
      return { issuer_sha256: target.issuerSha256, serial: target.serial };
    case 'cluster_dns':
      return { cluster_dns: target.dns };
  }
}

/** Hex as tools print it (either case, with or without colons) → as CertificateFacts has it. */
const hex = (text: string): string => text.replaceAll(':', '').toLowerCase();

/** A serial without leading zeros, in whole octets; '' for zero, which no certificate has. */
function canonicalSerial(text: string): string {
  const digits = hex(text).replace(/^0+/, '');
  return digits.length % 2 === 0 ? digits : `0${digits}`;
}

const UNKNOWN_ISSUER =
  'must be the fingerprint of a CA certificate in CLUSTER_CA_FILE or OPERATOR_CA_FILE; for another issuer, revoke by ' +
  'certificate_sha256 or spki_sha256';

const WHICH =
  'must be exactly one of certificate_sha256, spki_sha256, issuer_sha256 with serial, or cluster_dns';

/**
 * Exactly one target; undefined: none or several were named, and `details` says so. `issuerKeyOf`: the key of the CA certificate
 * of this fingerprint, undefined where it is not known.
 */
export function readRevocationTarget(
  body: RequestedTarget,
  issuerKeyOf: (sha256: string) => string | undefined,
): {
  readonly target: RevocationTarget | undefined;
  readonly details: readonly ErrorDetail[];
} {
  const refuse = (field: string, problem: string) => ({ target: undefined, details: [{ field, problem }] });
  if ((body.issuer_sha256 === undefined) !== (body.serial === undefined)) {
    return body.serial === undefined
      ? refuse('/serial', 'is required beside issuer_sha256')
      : refuse('/issuer_sha256', 'is required beside serial: serials are unique under one issuer only');
  }
  const found: RevocationTarget[] = [];
  if (body.certificate_sha256 !== undefined)
    found.push({ kind: 'certificate_sha256', sha256: hex(body.certificate_sha256) });
  if (body.spki_sha256 !== undefined) found.push({ kind: 'spki_sha256', sha256: hex(body.spki_sha256) });
  if (body.issuer_sha256 !== undefined && body.serial !== undefined) {
    const serial = canonicalSerial(body.serial);
    if (serial === '') return refuse('/serial', 'must not be zero: no certificate has that serial number');
    const issuerKey = issuerKeyOf(hex(body.issuer_sha256));
    if (issuerKey === undefined) return refuse('/issuer_sha256', UNKNOWN_ISSUER);
    found.push({ kind: 'issuer_serial', issuerSha256: hex(body.issuer_sha256), serial, issuerKey });
  }
  if (body.cluster_dns !== undefined) found.push({ kind: 'cluster_dns', dns: body.cluster_dns });
  const [target, ...others] = found;
  if (target === undefined || others.length > 0) return refuse('/', WHICH);
  return { target, details: [] };
}
