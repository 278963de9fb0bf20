/** Which signatures we check at all, and the check. */

import { constants, type KeyObject, verify, X509Certificate } from 'node:crypto';
import type { CertificateFacts } from './certificate.ts';
import { contextConstructed, DerError, type DerNode, Fields, readWhole, TAG } from './der.ts';
import { readCount, readOid } from './der-values.ts';
import { OID } from './oids.ts';
import { importPublicKey, type PublicKeyFacts } from './public-key.ts';

type Hash = 'sha256' | 'sha384' | 'sha512';

export type SignatureAlgorithm =
  | { readonly scheme: 'rsa-pkcs1' | 'ecdsa'; readonly hash: Hash }
  | { readonly scheme: 'rsa-pss'; readonly hash: Hash; readonly saltLength: number }
  | { readonly scheme: 'ed25519' };

/** An AlgorithmIdentifier as found: what is not on the list below has a reason instead of an algorithm. */
export interface SignatureFacts {
  readonly oid: string;
  readonly algorithm: SignatureAlgorithm | undefined;
  /** Why there is no algorithm; '' otherwise. */
  readonly problem: string;
}

/** RFC 4055 §5, RFC 5758 §3.2, RFC 8410 §3. Whatever is not here (SHA-1, MD5, DSA, …) is not believed. */
const ALLOWED: ReadonlyMap<string, SignatureAlgorithm> = new Map<string, SignatureAlgorithm>([
  ['1.2.840.113549.1.1.11', { scheme: 'rsa-pkcs1', hash: 'sha256' }],
  ['1.2.840.113549.1.1.12', { scheme: 'rsa-pkcs1', hash: 'sha384' }],
  ['1.2.840.113549.1.1.13', { scheme: 'rsa-pkcs1', hash: 'sha512' }],
  ['1.2.840.10045.4.3.2', { scheme: 'ecdsa', hash: 'sha256' }],
  ['1.2.840.10045.4.3.3', { scheme: 'ecdsa', hash: 'sha384' }],
  ['1.2.840.10045.4.3.4', { scheme: 'ecdsa', hash: 'sha512' }],
  [OID.ed25519, { scheme: 'ed25519' }],
]);

/** To name the usual suspects in the log. */
const WEAK_NAMES: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'MD5 with RSA'],
  ['1.2.840.113549.1.1.5', 'SHA-1 with RSA'],
  ['1.2.840.10045.4.1', 'SHA-1 with ECDSA'],
  ['1.2.840.113549.1.1.14', 'SHA-224 with RSA'],
  ['1.2.840.10045.4.3.1', 'SHA-224 with ECDSA'],
  ['1.2.840.10040.4.3', 'SHA-1 with DSA'],
]);

const HASHES: ReadonlyMap<string, Hash> = new Map<string, Hash>([
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
]);

const isNull = (node: DerNode | undefined): boolean => node?.tag === TAG.null && node.content.length === 0;

function readHash(node: DerNode): Hash | undefined {
  const fields = new Fields(node, 'a hash algorithm');
  const hash = HASHES.get(readOid(fields.next(TAG.oid, 'algorithm'), 'a hash algorithm'));
  const parameters = fields.any();
  fields.end();
  return parameters === undefined || isNull(parameters) ? hash : undefined;
}

/** RSASSA-PSS-params (RFC 4055 §3.1). Every default of the structure is SHA-1, so each field must be there. */
function readPss(parameters: DerNode | undefined): SignatureAlgorithm | string {
  if (parameters === undefined) return 'RSASSA-PSS without parameters, which means SHA-1';
  const fields = new Fields(parameters, 'the PSS parameters');
  const hashNode = fields.optional(contextConstructed(0));
  const maskNode = fields.optional(contextConstructed(1));
  const saltNode = fields.optional(contextConstructed(2));
  const trailerNode = fields.optional(contextConstructed(3));
  fields.end();
  if (hashNode === undefined || maskNode === undefined) return 'RSASSA-PSS with SHA-1';
  const hash = readHash(readWhole(hashNode.content));
  if (hash === undefined) return 'RSASSA-PSS with a hash other than SHA-256, SHA-384 or SHA-512';
  const mask = new Fields(readWhole(maskNode.content), 'the PSS mask');
  const maskOid = readOid(mask.next(TAG.oid, 'algorithm'), 'the PSS mask');
  const maskHash = readHash(mask.next(TAG.sequence, 'hash'));
  mask.end();
  if (maskOid !== OID.mgf1 || maskHash !== hash) return 'RSASSA-PSS whose mask uses another hash';
  if (trailerNode !== undefined && readCount(readWhole(trailerNode.content), 'the PSS trailer') !== 1) {
    return 'RSASSA-PSS with an unknown trailer';
  }
  // Any salt verifies soundly; OpenSSL writes the longest that fits, others the hash's length. The bound is an 8k key's.
  const saltLength =
    saltNode === undefined ? 20 : readCount(readWhole(saltNode.content), 'the PSS salt length');
  return saltLength > 1024 ? 'RSASSA-PSS with an impossible salt' : { scheme: 'rsa-pss', hash, saltLength };
}

export function readSignatureAlgorithm(node: DerNode): SignatureFacts {
  const fields = new Fields(node, 'the signature algorithm');
  const oid = readOid(fields.next(TAG.oid, 'algorithm'), 'the signature algorithm');
  const parameters = fields.any();
  fields.end();
  const refuse = (problem: string): SignatureFacts => ({ oid, algorithm: undefined, problem });
  if (oid === OID.rsassaPss) {
    const read = readPss(parameters);
    return typeof read === 'string' ? refuse(read) : { oid, algorithm: read, problem: '' };
  }
  const algorithm = ALLOWED.get(oid);
  if (algorithm === undefined) return refuse(WEAK_NAMES.get(oid) ?? `the algorithm ${oid}`);
  // RFC 4055 §5: NULL for RSA, absence tolerated; RFC 5758 and 8410: absent for the others.
  if (parameters !== undefined && !(algorithm.scheme === 'rsa-pkcs1' && isNull(parameters))) {
    throw new DerError('a signature algorithm with parameters that it has not');
  }
  return { oid, algorithm, problem: '' };
}

function suits(algorithm: SignatureAlgorithm, key: PublicKeyFacts): boolean {
  switch (algorithm.scheme) {
    case 'rsa-pkcs1':
    case 'rsa-pss':
      return key.kind === 'rsa';
    case 'ecdsa':
      return key.kind === 'ec';
    case 'ed25519':
      return key.kind === 'ed25519';
  }
}

/** Anchors live as long as their bundle and check thousands of leaves; importing their key costs as much as a check. */
const importedKeys = new WeakMap<CertificateFacts, { readonly key: KeyObject | undefined }>();

function keyOf(certificate: CertificateFacts): KeyObject | undefined {
  const known = importedKeys.get(certificate);
  if (known !== undefined) return known.key;
  const key = importPublicKey(certificate.spkiDer);
  importedKeys.set(certificate, { key });
  return key;
}

/** A certificate or a CRL. */
export type Signed = Pick<CertificateFacts, 'signature' | 'tbsDer' | 'signatureOctets'>;

/** Whether `issuer`'s key made `child`'s signature: false also for what we do not check. Never throws. */
export function isSignedBy(child: Signed, issuer: CertificateFacts): boolean {
  const { algorithm } = child.signature;
  if (algorithm === undefined || !suits(algorithm, issuer.publicKey)) return false;
  const key = keyOf(issuer);
  if (key === undefined) return false;
  try {
    switch (algorithm.scheme) {
      case 'rsa-pkcs1':
        return verify(
          algorithm.hash,
          child.tbsDer,
          { key, padding: constants.RSA_PKCS1_PADDING },
          child.signatureOctets,
        );
      case 'rsa-pss':
        return verify(
          algorithm.hash,
          child.tbsDer,
          { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: algorithm.saltLength },
          child.signatureOctets,
        );
      case 'ecdsa':
        return verify(algorithm.hash, child.tbsDer, { key, dsaEncoding: 'der' }, child.signatureOctets);
      case 'ed25519':
        return verify(null, child.tbsDer, key, child.signatureOctets);
    }
  } catch {
    // OpenSSL throws for a signature that it cannot even take apart.
    return false;
  }
}

/** Of these very objects, which live as long as somebody remembers them: their octets never change, nor does this. */
const issuersChecked = new WeakMap<CertificateFacts, WeakMap<CertificateFacts, boolean>>();

/** `isSignedBy` for what stands above thousands of leaves: asked of each pair once. */
export function isIssuerSignedBy(child: CertificateFacts, issuer: CertificateFacts): boolean {
  const ofChild = issuersChecked.get(child) ?? new WeakMap<CertificateFacts, boolean>();
  const known = ofChild.get(issuer);
  if (known !== undefined) return known;
  const good = isSignedBy(child, issuer);
  ofChild.set(issuer, good);
  issuersChecked.set(child, ofChild);
  return good;
}

/**
 * Whether a certificate signed itself, with whatever hash: this decides its role in a bundle, never whether to trust it.
 * OpenSSL does the check, since old roots carry SHA-1 signatures that the list above leaves out.
 */
export function isSelfSigned(certificate: CertificateFacts): boolean {
  if (!certificate.selfIssued) return false;
  if (isSignedBy(certificate, certificate)) return true;
  const key = keyOf(certificate);
  try {
    return key !== undefined && new X509Certificate(certificate.der).verify(key);
  } catch {
    return false;
  }
}
