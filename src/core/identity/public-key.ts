/** Which key a certificate carries, and whether we would believe anything signed with it. */

import { createPublicKey, type KeyObject } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { DerError, type DerNode, Fields, readWhole, TAG } from './der.ts';
import { isNegative, readBitStringOctets, readInteger, readOid } from './der-values.ts';
import { OID } from './oids.ts';
import { hexOf } from './printable.ts';

export type EcCurve = 'P-256' | 'P-384' | 'P-521';

export type PublicKeyFacts =
  | {
      readonly kind: 'rsa';
      readonly bits: number;
      readonly exponent: bigint | undefined;
      readonly oddModulus: boolean;
    }
  | { readonly kind: 'ec'; readonly curve: EcCurve }
  | { readonly kind: 'ed25519' }
  | { readonly kind: 'other'; readonly description: string };

const CURVES: ReadonlyMap<string, { readonly curve: EcCurve; readonly octets: number }> = new Map([
  ['1.2.840.10045.3.1.7', { curve: 'P-256', octets: 32 }],
  ['1.3.132.0.34', { curve: 'P-384', octets: 48 }],
  ['1.3.132.0.35', { curve: 'P-521', octets: 66 }],
]);

function readRsa(key: Uint8Array): PublicKeyFacts {
  const fields = new Fields(readWhole(key), 'the RSA key');
  const modulus = readInteger(fields.next(TAG.integer, 'modulus'), 'the RSA modulus');
  const exponent = readInteger(fields.next(TAG.integer, 'exponent'), 'the RSA exponent');
  fields.end();
  if (isNegative(modulus) || isNegative(exponent)) throw new DerError('a negative RSA key');
  const significant = modulus[0] === 0 ? modulus.subarray(1) : modulus;
  const bits = significant.length === 0 ? 0 : significant.length * 8 - (Math.clz32(significant[0] ?? 0) - 24);
  return {
    kind: 'rsa',
    bits,
    // Wider than 64 bits is refused anyway, so it is not even computed.
    exponent: exponent.length > 9 ? undefined : BigInt(`0x${hexOf(exponent)}`),
    oddModulus: ((modulus.at(-1) ?? 0) & 1) === 1,
  };
}

/** From a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7; RFC 3279, 5480, 8410 for what is inside). */
export function readPublicKey(spki: DerNode): PublicKeyFacts {
  const fields = new Fields(spki, 'subjectPublicKeyInfo');
  const algorithm = new Fields(fields.next(TAG.sequence, 'algorithm'), 'the key algorithm');
  const key = readBitStringOctets(fields.next(TAG.bitString, 'subjectPublicKey'), 'subjectPublicKey');
  fields.end();
  const oid = readOid(algorithm.next(TAG.oid, 'algorithm'), 'the key algorithm');
  const parameters = algorithm.any();
  algorithm.end();
  switch (oid) {
    case OID.rsaEncryption:
      return readRsa(key);
    case OID.ecPublicKey: {
      // RFC 5480 §2.1.1: a named curve. Explicit parameters let the certificate bring its own curve (CVE-2020-0601).
      if (parameters?.tag !== TAG.oid) return { kind: 'other', description: 'EC with explicit parameters' };
      const curveOid = readOid(parameters, 'the curve');
      const found = CURVES.get(curveOid);
      if (found === undefined) return { kind: 'other', description: `EC on the curve ${curveOid}` };
      const compressed = key.length === found.octets + 1 && (key[0] === 2 || key[0] === 3);
      if (!compressed && !(key.length === 2 * found.octets + 1 && key[0] === 4)) {
        throw new DerError(`the EC key is no point of ${found.curve}`);
      }
      return { kind: 'ec', curve: found.curve };
    }
    case OID.ed25519:
      if (parameters !== undefined || key.length !== 32) throw new DerError('the Ed25519 key is none');
      return { kind: 'ed25519' };
    default:
      // RSASSA-PSS keys (id-RSASSA-PSS in the key itself) end here too: their restrictions would have to be obeyed.
      return { kind: 'other', description: `the algorithm ${oid}` };
  }
}

export function describePublicKey(key: PublicKeyFacts): string {
  switch (key.kind) {
    case 'rsa':
      return `RSA-${key.bits}`;
    case 'ec':
      return key.curve;
    case 'ed25519':
      return 'Ed25519';
    case 'other':
      return key.description;
  }
}

/** Why the key is too weak or strange to be believed; undefined when it is not. */
export function weaknessOf(key: PublicKeyFacts): string | undefined {
  if (key.kind === 'other') return `${key.description}; accepted are RSA, P-256, P-384, P-521 and Ed25519`;
  if (key.kind !== 'rsa') return undefined;
  if (key.bits < LIMITS.rsaBitsMin || key.bits > LIMITS.rsaBitsMax) {
    return `RSA of ${key.bits} bits; accepted are ${LIMITS.rsaBitsMin} to ${LIMITS.rsaBitsMax}`;
  }
  if (!key.oddModulus) return 'an RSA modulus that is even';
  // FIPS 186-5 §A.1.1: odd and above 2^16. A small exponent turns every slip in padding checks into a forgery, and no tool
  // of the last fifteen years makes one; a wide one only makes each check slower, and OpenSSL refuses it.
  const { exponent } = key;
  if (exponent === undefined || exponent < 65_537n || exponent >= 1n << 64n || (exponent & 1n) === 0n) {
    return `an RSA exponent of ${exponent ?? 'more than 64 bits'}; accepted are odd ones of 65537 or more, up to 64 bits`;
  }
  return undefined;
}

/** The key for OpenSSL, which also checks that an EC point lies on its curve; undefined when it will not have it. */
export function importPublicKey(spkiDer: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.from(spkiDer), format: 'der', type: 'spki' });
  } catch {
    return undefined;
  }
}
