/**
 * Key pairs and signatures of minted certificates.
 *
 * Node's KeyObject and not a WebCrypto CryptoKey: one key signs with any hash and padding (a CryptoKey is bound to
 * one), ECDSA comes out in DER, and Ed25519 needs no case of its own.
 */
import { constants, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';
import * as asn1js from 'asn1js';
import * as pkijs from 'pkijs';

export const KEY_KINDS = Object.freeze([
  'P-256',
  'P-384',
  'P-521',
  'Ed25519',
  'RSA-1024',
  'RSA-2048',
  'RSA-3072',
  'RSA-4096',
] as const);
export type KeyKind = (typeof KEY_KINDS)[number];
export type SignatureHash = 'SHA-256' | 'SHA-384' | 'SHA-512' | 'SHA-1';

export interface KeyPair {
  readonly kind: KeyKind;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
}

const generate = promisify(generateKeyPair);

export async function generateKey(kind: KeyKind): Promise<KeyPair> {
  switch (kind) {
    case 'P-256':
    case 'P-384':
    case 'P-521':
      return { kind, ...(await generate('ec', { namedCurve: kind })) };
    case 'Ed25519':
      return { kind, ...(await generate('ed25519')) };
    case 'RSA-1024':
    case 'RSA-2048':
    case 'RSA-3072':
    case 'RSA-4096':
      return { kind, ...(await generate('rsa', { modulusLength: Number(kind.slice('RSA-'.length)) })) };
  }
}

/** What the issuer is asked to sign with; absent: the hash that fits the issuer's key, PKCS #1 v1.5 for RSA. */
export interface SignatureChoice {
  readonly signatureHash?: SignatureHash;
  /** RSASSA-PSS; only an RSA issuer can. */
  readonly pss?: boolean;
}

export interface SignatureScheme {
  readonly algorithm: pkijs.AlgorithmIdentifier;
  readonly sign: (octets: Uint8Array, issuerKey: KeyObject) => Uint8Array<ArrayBuffer>;
}

const DIGESTS = Object.freeze({
  'SHA-1': { node: 'sha1', oid: '1.3.14.3.2.26', octets: 20 },
  'SHA-256': { node: 'sha256', oid: '2.16.840.1.101.3.4.2.1', octets: 32 },
  'SHA-384': { node: 'sha384', oid: '2.16.840.1.101.3.4.2.2', octets: 48 },
  'SHA-512': { node: 'sha512', oid: '2.16.840.1.101.3.4.2.3', octets: 64 },
});
/** RFC 5758 §3.2, RFC 3279 §2.2.3. */
const ECDSA_OIDS = Object.freeze({
  'SHA-1': '1.2.840.10045.4.1',
  'SHA-256': '1.2.840.10045.4.3.2',
  'SHA-384': '1.2.840.10045.4.3.3',
  'SHA-512': '1.2.840.10045.4.3.4',
});
/** RFC 4055 §5. */
const RSA_OIDS = Object.freeze({
  'SHA-1': '1.2.840.113549.1.1.5',
  'SHA-256': '1.2.840.113549.1.1.11',
  'SHA-384': '1.2.840.113549.1.1.12',
  'SHA-512': '1.2.840.113549.1.1.13',
});
const RSA_PSS_OID = '1.2.840.113549.1.1.10';
const MGF1_OID = '1.2.840.113549.1.1.8';
const ED25519_OID = '1.3.101.112';

function octetsOf(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(buffer);
}

function pssAlgorithm(hash: SignatureHash): pkijs.AlgorithmIdentifier {
  const digest = new pkijs.AlgorithmIdentifier({
    algorithmId: DIGESTS[hash].oid,
    algorithmParams: new asn1js.Null(),
  });
  const parameters = new pkijs.RSASSAPSSParams({
    hashAlgorithm: digest,
    maskGenAlgorithm: new pkijs.AlgorithmIdentifier({
      algorithmId: MGF1_OID,
      algorithmParams: digest.toSchema(),
    }),
    saltLength: DIGESTS[hash].octets,
  });
  return new pkijs.AlgorithmIdentifier({
    algorithmId: RSA_PSS_OID,
    algorithmParams: parameters.toSchema(),
  });
}

export function signatureScheme(issuerKind: KeyKind, choice: SignatureChoice): SignatureScheme {
  const rsa = issuerKind.startsWith('RSA-');
  if (choice.pss === true && !rsa) {
    throw new TypeError(`pss needs an RSA issuer, and this one's key is ${issuerKind}`);
  }
  if (issuerKind === 'Ed25519') {
    if (choice.signatureHash !== undefined) throw new TypeError('Ed25519 has no signatureHash to choose');
    return {
      // RFC 8410 §3: the parameters are absent.
      algorithm: new pkijs.AlgorithmIdentifier({ algorithmId: ED25519_OID }),
      sign: (octets, issuerKey) => octetsOf(sign(null, octets, issuerKey)),
    };
  }
  const hash =
    choice.signatureHash ??
    (issuerKind === 'P-384' ? 'SHA-384' : issuerKind === 'P-521' ? 'SHA-512' : 'SHA-256');
  const digest = DIGESTS[hash];
  if (!rsa) {
    return {
      algorithm: new pkijs.AlgorithmIdentifier({ algorithmId: ECDSA_OIDS[hash] }),
      sign: (octets, issuerKey) =>
        octetsOf(sign(digest.node, octets, { key: issuerKey, dsaEncoding: 'der' })),
    };
  }
  if (choice.pss === true) {
    return {
      algorithm: pssAlgorithm(hash),
      sign: (octets, issuerKey) =>
        octetsOf(
          sign(digest.node, octets, {
            key: issuerKey,
            padding: constants.RSA_PKCS1_PSS_PADDING,
            saltLength: digest.octets,
          }),
        ),
    };
  }
  return {
    algorithm: new pkijs.AlgorithmIdentifier({
      algorithmId: RSA_OIDS[hash],
      algorithmParams: new asn1js.Null(),
    }),
    sign: (octets, issuerKey) => octetsOf(sign(digest.node, octets, issuerKey)),
  };
}
