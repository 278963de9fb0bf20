import { crc32 } from 'node:zlib';

/**
 * The form of the tokens that the gateway makes, as in `fxgo_` + 43 digits of base 62 (256 random bits) + 6 digits (CRC-32 of
 * all that is before them). The prefix lets secret scanners find a token in a repository; the checksum tells a slip of the
 * keyboard from a token that is not known, without looking anything up.
 */

export const TOKEN_KINDS = Object.freeze(['cluster', 'reader', 'operator'] as const);
export type TokenKind = (typeof TOKEN_KINDS)[number];

/** Octets of chance in a token. */
export const TOKEN_SECRET_OCTETS = 32;

const LETTER: Readonly<Record<TokenKind, string>> = { cluster: 'c', reader: 'r', operator: 'o' };
const DIGITS = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
/** 62^43 > 2^256, and 62^6 > 2^32. */
const SECRET_DIGITS = 43;
const CHECKSUM_DIGITS = 6;

/** What a scanner looks for. */
export const TOKEN_PATTERN = /^fxg[cro]_[0-9A-Za-z]{49}$/;
const PREFIX = /^fxg[a-z]_/;

/** Throws a RangeError unless `secret` has TOKEN_SECRET_OCTETS octets. */
export function makeToken(kind: TokenKind, secret: Uint8Array): string {
  if (secret.length !== TOKEN_SECRET_OCTETS) throw new RangeError('a token is made of 32 octets');
  const number = BigInt(`0x${Buffer.from(secret).toString('hex')}`);
  const unchecked = `fxg${LETTER[kind]}_${inBase62(number, SECRET_DIGITS)}`;
  return unchecked + checksumOf(unchecked);
}

/** `foreign`: not one of ours by its looks, whatever else it is. `mistyped`: ours by its prefix, and never made like this. */
export function readTokenText(text: string): 'well-formed' | 'mistyped' | 'foreign' {
  if (!PREFIX.test(text)) return 'foreign';
  if (!TOKEN_PATTERN.test(text)) return 'mistyped';
  const unchecked = text.slice(0, -CHECKSUM_DIGITS);
  return text.slice(-CHECKSUM_DIGITS) === checksumOf(unchecked) ? 'well-formed' : 'mistyped';
}

function checksumOf(unchecked: string): string {
  return inBase62(BigInt(crc32(unchecked)), CHECKSUM_DIGITS);
}

function inBase62(number: bigint, digits: number): string {
  let text = '';
  for (let rest = number; text.length < digits; rest /= 62n) text = DIGITS.charAt(Number(rest % 62n)) + text;
  return text;
}
