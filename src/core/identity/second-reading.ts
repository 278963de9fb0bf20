/**
 * The same octets read by asn1js, an independent parser, and by pkijs upon it: whatever decides who somebody is must come out the same, or
 * the certificate is refused. A certificate that two parsers read differently is how one of them was fooled elsewhere.
 *
 * No octet is read twice: asn1js says where each element begins and ends, a level at a time, and reads to the bottom what is below. What
 * stands in many certificates (the issuer's name, algorithms, most extensions) it reads once, for what a parser makes of the same octets
 * never changes.
 */

import * as asn1js from 'asn1js';
import { BasicConstraints, ExtKeyUsage } from 'pkijs';
import { boundedMemory } from '../bounded-memory.ts';
import { LIMITS } from '../limits.ts';
import type { CertificateFacts } from './certificate.ts';
import { GENERAL_NAME_TYPES, isText } from './general-name.ts';
import { OID } from './oids.ts';
import { hexOf } from './printable.ts';

type Facts = Omit<
  CertificateFacts,
  'der' | 'sha256' | 'spkiSha256' | 'version' | 'selfIssued' | 'signatureOctets'
>;

/** The first thing that is read differently; undefined: both readings agree. */
export function findDisagreement(der: Uint8Array, facts: Facts): string | undefined {
  let other: Reading;
  try {
    other = readCertificate(der);
  } catch (cause) {
    return `it cannot be read at all (${cause instanceof Error ? cause.message : 'no reason'})`;
  }
  const comparisons: readonly (readonly [what: string, same: boolean])[] = [
    ['serial number', facts.serial === hexOf(withoutSign(other.serial))],
    ['signed part', sameOctets(facts.tbsDer, other.tbs)],
    ['issuer', sameOctets(facts.issuer.der, other.issuer)],
    ['subject', sameOctets(facts.subject.der, other.subject)],
    ['notBefore', facts.notBefore === other.notBefore],
    ['notAfter', facts.notAfter === other.notAfter],
    ['public key', sameOctets(facts.spkiDer, other.publicKey)],
    ['subjectAltName', ourNames(facts) === other.names],
    ['basicConstraints', ourConstraints(facts) === other.constraints],
    ['extendedKeyUsage', facts.extendedKeyUsage?.join() === other.purposes],
  ];
  return comparisons.find(([, same]) => !same)?.[0];
}

const sameOctets = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

const withoutSign = (octets: Uint8Array): Uint8Array => (octets[0] === 0 ? octets.subarray(1) : octets);

/** Types of all names, and the values of those kinds that can be somebody's identity. */
const isNamedInText = (number: number): boolean => isText(GENERAL_NAME_TYPES[number]);

function ourNames(facts: Facts): string {
  return namesAsText(
    facts.subjectAltNames.map(({ type, octets }) => [GENERAL_NAME_TYPES.indexOf(type), octets]),
  );
}

/** Equal texts are equal names: each value stands in hex. */
function namesAsText(names: readonly (readonly [type: number, octets: Uint8Array])[]): string {
  return names.map(([type, octets]) => `${type}:${isNamedInText(type) ? hexOf(octets) : ''}`).join();
}

const ourConstraints = ({ basicConstraints }: Facts): string => constraintsAsText(basicConstraints);

const constraintsAsText = (constraints: BasicConstraintsRead | undefined): string =>
  `${constraints?.ca ?? false} ${constraints?.pathLen ?? 'none'}`;

interface BasicConstraintsRead {
  readonly ca: boolean;
  readonly pathLen: unknown;
}

/** What there is to compare, as octets and as text. */
interface Reading {
  readonly tbs: Uint8Array;
  readonly serial: Uint8Array;
  readonly issuer: Uint8Array;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  readonly names: string;
  readonly constraints: string;
  readonly purposes: string | undefined;
}

/** Classes of tags, as asn1js numbers them. */
const UNIVERSAL = 1;
const CONTEXT = 3;

/** One value: where it is, by asn1js. */
interface Element {
  readonly tagClass: number;
  readonly tagNumber: number;
  readonly whole: Uint8Array;
  readonly content: Uint8Array;
}

/** Where asn1js reads identifiers and lengths: to make these two anew for each element costs more than to read it. */
const { idBlock, lenBlock } = new asn1js.Null();

/** Its identifier and its length, read by asn1js; nothing of what is in it. Throws for what does not end inside `input`. */
function elementAt(input: Uint8Array, at: number): Element {
  const lengthAt = idBlock.fromBER(input, at, input.length - at);
  // A number that asn1js keeps as octets would leave the one of the element before.
  if (lengthAt < 0 || idBlock.isHexOnly) throw new Error('an identifier that cannot be read');
  const { tagClass, tagNumber } = idBlock;
  const contentAt = lenBlock.fromBER(input, lengthAt, input.length - lengthAt);
  if (contentAt < 0 || lenBlock.isIndefiniteForm) throw new Error('a length that cannot be read');
  const end = contentAt + lenBlock.length;
  if (end > input.length) throw new Error('an element without an end');
  return { tagClass, tagNumber, whole: input.subarray(at, end), content: input.subarray(contentAt, end) };
}

function elementsIn(input: Uint8Array): Element[] {
  const found: Element[] = [];
  for (let at = 0; at < input.length; ) {
    const element = elementAt(input, at);
    found.push(element);
    at += element.whole.length;
  }
  return found;
}

/** The one that fills the octets. */
function only(input: Uint8Array): Element {
  const element = elementAt(input, 0);
  if (element.whole.length < input.length) throw new Error('octets behind an element');
  return element;
}

/** Takes the elements of a SEQUENCE in their order. */
function fieldsOf(element: Element) {
  const elements = elementsIn(isA(element, UNIVERSAL, SEQUENCE).content);
  let at = 0;
  return {
    next(tagClass: number, tagNumber: number): Element {
      return isA(elements[at++], tagClass, tagNumber);
    },
    optional(tagClass: number, tagNumber: number): Element | undefined {
      const element = elements[at];
      if (element?.tagClass !== tagClass || element.tagNumber !== tagNumber) return undefined;
      at++;
      return element;
    },
    end(): void {
      if (at < elements.length) throw new Error('an element too many');
    },
  };
}

function isA(element: Element | undefined, tagClass: number, tagNumber: number): Element {
  if (element?.tagClass === tagClass && element.tagNumber === tagNumber) return element;
  throw new Error(`an element that is not of class ${tagClass} and number ${tagNumber}`);
}

const BOOLEAN = 1;
const INTEGER = 2;
const BIT_STRING = 3;
const OCTET_STRING = 4;
const OBJECT_IDENTIFIER = 6;
const SEQUENCE = 16;
const VERSION_3 = '02';

/** The octets are our own copy; what extensions and keys hold is looked at by who asks for it. */
const READING = { copyInput: false, parseEmbedded: false, maxNodes: LIMITS.asn1ValuesMax };

/** What asn1js makes of octets that are one value, down to the bottom. Throws where it cannot read them. */
function readWhole(octets: Uint8Array): asn1js.AsnType {
  const { offset, result } = asn1js.fromBER(octets, READING);
  if (offset !== octets.length) throw new Error(result.error || 'octets behind an element');
  return result;
}

/** Octets that asn1js has read to the bottom, by themselves: those of them that many certificates have. */
const readBefore = boundedMemory<string, true>(LIMITS.partsReadMax);

function readCommon({ whole }: Element): void {
  if (whole.length > LIMITS.partReadOctetsMax) return void readWhole(whole);
  const key = Buffer.from(whole.buffer, whole.byteOffset, whole.length).toString('latin1');
  if (readBefore.has(key)) return;
  readWhole(whole);
  readBefore.set(key, true);
}

function readTime(element: Element | undefined): number {
  const time = element === undefined ? undefined : readWhole(element.whole);
  if (time instanceof asn1js.UTCTime || time instanceof asn1js.GeneralizedTime)
    return time.toDate().getTime();
  throw new Error('a validity that is no time');
}

function readCertificate(der: Uint8Array): Reading {
  const certificate = fieldsOf(only(der));
  const tbs = certificate.next(UNIVERSAL, SEQUENCE);
  readCommon(certificate.next(UNIVERSAL, SEQUENCE));
  certificate.next(UNIVERSAL, BIT_STRING);
  certificate.end();
  return { tbs: tbs.whole, ...readTbs(tbs) };
}

function readTbs(tbs: Element): Omit<Reading, 'tbs'> {
  const fields = fieldsOf(tbs);
  const version = isA(only(fields.next(CONTEXT, 0).content), UNIVERSAL, INTEGER);
  if (hexOf(version.content) !== VERSION_3) throw new Error('another version');
  const serial = fields.next(UNIVERSAL, INTEGER);
  readCommon(fields.next(UNIVERSAL, SEQUENCE));
  const issuer = fields.next(UNIVERSAL, SEQUENCE);
  readCommon(issuer);
  const [from, until, ...more] = elementsIn(fields.next(UNIVERSAL, SEQUENCE).content);
  if (more.length > 0) throw new Error('a validity of more than two times');
  const subject = fields.next(UNIVERSAL, SEQUENCE);
  readWhole(subject.whole);
  const publicKey = fields.next(UNIVERSAL, SEQUENCE);
  const key = fieldsOf(publicKey);
  readCommon(key.next(UNIVERSAL, SEQUENCE));
  key.next(UNIVERSAL, BIT_STRING);
  key.end();
  fields.optional(CONTEXT, 1);
  fields.optional(CONTEXT, 2);
  const extensions = fields.optional(CONTEXT, 3);
  fields.end();
  return {
    serial: serial.content,
    issuer: issuer.whole,
    notBefore: readTime(from),
    notAfter: readTime(until),
    subject: subject.whole,
    publicKey: publicKey.whole,
    ...readExtensions(extensions),
  };
}

type ExtensionsRead = Pick<Reading, 'names' | 'constraints' | 'purposes'>;

const oidOctets = (oid: string): string =>
  hexOf(new Uint8Array(new asn1js.ObjectIdentifier({ value: oid }).toBER()));
const SUBJECT_ALT_NAME = oidOctets(OID.subjectAltName);
const BASIC_CONSTRAINTS = oidOctets(OID.basicConstraints);
const EXTENDED_KEY_USAGE = oidOctets(OID.extendedKeyUsage);

function readExtensions(list: Element | undefined): ExtensionsRead {
  let [names, constraints, purposes]: [string, string, string | undefined] = [
    '',
    constraintsAsText(undefined),
    undefined,
  ];
  const extensions =
    list === undefined ? [] : elementsIn(isA(only(list.content), UNIVERSAL, SEQUENCE).content);
  for (const extension of extensions) {
    const fields = fieldsOf(extension);
    const oid = fields.next(UNIVERSAL, OBJECT_IDENTIFIER);
    readCommon(oid);
    fields.optional(UNIVERSAL, BOOLEAN);
    const { content } = fields.next(UNIVERSAL, OCTET_STRING);
    fields.end();
    switch (hexOf(oid.whole)) {
      case SUBJECT_ALT_NAME:
        names = readNames(content);
        break;
      case BASIC_CONSTRAINTS:
        constraints = readConstraints(content);
        break;
      case EXTENDED_KEY_USAGE:
        purposes = readPurposes(content);
    }
  }
  return { names, constraints, purposes };
}

function readNames(octets: Uint8Array): string {
  const names = elementsIn(isA(only(octets), UNIVERSAL, SEQUENCE).content);
  for (const { tagNumber, whole } of names) if (!isNamedInText(tagNumber)) readWhole(whole);
  return namesAsText(
    names.map((name) => [isA(name, CONTEXT, name.tagNumber).tagNumber, name.content] as const),
  );
}

/** By pkijs, which few different octets are asked of. */
const readConstraints = once((octets) => {
  const { cA, pathLenConstraint } = new BasicConstraints({ schema: readWhole(octets) });
  return constraintsAsText({ ca: cA, pathLen: pathLenConstraint });
});
const readPurposes = once((octets) => new ExtKeyUsage({ schema: readWhole(octets) }).keyPurposes.join());

function once(read: (octets: Uint8Array) => string): (octets: Uint8Array) => string {
  const before = boundedMemory<string, string>(LIMITS.partsReadMax);
  return (octets) => {
    if (octets.length > LIMITS.partReadOctetsMax) return read(octets);
    const key = hexOf(octets);
    const known = before.get(key);
    if (known !== undefined) return known;
    const said = read(octets);
    before.set(key, said);
    return said;
  };
}
