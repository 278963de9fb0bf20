/** Distinguished names (RFC 5280 §4.1.2.4): read from DER, compared as §7.1 says, printed for people. */

import { LIMITS } from '../limits.ts';
import { children, DerError, type DerNode, elements, Fields, TAG } from './der.ts';
import { readOid } from './der-values.ts';
import { nameOfOid, OID } from './oids.ts';
import { hexOf, printable } from './printable.ts';

export interface DistinguishedName {
  readonly der: Uint8Array;
  /** One canonical string for each relative name, in order: equal strings are equal names. Never shown to anybody. */
  readonly canonicalRdns: readonly string[];
  /** The same as one string, for maps. */
  readonly canonical: string;
  /** For people, bounded and escaped; never compared. */
  readonly readable: string;
  /** The O values in their order: an operator's groups. */
  readonly organizations: readonly string[];
  readonly commonNames: readonly string[];
  /** emailAddress attributes, which name constraints reach (RFC 5280 §4.2.1.10). */
  readonly emailAddresses: readonly string[];
}

/** More is no name but an attempt to make comparing expensive. */
const ATTRIBUTES_MAX = 64;

/**
 * The text of a DirectoryString, undefined for any other kind of value. TeletexString is taken for Latin-1, as OpenSSL
 * does: a comparison that differs from its would let the two verifiers build different chains.
 */
function textOf(value: DerNode): string | undefined {
  const octets = Buffer.from(value.content);
  switch (value.tag) {
    case TAG.utf8String:
      try {
        return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(octets);
      } catch {
        throw new DerError('a UTF8String that is not UTF-8');
      }
    case TAG.printableString:
    case TAG.ia5String:
    case TAG.visibleString:
    case TAG.teletexString:
      return octets.toString('latin1');
    case TAG.bmpString:
      return wideText(octets, 2);
    case TAG.universalString:
      return wideText(octets, 4);
    default:
      return undefined;
  }
}

function wideText(octets: Buffer, width: 2 | 4): string {
  if (octets.length % width !== 0) throw new DerError('a wide string that ends inside a character');
  let text = '';
  for (let at = 0; at < octets.length; at += width) {
    const point = octets.readUIntBE(at, width);
    if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) {
      throw new DerError('a wide string with a character that Unicode has not');
    }
    text += String.fromCodePoint(point);
  }
  return text;
}

/**
 * OpenSSL's x509_name_canon, to the letter: ASCII white space trimmed and folded, ASCII letters lower-cased, the string's
 * type forgotten. Other values are compared as they are.
 */
function canonicalValue(value: DerNode, text: string | undefined): string {
  if (text === undefined) return `#${hexOf(value.bytes)}`;
  // Folded first: to look for white space at the end takes each of 60,000 blanks inside for its beginning, a second of everybody's time.
  const folded = text
    .replace(/[ \t\n\v\f\r]+/g, ' ')
    .replace(/^ | $/g, '')
    .replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  // In hex, so that no value can contain the separators used below and pass for two attributes.
  return Buffer.from(folded, 'utf8').toString('hex');
}

export function readDistinguishedName(node: DerNode, what: string): DistinguishedName {
  if (node.tag !== TAG.sequence) throw new DerError(`${what} is not a distinguished name`);
  if (node.bytes.length > LIMITS.distinguishedNameOctetsMax) {
    throw new DerError(
      `${what} has ${node.bytes.length} octets; a name has at most ${LIMITS.distinguishedNameOctetsMax}`,
    );
  }
  const canonicalRdns: string[] = [];
  const shown: string[] = [];
  const texts = new Map<string, string[]>();
  let attributes = 0;
  for (const rdn of children(node)) {
    const parts: string[] = [];
    for (const attribute of elements(rdn, TAG.set, `a relative name of ${what}`)) {
      attributes += 1;
      if (attributes > ATTRIBUTES_MAX)
        throw new DerError(`${what} has more than ${ATTRIBUTES_MAX} attributes`);
      const fields = new Fields(attribute, `an attribute of ${what}`);
      const oid = readOid(fields.next(TAG.oid, 'type'), 'attribute type');
      const value = fields.next(undefined, 'value');
      fields.end();
      const text = textOf(value);
      parts.push(`${oid}=${canonicalValue(value, text)}`);
      shown.push(`${nameOfOid(oid)}=${text ?? `#${hexOf(value.content.subarray(0, 32))}`}`);
      if (text !== undefined) texts.set(oid, [...(texts.get(oid) ?? []), text]);
      else if (oid === OID.organization) throw new DerError(`an O value of ${what} is no text`);
    }
    // A SET has no order of its own: two encodings of one set are one relative name.
    canonicalRdns.push(parts.sort().join('+'));
  }
  return Object.freeze({
    der: node.bytes,
    canonicalRdns: Object.freeze(canonicalRdns),
    canonical: canonicalRdns.join(','),
    readable: printable(shown.join(', ')),
    organizations: Object.freeze(texts.get(OID.organization) ?? []),
    commonNames: Object.freeze(texts.get(OID.commonName) ?? []),
    emailAddresses: Object.freeze(texts.get(OID.emailAddress) ?? []),
  });
}
