/**
 * DER → facts (RFC 5280 §4.1). Everything that a rule may ask of a certificate is read here, once; nothing is judged beyond
 * what makes the octets a certificate of version 3 in exactly one reading.
 */

import { createHash, X509Certificate } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { context, contextConstructed, DerError, type DerNode, Fields, readWhole, TAG } from './der.ts';
import { isNegative, readBitStringOctets, readCount, readInteger, readTime } from './der-values.ts';
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts';
import { type ExtensionFacts, readExtensions } from './extensions.ts';
import { type GeneralNameType, isText } from './general-name.ts';
import { hexOf, printable } from './printable.ts';
import { type PublicKeyFacts, readPublicKey } from './public-key.ts';
import { CertificateRefused } from './refused.ts';
import { findDisagreement } from './second-reading.ts';
import { readSignatureAlgorithm, type SignatureFacts } from './signature.ts';

export interface CertificateFacts extends ExtensionFacts {
  readonly der: Uint8Array;
  /** Of the whole DER; lower-case hex, as are all fingerprints here. */
  readonly sha256: string;
  readonly spkiSha256: string;
  readonly spkiDer: Uint8Array;
  /** The INTEGER's octets in lower-case hex, without the sign's zero octet. */
  readonly serial: string;
  readonly version: 3;
  readonly subject: DistinguishedName;
  readonly issuer: DistinguishedName;
  /** Subject and issuer are one name (RFC 5280 §6.1: self-issued), which says nothing about who signed. */
  readonly selfIssued: boolean;
  /** Milliseconds since the epoch; both seconds belong to the validity. */
  readonly notBefore: number;
  readonly notAfter: number;
  readonly publicKey: PublicKeyFacts;
  readonly signature: SignatureFacts;
  readonly tbsDer: Uint8Array;
  readonly signatureOctets: Uint8Array;
}

/** RFC 5280 §4.1.2.2. */
const SERIAL_OCTETS_MAX = 20;

const sha256 = (octets: Uint8Array): string => createHash('sha256').update(octets).digest('hex');

function readSerial(node: DerNode): string {
  const octets = readInteger(node, 'the serial number');
  if (isNegative(octets)) throw new DerError('a negative serial number');
  const digits = octets[0] === 0 ? octets.subarray(1) : octets;
  if (digits.length === 0) throw new DerError('the serial number zero');
  if (octets.length > SERIAL_OCTETS_MAX) {
    throw new DerError(
      `a serial number of ${octets.length} octets; at most ${SERIAL_OCTETS_MAX} are allowed`,
    );
  }
  return hexOf(digits);
}

const sameOctets = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function readTbs(tbs: DerNode, outerAlgorithm: DerNode) {
  const fields = new Fields(tbs, 'the certificate');
  const version = fields.optional(contextConstructed(0));
  if (version === undefined || readCount(readWhole(version.content), 'the version') !== 2) {
    throw new DerError('not of version 3');
  }
  const serial = readSerial(fields.next(TAG.integer, 'serial number'));
  const innerAlgorithm = fields.next(TAG.sequence, 'signature algorithm');
  // RFC 5280 §4.1.1.2. The outer one is not signed: a difference means that somebody touched it.
  if (!sameOctets(innerAlgorithm.bytes, outerAlgorithm.bytes)) {
    throw new DerError('the signature algorithms inside and outside of the signed part differ');
  }
  const issuer = readDistinguishedName(fields.next(TAG.sequence, 'issuer'), 'the issuer');
  if (issuer.canonicalRdns.length === 0) throw new DerError('an empty issuer');
  const validity = new Fields(fields.next(TAG.sequence, 'validity'), 'the validity');
  const notBefore = readTime(validity.next(undefined, 'notBefore'), 'notBefore');
  const notAfter = readTime(validity.next(undefined, 'notAfter'), 'notAfter');
  validity.end();
  if (notAfter < notBefore) throw new DerError('a validity that ends before it begins');
  const subject = readDistinguishedName(fields.next(TAG.sequence, 'subject'), 'the subject');
  const spki = fields.next(TAG.sequence, 'public key');
  // issuerUniqueID and subjectUniqueID: allowed in v3, used by nobody, read over.
  fields.optional(context(1));
  fields.optional(context(2));
  const extensions = fields.optional(contextConstructed(3));
  fields.end();
  return {
    serial,
    issuer,
    notBefore,
    notAfter,
    subject,
    spkiDer: spki.bytes,
    publicKey: Object.freeze(readPublicKey(spki)),
    signature: Object.freeze(readSignatureAlgorithm(innerAlgorithm)),
    ...readExtensions(extensions === undefined ? undefined : readWhole(extensions.content)),
  };
}

/** Whatever octets it has, OpenSSL reads it. */
const isFlat = (type: GeneralNameType): boolean => isText(type) || type === 'iPAddress';

/** OpenSSL must read the same certificate out of the same octets; so must asn1js, see second-reading.ts. */
function crossCheck(
  der: Uint8Array,
  facts: Pick<CertificateFacts, 'serial' | 'notBefore' | 'notAfter' | 'subjectAltNames'>,
): void {
  let other: X509Certificate;
  try {
    other = new X509Certificate(der);
  } catch (cause) {
    throw new DerError(`OpenSSL cannot read it (${cause instanceof Error ? cause.message : 'no reason'})`);
  }
  const same =
    other.raw.length === der.length &&
    other.serialNumber.toLowerCase().replace(/^0+/, '') === facts.serial.replace(/^0+/, '') &&
    other.validFromDate.getTime() === facts.notBefore &&
    other.validToDate.getTime() === facts.notAfter;
  if (!same) throw new DerError('OpenSSL reads another serial number or validity out of it');
  // Where it cannot read one name, it sees none of the list. What it makes of the names is a printed form, which nobody goes by.
  const hasInsides = facts.subjectAltNames.some(({ type }) => !isFlat(type));
  if (hasInsides && other.subjectAltName === undefined) {
    throw new DerError('OpenSSL cannot read the names in its subjectAltName');
  }
}

/** The facts of one certificate, by all three parsers. Throws what `readFacts` and `confirmFacts` throw. */
export function readCertificate(input: Uint8Array): CertificateFacts {
  const facts = readFacts(input);
  confirmFacts(facts);
  return facts;
}

/** Throws CertificateRefused, `malformed`, where the second parser reads something else. Most of what a certificate costs. */
export function confirmFacts(facts: CertificateFacts): void {
  const disagreement = findDisagreement(facts.der, facts);
  if (disagreement !== undefined) {
    throw new CertificateRefused('malformed', printable(`asn1js reads it differently: ${disagreement}`));
  }
}

/** In its place where the same octets were accepted before: what the parsers make of them cannot have changed. */
export const confirmedBefore = (): void => undefined;

/**
 * The facts of one certificate by our parser, of which some were compared with OpenSSL's: to refuse by, but nobody is accepted by it
 * before `confirmFacts`, now or when the same octets were accepted before. Throws CertificateRefused: `malformed` for octets that are
 * not strictly one certificate, `too_large` for what exceeds a limit. The octets are copied first: what is judged cannot change
 * afterwards.
 */
export function readFacts(input: Uint8Array): CertificateFacts {
  if (input.length > LIMITS.chainBytesMax) {
    throw new CertificateRefused(
      'too_large',
      `${input.length} octets; a certificate has at most ${LIMITS.chainBytesMax}`,
    );
  }
  const der = new Uint8Array(input);
  try {
    const fields = new Fields(readWhole(der), 'the certificate');
    const tbs = fields.next(TAG.sequence, 'signed part');
    const algorithm = fields.next(TAG.sequence, 'signature algorithm');
    const signatureOctets = readBitStringOctets(fields.next(TAG.bitString, 'signature'), 'the signature');
    fields.end();
    const facts = readTbs(tbs, algorithm);
    crossCheck(der, facts);
    return Object.freeze({
      ...facts,
      der,
      sha256: sha256(der),
      spkiSha256: sha256(facts.spkiDer),
      version: 3,
      selfIssued: facts.subject.canonical === facts.issuer.canonical,
      tbsDer: tbs.bytes,
      signatureOctets,
    });
  } catch (error) {
    if (error instanceof DerError) throw new CertificateRefused('malformed', printable(error.message));
    throw error;
  }
}

/** For people: the subject, or what else there is to recognise a certificate by. */
export function describeCertificate(facts: CertificateFacts): string {
  const subject = facts.subject.readable === '' ? `serial ${facts.serial}` : facts.subject.readable;
  return `"${subject}" (sha256 ${facts.sha256.slice(0, 16)}…)`;
}
