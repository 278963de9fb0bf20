/** DER → the facts of one certificate revocation list (RFC 5280 §5). Whose it is, and whether it is in force, is not asked here. */

import { createHash } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { NO_ENTRIES, type RevokedEntries, readRevokedEntries } from './crl-entries.ts';
import { type CrlExtensionFacts, readCrlExtensions } from './crl-extensions.ts';
import { CrlRefused } from './crl-refused.ts';
import { contextConstructed, DerError, type DerNode, Fields, readWhole, TAG } from './der.ts';
import { readBitStringOctets, readCount, readTime } from './der-values.ts';
import { type DistinguishedName, readDistinguishedName } from './distinguished-name.ts';
import { printableTime } from './printable.ts';
import { readSignatureAlgorithm, type SignatureFacts } from './signature.ts';

export interface CrlFacts extends CrlExtensionFacts {
  /** Of the whole DER, lower-case hex. */
  readonly sha256: string;
  readonly issuer: DistinguishedName;
  /** Milliseconds since the epoch; both seconds belong to the list's life. */
  readonly thisUpdate: number;
  readonly nextUpdate: number;
  readonly entries: RevokedEntries;
  readonly signature: SignatureFacts;
  readonly tbsDer: Uint8Array;
  readonly signatureOctets: Uint8Array;
}

const sameOctets = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;

function readFrame(tbs: DerNode, outerAlgorithm: DerNode) {
  const fields = new Fields(tbs, 'the CRL');
  const version = fields.optional(TAG.integer);
  if (version === undefined || readCount(version, 'the version') !== 1) {
    throw new CrlRefused('a CRL of another version than 2 (RFC 5280 §5.1.2.1)');
  }
  const innerAlgorithm = fields.next(TAG.sequence, 'signature algorithm');
  if (!sameOctets(innerAlgorithm.bytes, outerAlgorithm.bytes)) {
    throw new DerError('the signature algorithms inside and outside of the signed part differ');
  }
  const signature = Object.freeze(readSignatureAlgorithm(innerAlgorithm));
  if (signature.algorithm === undefined) {
    throw new CrlRefused(
      `signed with ${signature.problem}; accepted are SHA-256, SHA-384 and SHA-512 with RSA or ECDSA, and Ed25519`,
    );
  }
  const issuer = readDistinguishedName(fields.next(TAG.sequence, 'issuer'), 'the issuer');
  if (issuer.canonicalRdns.length === 0) throw new DerError('an empty issuer');
  const thisUpdate = readTime(fields.next(undefined, 'thisUpdate'), 'thisUpdate');
  const nextUpdateNode = fields.optional(TAG.utcTime) ?? fields.optional(TAG.generalizedTime);
  if (nextUpdateNode === undefined) {
    // RFC 5280 §5.1.2.5 demands it. Without it nobody could ever know that the list has been kept from us.
    throw new CrlRefused('a CRL without nextUpdate: whether it is fresh could never be known');
  }
  const nextUpdate = readTime(nextUpdateNode, 'nextUpdate');
  if (nextUpdate < thisUpdate) {
    throw new DerError(
      `a nextUpdate (${printableTime(nextUpdate)}) before thisUpdate (${printableTime(thisUpdate)})`,
    );
  }
  // Absent when nothing is revoked; an empty list (against §5.1.2.6) says the same.
  const list = fields.optional(TAG.sequence)?.content;
  const extensions = fields.optional(contextConstructed(0));
  fields.end();
  return {
    issuer,
    thisUpdate,
    nextUpdate,
    signature,
    list,
    ...readCrlExtensions(extensions === undefined ? undefined : readWhole(extensions.content)),
  };
}

/**
 * The facts of one CRL; `der` is kept and must never change. Yields between slices of a few milliseconds, so that whoever
 * drives it can let requests through. `known`: CRLs that were read before, by SHA-256; they are not read again. Throws DerError for what is not strict DER of a CRL, CrlRefused for what is not supported.
 */
export function* readCrl(
  der: Uint8Array,
  known: ReadonlyMap<string, CrlFacts> = new Map(),
): Generator<void, CrlFacts> {
  if (der.length > LIMITS.crlBytesMax) throw new CrlRefused(`larger than ${LIMITS.crlBytesMax} octets`);
  const sha256 = createHash('sha256').update(der).digest('hex');
  const before = known.get(sha256);
  if (before !== undefined) return before;
  yield;
  const fields = new Fields(readWhole(der), 'the CRL');
  const tbs = fields.next(TAG.sequence, 'signed part');
  const algorithm = fields.next(TAG.sequence, 'signature algorithm');
  const signatureOctets = readBitStringOctets(fields.next(TAG.bitString, 'signature'), 'the signature');
  fields.end();
  const { list, ...frame } = readFrame(tbs, algorithm);
  yield;
  const entries = list === undefined ? NO_ENTRIES : yield* readRevokedEntries(list);
  return Object.freeze({
    ...frame,
    sha256,
    entries,
    tbsDer: tbs.bytes,
    signatureOctets,
  });
}

/** For people: `CRL no. 12 of "CN=…"`. */
export function describeCrl({ number, issuer, sha256 }: CrlFacts): string {
  return `CRL ${number === undefined ? `sha256 ${sha256.slice(0, 16)}…` : `no. ${number}`} of "${issuer.readable}"`;
}
