/**
 * Of an ECDSA signature (r, s) anybody can make another valid one, (r, n − s), without the key. So the holder of a
 * revoked certificate can give the same certificate another fingerprint: both must be looked up.
 */

import { createHash } from 'node:crypto';
import type { CertificateFacts } from './certificate.ts';
import { Fields, readWhole, TAG } from './der.ts';

/** Orders of the base points, FIPS 186-5 / SEC 2. */
const ORDERS: Readonly<Record<string, bigint>> = Object.freeze({
  'P-256': 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  'P-384':
    0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
  'P-521':
    0x01fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409n,
});

/** SHA-256 (hex) of the same certificate with the other signature; undefined where the issuer's key is not of ECDSA. */
export function twinFingerprint(certificate: CertificateFacts, issuer: CertificateFacts): string | undefined {
  const { publicKey } = issuer;
  const order = publicKey.kind === 'ec' ? ORDERS[publicKey.curve] : undefined;
  if (order === undefined) return undefined;
  const signature = new Fields(readWhole(certificate.signatureOctets), 'the signature');
  const r = signature.next(TAG.integer, 'r').bytes;
  const s = signature.next(TAG.integer, 's').content;
  const twin = order - BigInt(`0x${Buffer.from(s).toString('hex')}`);
  if (twin <= 0n) return undefined;
  const outer = new Fields(readWhole(certificate.der), 'the certificate');
  const tbs = outer.next(TAG.sequence, 'signed part').bytes;
  const algorithm = outer.next(TAG.sequence, 'signature algorithm').bytes;
  const octets = encode(TAG.sequence, r, encode(TAG.integer, unsigned(twin)));
  const der = encode(TAG.sequence, tbs, algorithm, encode(TAG.bitString, Uint8Array.of(0), octets));
  return createHash('sha256').update(der).digest('hex');
}

function unsigned(value: bigint): Uint8Array {
  const digits = value.toString(16);
  const octets = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  return (octets[0] ?? 0) >= 0x80 ? Buffer.concat([Uint8Array.of(0), octets]) : octets;
}

/** Definite length in the fewest octets (X.690 §10.1). */
function encode(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  const { length } = content;
  const digits = length.toString(16);
  const long = Buffer.from(digits.length % 2 === 0 ? digits : `0${digits}`, 'hex');
  const header = length < 0x80 ? [tag, length] : [tag, 0x80 | long.length, ...long];
  return Buffer.concat([Uint8Array.from(header), content]);
}
