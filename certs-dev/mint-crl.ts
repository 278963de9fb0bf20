/** Mints certificate revocation lists (RFC 5280 §5), stale and odd ones included. */
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { certificateTime, distinguishedName, type Minted, pemOf } from './mint.ts';
import { authorityKeyIdentifier, extension, type RawExtension } from './mint-extensions.ts';
import { type SignatureChoice, signatureScheme } from './mint-keys.ts';

export interface CrlRequest extends SignatureChoice {
  readonly issuer: Minted;
  readonly thisUpdate: Date;
  /** null: a list that never says when it goes stale. */
  readonly nextUpdate: Date | null;
  /** cRLNumber; absent: no such extension. */
  readonly number?: number;
  readonly revoked: readonly {
    /** Content octets of the serial's INTEGER: `Minted.serial`. */
    readonly serial: Uint8Array;
    readonly date: Date;
    /** CRLReason (RFC 5280 §5.3.1): 1 keyCompromise, 6 certificateHold, 8 removeFromCRL, … */
    readonly reason?: number;
  }[];
  readonly extensions?: readonly RawExtension[];
}

export interface MintedCrl {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly pem: string;
}

function revokedEntry(entry: CrlRequest['revoked'][number]): pkijs.RevokedCertificate {
  const reason =
    entry.reason === undefined
      ? undefined
      : extension('2.5.29.21', false, new asn1js.Enumerated({ value: entry.reason }));
  return new pkijs.RevokedCertificate({
    userCertificate: new asn1js.Integer({ valueHex: entry.serial }),
    revocationDate: certificateTime(entry.date),
    ...(reason === undefined ? {} : { crlEntryExtensions: new pkijs.Extensions({ extensions: [reason] }) }),
  });
}

export async function mintCrl(request: CrlRequest): Promise<MintedCrl> {
  const { issuer, nextUpdate, number } = request;
  const scheme = signatureScheme(issuer.keys.kind, request);
  const extensions = [authorityKeyIdentifier(issuer.subjectKeyId)];
  if (number !== undefined)
    extensions.push(extension('2.5.29.20', false, new asn1js.Integer({ value: number })));
  for (const raw of request.extensions ?? []) extensions.push(extension(raw.oid, raw.critical, raw.value));
  const crl = new pkijs.CertificateRevocationList({
    version: 1, // v2
    signature: scheme.algorithm,
    issuer: distinguishedName(issuer.request.subject),
    thisUpdate: certificateTime(request.thisUpdate),
    ...(nextUpdate === null ? {} : { nextUpdate: certificateTime(nextUpdate) }),
    // RFC 5280 §5.1.2.6: absent, never empty.
    ...(request.revoked.length === 0 ? {} : { revokedCertificates: request.revoked.map(revokedEntry) }),
    crlExtensions: new pkijs.Extensions({ extensions }),
    signatureAlgorithm: scheme.algorithm,
  });
  const unsigned: asn1js.Sequence = crl.toSchema(true);
  const signed = unsigned.valueBlock.value[0];
  if (signed === undefined) throw new TypeError('pkijs wrote a CRL without a tbsCertList');
  const signature = scheme.sign(new Uint8Array(signed.toBER()), issuer.keys.privateKey);
  crl.signatureValue = new asn1js.BitString({ valueHex: signature });
  const der = new Uint8Array(crl.toSchema(true).toBER());
  return Object.freeze({ der, pem: pemOf('X509 CRL', der) });
}
