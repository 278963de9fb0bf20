import { createPrivateKey, createPublicKey, type KeyObject, sign } from 'node:crypto';
import type { Minted } from '../../certs-dev/mint.ts';

/**
 * Many certificates for little: one leaf, signed again and again by its P-256 issuer with another serial number each. DER is cut
 * by lengths that the leaf itself gives; the serial keeps its length, so that no other length changes.
 */
export function reserialise(leaf: Minted, issuer: Minted): (number: number) => Buffer {
  const certificate = elementAt(Buffer.from(leaf.der), 0);
  const tbs = elementAt(certificate.content, 0);
  const algorithm = elementAt(certificate.content, tbs.end);
  const version = elementAt(tbs.content, 0);
  const serial = elementAt(tbs.content, version.end);
  const serialAt = tbs.whole.length - tbs.content.length + serial.end - 8;
  const key: KeyObject = createPrivateKey(issuer.keyPem);
  if (serial.content.length < 9 || createPublicKey(key).asymmetricKeyType !== 'ec') {
    throw new Error('the leaf needs a serial of more than 8 octets and an issuer with an EC key');
  }
  return (number) => {
    const signed = Buffer.from(tbs.whole);
    signed.writeBigUInt64BE(BigInt(number), serialAt);
    const signature = Buffer.concat([Buffer.from([0]), sign('sha256', signed, { key, dsaEncoding: 'der' })]);
    const bits = Buffer.concat([Buffer.from([0x03]), lengthOf(signature.length), signature]);
    const content = Buffer.concat([signed, algorithm.whole, bits]);
    return Buffer.concat([Buffer.from([0x30]), lengthOf(content.length), content]);
  };
}

interface Element {
  readonly whole: Buffer;
  readonly content: Buffer;
  /** Where the next one begins. */
  readonly end: number;
}

/** X.690 §8.1: one octet of tag, the length, the content. */
function elementAt(octets: Buffer, at: number): Element {
  const first = octets.readUInt8(at + 1);
  const more = first < 0x80 ? 0 : first & 0x7f;
  const length = more === 0 ? first : octets.readUIntBE(at + 2, more);
  const begin = at + 2 + more;
  const end = begin + length;
  return { whole: octets.subarray(at, end), content: octets.subarray(begin, end), end };
}

function lengthOf(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.from([0x82, length >> 8, length & 0xff]);
}
