/**
 * Mints certificates for development and tests, good and hostile ones. Nothing here judges a request: a wildcard, a
 * SHA-1 signature or a CA with `pathLen` on a leaf is written as asked.
 */
import { randomBytes } from 'node:crypto';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';
import { type ExtensionRequest, keyIdentifier, requestedExtensions } from './mint-extensions.ts';
import {
  generateKey,
  type KeyKind,
  type KeyPair,
  type SignatureChoice,
  signatureScheme,
} from './mint-keys.ts';
import { nameDer, type SubjectRequest } from './mint-names.ts';
import {
  caRequest,
  clusterRequest,
  intermediateRequest,
  type Overrides,
  operatorRequest,
  serverRequest,
  validity,
} from './mint-roles.ts';

export interface MintRequest extends ExtensionRequest, SignatureChoice {
  readonly subject: SubjectRequest;
  /** Absent: self-signed. */
  readonly issuer?: Minted;
  /** Default P-256. */
  readonly key?: KeyKind;
  /** The same key pair: renewals, cross-signing, and tests that cannot wait for RSA. Stronger than `key`. */
  readonly reuseKeyOf?: { readonly keys: KeyPair };
  /** Default: five minutes ago, for clocks that are late. */
  readonly notBefore?: Date;
  /** Default: 90 days after `notBefore`. */
  readonly notAfter?: Date;
  /** Content octets of the INTEGER, written as they are. Default: 16 random ones, positive. */
  readonly serial?: Uint8Array;
  /** Default 3. Extensions are written whatever the version says. */
  readonly version?: 1 | 2 | 3;
}

export interface Minted {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly pem: string;
  /** PKCS #8, PEM. */
  readonly keyPem: string;
  readonly issuer?: Minted;
  readonly request: MintRequest;
  readonly serial: Uint8Array<ArrayBuffer>;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly keys: KeyPair;
  /** What its children get as authorityKeyIdentifier. */
  readonly subjectKeyId: Uint8Array<ArrayBuffer>;
}

function randomSerial(): Uint8Array<ArrayBuffer> {
  const serial = new Uint8Array(randomBytes(16));
  // Positive, and without a leading zero octet that DER would refuse.
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

/** RFC 5280 §4.1.2.5: whole seconds, UTCTime through 2049 and GeneralizedTime from then on. */
export function certificateTime(date: Date): pkijs.Time {
  const value = new Date(Math.floor(date.getTime() / 1000) * 1000);
  if (Number.isNaN(value.getTime())) throw new TypeError('not a date');
  const year = value.getUTCFullYear();
  const type = year >= 1950 && year < 2050 ? pkijs.TimeType.UTCTime : pkijs.TimeType.GeneralizedTime;
  return new pkijs.Time({ type, value });
}

export function distinguishedName(subject: SubjectRequest): pkijs.RelativeDistinguishedNames {
  return new pkijs.RelativeDistinguishedNames({ valueBeforeDecode: nameDer(subject).buffer });
}

export function pemOf(label: string, der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n');
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
}

export async function mint(request: MintRequest): Promise<Minted> {
  const { issuer, reuseKeyOf } = request;
  const keys = reuseKeyOf?.keys ?? (await generateKey(request.key ?? 'P-256'));
  const scheme = signatureScheme(issuer?.keys.kind ?? keys.kind, request);
  const spki = pkijs.PublicKeyInfo.fromBER(keys.publicKey.export({ type: 'spki', format: 'der' }));
  const subjectKeyId = new Uint8Array(request.subjectKeyId ?? keyIdentifier(spki));
  const serial = new Uint8Array(request.serial ?? randomSerial());
  const lifetime = { ...validity(90, request.notBefore), ...request };
  const notBefore = certificateTime(lifetime.notBefore);
  const notAfter = certificateTime(lifetime.notAfter);
  const extensions = requestedExtensions(request, {
    subjectKeyId,
    ...(issuer === undefined ? {} : { authorityKeyId: issuer.subjectKeyId }),
    subjectIsEmpty: request.subject.CN === undefined && (request.subject.O ?? []).length === 0,
  });
  const certificate = new pkijs.Certificate({
    version: (request.version ?? 3) - 1,
    serialNumber: new asn1js.Integer({ valueHex: serial }),
    signature: scheme.algorithm,
    issuer: distinguishedName(issuer?.request.subject ?? request.subject),
    notBefore,
    notAfter,
    subject: distinguishedName(request.subject),
    subjectPublicKeyInfo: spki,
    ...(extensions.length === 0 ? {} : { extensions }),
    signatureAlgorithm: scheme.algorithm,
  });
  const signed = new Uint8Array(certificate.encodeTBS().toBER());
  const signature = scheme.sign(signed, (issuer?.keys ?? keys).privateKey);
  certificate.signatureValue = new asn1js.BitString({ valueHex: signature });
  const der = new Uint8Array(certificate.toSchema(true).toBER());
  return Object.freeze({
    der,
    pem: pemOf('CERTIFICATE', der),
    keyPem: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ...(issuer === undefined ? {} : { issuer }),
    request,
    serial,
    notBefore: notBefore.value,
    notAfter: notAfter.value,
    keys,
    subjectKeyId,
  });
}

/** A self-signed root, five years. */
export function mintCa(CN: string, overrides?: Overrides): Promise<Minted> {
  return mint(caRequest(CN, overrides));
}

/** An issuing CA under `issuer`: it may sign leaves, and no further CA. */
export function mintIntermediate(CN: string, issuer: Minted, overrides?: Overrides): Promise<Minted> {
  return mint(intermediateRequest(CN, issuer, overrides));
}

/** What a cluster's cert-manager would get: one dNSName, clientAuth, 90 days. */
export function mintClusterCertificate(dns: string, issuer: Minted, overrides?: Overrides): Promise<Minted> {
  return mint(clusterRequest(dns, issuer, overrides));
}

/** An operator: an email names them, the subject's O values are their groups. */
export function mintOperatorCertificate(
  email: string,
  groups: readonly string[],
  issuer: Minted,
  overrides?: Overrides,
): Promise<Minted> {
  return mint(operatorRequest(email, groups, issuer, overrides));
}

/** A server's certificate; a name that is an IP address becomes an iPAddress. */
export function mintServerCertificate(
  names: readonly string[],
  issuer: Minted,
  overrides?: Overrides,
): Promise<Minted> {
  return mint(serverRequest(names, issuer, overrides));
}

/** PEM of the certificate and of each one above it, without the self-signed root: what a peer presents. */
export function chainPem(leaf: Minted): string {
  let pem = leaf.pem;
  for (let above = leaf.issuer; above?.issuer !== undefined; above = above.issuer) pem += above.pem;
  return pem;
}
