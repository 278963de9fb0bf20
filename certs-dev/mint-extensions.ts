/** The DER of certificate extensions, odd ones included: what is asked for is what is written, right or wrong. */
import { hash } from 'node:crypto';
import * as asn1js from 'asn1js';
import ipaddr from 'ipaddr.js';
import * as pkijs from 'pkijs';
import { nameDer } from './mint-names.ts';

export type GeneralNameType = 'dns' | 'email' | 'uri' | 'ip' | 'dirname' | 'other';

/**
 * A GeneralName. Octets are written as they are: the content of the string or of iPAddress, the whole DER of a
 * directoryName's Name, the two fields of otherName. Text: an address (a CIDR in a constraint) for `ip`, a CN for
 * `dirname`, a Microsoft UPN for `other`.
 */
export interface NameValue {
  readonly type: GeneralNameType;
  readonly value: string | Uint8Array;
}

export interface RawExtension {
  readonly oid: string;
  readonly critical: boolean;
  /** The DER inside extnValue's OCTET STRING. */
  readonly value: Uint8Array;
}

export interface ExtensionRequest {
  readonly basicConstraints?: {
    readonly ca: boolean;
    readonly pathLen?: number;
    readonly critical?: boolean;
  } | null;
  readonly keyUsage?: readonly string[] | null;
  /** 'clientAuth', 'serverAuth', 'any' (…), or OIDs. */
  readonly extendedKeyUsage?: readonly string[] | null;
  readonly subjectAltNames?: readonly NameValue[] | null;
  readonly nameConstraints?: {
    readonly permitted?: readonly NameValue[];
    readonly excluded?: readonly NameValue[];
    readonly critical?: boolean;
  } | null;
  /** Absent: RFC 7093 §2 (1) of the public key; null: no extension. */
  readonly subjectKeyId?: Uint8Array | null;
  /** Absent: the issuer's, and none in a self-signed certificate; null: no extension. */
  readonly authorityKeyId?: Uint8Array | null;
  /** After all others, so that a duplicate of a known extension can be made too. */
  readonly extensions?: readonly RawExtension[];
}

/** RFC 5280 §4.2.1.3, in the order of their bits. */
const KEY_USAGES = Object.freeze([
  'digitalSignature',
  'nonRepudiation',
  'keyEncipherment',
  'dataEncipherment',
  'keyAgreement',
  'keyCertSign',
  'cRLSign',
  'encipherOnly',
  'decipherOnly',
]);
const KEY_PURPOSES: ReadonlyMap<string, string> = new Map([
  ['any', '2.5.29.37.0'],
  ['serverAuth', '1.3.6.1.5.5.7.3.1'],
  ['clientAuth', '1.3.6.1.5.5.7.3.2'],
  ['codeSigning', '1.3.6.1.5.5.7.3.3'],
  ['emailProtection', '1.3.6.1.5.5.7.3.4'],
  ['timeStamping', '1.3.6.1.5.5.7.3.8'],
  ['OCSPSigning', '1.3.6.1.5.5.7.3.9'],
]);
const UPN_OID = '1.3.6.1.4.1.311.20.2.3';
const CONTEXT_CLASS = 3;

type Node = asn1js.BaseBlock;

function primitive(tagNumber: number, octets: Uint8Array): Node {
  return new asn1js.Primitive({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber }, valueHex: octets });
}

function constructed(tagNumber: number, value: Node[]): Node {
  return new asn1js.Constructed({ idBlock: { tagClass: CONTEXT_CLASS, tagNumber }, value });
}

/** One or more DER elements, one after the other. */
function parsed(der: Uint8Array): Node[] {
  const elements: Node[] = [];
  let rest = der;
  while (rest.length > 0) {
    const { offset, result } = asn1js.fromBER(rest);
    if (offset <= 0) throw new TypeError(`not DER: ${result.error}`);
    elements.push(result);
    rest = rest.subarray(offset);
  }
  return elements;
}

function addressOctets(text: string): Uint8Array {
  if (!text.includes('/')) return Uint8Array.from(ipaddr.parse(text).toByteArray());
  // RFC 5280 §4.2.1.10: an address and a mask.
  const [address, prefixBits] = ipaddr.parseCIDR(text);
  const octets = address.toByteArray();
  const mask = octets.map((_, index) => 0xff & (0xff00 >> Math.min(8, Math.max(0, prefixBits - 8 * index))));
  return Uint8Array.from([...octets, ...mask]);
}

function generalName({ type, value }: NameValue): Node {
  const octets = typeof value === 'string' ? new TextEncoder().encode(value) : value;
  switch (type) {
    case 'other':
      return constructed(
        0,
        typeof value === 'string'
          ? [
              new asn1js.ObjectIdentifier({ value: UPN_OID }),
              constructed(0, [new asn1js.Utf8String({ value })]),
            ]
          : parsed(value),
      );
    case 'email':
      return primitive(1, octets);
    case 'dns':
      return primitive(2, octets);
    case 'dirname':
      return constructed(4, parsed(typeof value === 'string' ? nameDer({ CN: value }) : value));
    case 'uri':
      return primitive(6, octets);
    case 'ip':
      return primitive(7, typeof value === 'string' ? addressOctets(value) : value);
  }
}

function subtrees(tagNumber: number, names: readonly NameValue[] | undefined): Node[] {
  if (names === undefined) return [];
  return [
    constructed(
      tagNumber,
      names.map((name) => new asn1js.Sequence({ value: [generalName(name)] })),
    ),
  ];
}

/** RFC 5280 §4.2.1.3, X.690 §11.2.2: a named bit list in DER has no trailing zero bits. */
function keyUsageBits(usages: readonly string[]): Node {
  let bits = 0;
  let last = -1;
  for (const usage of usages) {
    const bit = KEY_USAGES.indexOf(usage);
    if (bit < 0) throw new TypeError(`unknown keyUsage ${usage}: one of ${KEY_USAGES.join(', ')}`);
    bits |= 0x8000 >> bit;
    last = Math.max(last, bit);
  }
  const octets = Uint8Array.of(bits >> 8, bits & 0xff).subarray(0, Math.ceil((last + 1) / 8));
  return new asn1js.BitString({ valueHex: octets, unusedBits: octets.length * 8 - (last + 1) });
}

function purposeOid(purpose: string): string {
  const oid = KEY_PURPOSES.get(purpose) ?? purpose;
  if (!/^\d+(\.\d+)+$/.test(oid)) throw new TypeError(`unknown extendedKeyUsage ${purpose}`);
  return oid;
}

/** RFC 7093 §2 (1): the leftmost 160 bits of SHA-256 over the subjectPublicKey BIT STRING's octets. */
export function keyIdentifier(spki: pkijs.PublicKeyInfo): Uint8Array<ArrayBuffer> {
  const digest = hash('sha256', spki.subjectPublicKey.valueBlock.valueHexView, 'buffer');
  return new Uint8Array(digest.subarray(0, 20));
}

export function authorityKeyIdentifier(keyId: Uint8Array): pkijs.Extension {
  return extension('2.5.29.35', false, new asn1js.Sequence({ value: [primitive(0, keyId)] }));
}

export function extension(oid: string, critical: boolean, value: Node | Uint8Array): pkijs.Extension {
  const extnValue = value instanceof Uint8Array ? new Uint8Array(value).buffer : value.toBER();
  return new pkijs.Extension({ extnID: oid, critical, extnValue });
}

export interface ExtensionContext {
  readonly subjectKeyId: Uint8Array;
  /** Absent when self-signed. */
  readonly authorityKeyId?: Uint8Array;
  readonly subjectIsEmpty: boolean;
}

export function requestedExtensions(request: ExtensionRequest, context: ExtensionContext): pkijs.Extension[] {
  const { basicConstraints, keyUsage, extendedKeyUsage, subjectAltNames, nameConstraints } = request;
  const extensions: pkijs.Extension[] = [];
  if (basicConstraints) {
    const { ca, pathLen, critical = true } = basicConstraints;
    const value = new asn1js.Sequence({
      value: [
        ...(ca ? [new asn1js.Boolean({ value: true })] : []), // DEFAULT FALSE: DER leaves it out
        ...(pathLen === undefined ? [] : [new asn1js.Integer({ value: pathLen })]),
      ],
    });
    extensions.push(extension('2.5.29.19', critical, value));
  }
  if (keyUsage) extensions.push(extension('2.5.29.15', true, keyUsageBits(keyUsage)));
  if (extendedKeyUsage) {
    const value = extendedKeyUsage.map(
      (purpose) => new asn1js.ObjectIdentifier({ value: purposeOid(purpose) }),
    );
    extensions.push(extension('2.5.29.37', false, new asn1js.Sequence({ value })));
  }
  const subjectKeyId = request.subjectKeyId === undefined ? context.subjectKeyId : request.subjectKeyId;
  if (subjectKeyId) {
    extensions.push(extension('2.5.29.14', false, new asn1js.OctetString({ valueHex: subjectKeyId })));
  }
  const authorityKeyId =
    request.authorityKeyId === undefined ? context.authorityKeyId : request.authorityKeyId;
  if (authorityKeyId) extensions.push(authorityKeyIdentifier(authorityKeyId));
  if (subjectAltNames) {
    // RFC 5280 §4.2.1.6: critical when the subject is empty.
    const value = new asn1js.Sequence({ value: subjectAltNames.map(generalName) });
    extensions.push(extension('2.5.29.17', context.subjectIsEmpty, value));
  }
  if (nameConstraints) {
    const { permitted, excluded, critical = true } = nameConstraints;
    const value = new asn1js.Sequence({ value: [...subtrees(0, permitted), ...subtrees(1, excluded)] });
    extensions.push(extension('2.5.29.30', critical, value));
  }
  for (const raw of request.extensions ?? []) extensions.push(extension(raw.oid, raw.critical, raw.value));
  return extensions;
}
