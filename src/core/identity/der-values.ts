/** The simple values of DER, each in its one legal encoding. */

import { DerError, type DerNode, expectTag, TAG } from './der.ts';

/** X.690 §11.1: TRUE is 0xff, and nothing else is. */
export function readBoolean(node: DerNode, what: string): boolean {
  const { content } = expectTag(node, TAG.boolean, what);
  if (content.length !== 1 || (content[0] !== 0x00 && content[0] !== 0xff)) {
    throw new DerError(`${what} is not a DER boolean`);
  }
  return content[0] === 0xff;
}

/** The two's-complement octets of an INTEGER, minimal (X.690 §8.3.2). */
export function readInteger(node: DerNode, what: string, tag: number = TAG.integer): Uint8Array {
  const { content } = expectTag(node, tag, what);
  const [first, second] = content;
  if (first === undefined) throw new DerError(`${what} is an empty integer`);
  if (second !== undefined && ((first === 0x00 && second < 0x80) || (first === 0xff && second >= 0x80))) {
    throw new DerError(`${what} is an integer with needless leading octets`);
  }
  return content;
}

export const isNegative = (octets: Uint8Array): boolean => (octets[0] ?? 0) >= 0x80;

/** A count such as a path length: non-negative and small enough to be a plain number. */
export function readCount(node: DerNode, what: string, tag: number = TAG.integer): number {
  const octets = readInteger(node, what, tag);
  if (isNegative(octets)) throw new DerError(`${what} is negative`);
  if (octets.length > 4) throw new DerError(`${what} is larger than any sensible value`);
  return octets.reduce((sum, octet) => sum * 256 + octet, 0);
}

/** Dotted form. Arcs may be wide (2.25.UUID has 128 bits), so they are summed as big integers. */
export function readOid(node: DerNode, what: string, tag: number = TAG.oid): string {
  const { content } = expectTag(node, tag, what);
  // 64 octets hold every OID in use three times over; the sum below is quadratic in an arc's length.
  if (content.length === 0 || content.length > 64) throw new DerError(`${what} is no object identifier`);
  const arcs: bigint[] = [];
  let arc = 0n;
  let fresh = true;
  for (const octet of content) {
    if (fresh && octet === 0x80) throw new DerError(`${what} has a padded arc`);
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    fresh = (octet & 0x80) === 0;
    if (fresh) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  if (!fresh) throw new DerError(`${what} ends inside an arc`);
  const [head = 0n, ...tail] = arcs;
  const root = head < 40n ? 0n : head < 80n ? 1n : 2n;
  return [root, head - root * 40n, ...tail].join('.');
}

export interface BitString {
  readonly octets: Uint8Array;
  readonly unusedBits: number;
}

/** X.690 §11.2.1: the unused bits are zero. */
export function readBitString(node: DerNode, what: string): BitString {
  const { content } = expectTag(node, TAG.bitString, what);
  const unusedBits = content[0];
  const octets = content.subarray(1);
  if (unusedBits === undefined || unusedBits > 7 || (octets.length === 0 && unusedBits !== 0)) {
    throw new DerError(`${what} is no bit string`);
  }
  if (((octets.at(-1) ?? 0) & ((1 << unusedBits) - 1)) !== 0) {
    throw new DerError(`${what} has unused bits that are set`);
  }
  return { octets, unusedBits };
}

/** A bit string that holds octets, such as a key or a signature. */
export function readBitStringOctets(node: DerNode, what: string): Uint8Array {
  const { octets, unusedBits } = readBitString(node, what);
  if (unusedBits !== 0) throw new DerError(`${what} is not a whole number of octets`);
  return octets;
}

const UTC_TIME = /^(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/;

/**
 * Milliseconds since the epoch of a Time (RFC 5280 §4.1.2.5): in UTC, with seconds, without fractions, and a date that the
 * calendar has. GeneralizedTime before 2050 is against the RFC but harmless and in use; it is read.
 */
export function readTime(node: DerNode, what: string): number {
  const utc = node.tag === TAG.utcTime;
  if (!utc) expectTag(node, TAG.generalizedTime, what);
  const text = Buffer.from(node.content).toString('latin1');
  const match = (utc ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (match === null) throw new DerError(`${what} is no DER time`);
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match.slice(1).map(Number);
  const fullYear = utc ? year + (year < 50 ? 2000 : 1900) : year;
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(fullYear, month - 1, day);
  date.setUTCHours(hour, minute, second);
  const rolledOver =
    date.getUTCMonth() !== month - 1 ||
    date.getUTCDate() !== day ||
    date.getUTCHours() !== hour ||
    date.getUTCMinutes() !== minute ||
    date.getUTCSeconds() !== second;
  if (rolledOver) throw new DerError(`${what} is a time that no calendar has`);
  return date.getTime();
}
