/** A presented chain → a verdict. Every way of saying yes runs through here, and nothing but a verdict comes out. */

import { createHash } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { type CertificateFacts, describeCertificate, readCertificate } from './certificate.ts';
import { type CertificatePath, findPath, type PathRefusal, type PathResult } from './chain.ts';
import { identify } from './identify.ts';
import { printable } from './printable.ts';
import { CertificateRefused } from './refused.ts';
import { NO_REVOCATION, type RevocationCheck, type RevokedClusters } from './revocation.ts';
import type { Trust } from './trust.ts';
import type { RefusalRule, Verdict } from './verdict.ts';

export interface JudgeInput {
  /** DER, leaf first, as the peer sent them. */
  readonly presented: readonly Uint8Array[];
  /**
   * What the handshake's verifier said of this connection; `error` is its code. Part of the question: a verdict may be
   * remembered for the same chain only together with the same answer of OpenSSL.
   */
  readonly openssl: { readonly authorized: boolean; readonly error: string | undefined };
  readonly trust: Trust;
  /** Every source of revocations, combined; absent: there is none. */
  readonly revocation?: RevocationCheck;
  /** Clusters that are revoked as a whole; absent: none is. */
  readonly revokedClusters?: RevokedClusters;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** How to read a certificate: for whoever judges many chains with the same intermediates, or one chain twice. */
  readonly read?: (der: Uint8Array) => CertificateFacts;
}

const DETAIL_CHARACTERS_MAX = 1_024;

/** A refusal on its way out, with where it happened and until when it holds. */
class Refused extends Error {
  readonly rule: RefusalRule;
  readonly position: string;
  readonly validUntil: number;
  readonly revocationId: string | undefined;

  constructor(
    rule: RefusalRule,
    position: string,
    detail: string,
    validUntil = Number.POSITIVE_INFINITY,
    revocationId?: string,
  ) {
    super(detail);
    this.rule = rule;
    this.position = position;
    this.validUntil = validUntil;
    this.revocationId = revocationId;
  }
}

/** Runs a step; what it refuses gets its place in the chain. */
function at<T>(position: string, step: () => T): T {
  try {
    return step();
  } catch (error) {
    if (error instanceof CertificateRefused) throw new Refused(error.rule, position, error.message);
    throw error;
  }
}

/** Caps first, on numbers that cost nothing to know (Go CVE-2025-58187 and relatives). */
function checkSizes(presented: readonly Uint8Array[]): Uint8Array {
  const [leaf] = presented;
  if (leaf === undefined) throw new Refused('malformed', 'chain', 'no certificate was presented');
  if (presented.length > LIMITS.presentedCertificatesMax) {
    throw new Refused(
      'too_large',
      'chain',
      `${presented.length} certificates presented; at most ${LIMITS.presentedCertificatesMax}`,
    );
  }
  const octets = presented.reduce((sum, der) => sum + der.length, 0);
  if (octets > LIMITS.chainBytesMax) {
    throw new Refused(
      'too_large',
      'chain',
      `${octets} octets of certificates; at most ${LIMITS.chainBytesMax}`,
    );
  }
  return leaf;
}

/** The same certificate twice is one certificate. */
function readOthers(
  presented: readonly Uint8Array[],
  leaf: CertificateFacts,
  read: (der: Uint8Array) => CertificateFacts,
): readonly CertificateFacts[] {
  const found = new Map<string, CertificateFacts>();
  for (const [index, der] of presented.entries()) {
    if (index === 0) continue;
    const facts = at(`intermediate ${index}`, () => read(der));
    if (facts.sha256 !== leaf.sha256) found.set(facts.sha256, facts);
  }
  return [...found.values()];
}

const NO_BUNDLE: PathRefusal = Object.freeze({ rule: 'untrusted', position: 'leaf', detail: '' });

interface Finding {
  readonly kind: 'cluster' | 'operator';
  readonly path: CertificatePath;
}

/** The bundle whose anchor the chain ends in. Both are always asked: a first match would hide a second meaning. */
function findTrust(
  leaf: CertificateFacts,
  others: readonly CertificateFacts[],
  trust: Trust,
  nowMs: number,
  revocation: RevocationCheck,
): Finding {
  const search = (bundle: Trust['operator']): PathResult | undefined =>
    bundle === undefined ? undefined : at('chain', () => findPath(leaf, others, bundle, nowMs, revocation));
  const cluster = search(trust.cluster);
  const operator = search(trust.operator);
  if (cluster?.found === true && operator?.found === true) {
    throw new Refused(
      'ambiguous_trust',
      'chain',
      `${describeCertificate(leaf)} has a path to ${describeCertificate(cluster.path.anchor)} of ${trust.cluster.variable} ` +
        `and to ${describeCertificate(operator.path.anchor)} of ${trust.operator?.variable}: it would be a cluster and an operator`,
      Math.min(cluster.path.validUntil, operator.path.validUntil),
    );
  }
  if (cluster?.found === true) return { kind: 'cluster', path: cluster.path };
  if (operator?.found === true) return { kind: 'operator', path: operator.path };
  const failures = [cluster, operator].flatMap((result) => (result?.found === false ? [result] : []));
  // "Untrusted" in one bundle is what every certificate of the other kind is; the other bundle knows more.
  const telling = failures.find(({ refusal }) => refusal.rule !== 'untrusted') ?? failures[0];
  const { rule, position, detail, revocationId }: PathRefusal = telling?.refusal ?? NO_BUNDLE;
  const alsoUntrusted = failures
    .filter((failure) => failure !== telling && rule === 'untrusted')
    .map(({ refusal }) => `; ${refusal.detail}`);
  const retryAt = Math.min(...failures.map((failure) => failure.retryAt));
  throw new Refused(rule, position, detail + alsoUntrusted.join(''), retryAt, revocationId);
}

function decide(input: JudgeInput, learn: (leaf: CertificateFacts) => void): Verdict {
  const { presented, openssl, trust, nowMs, revocation = NO_REVOCATION } = input;
  const leafDer = checkSizes(presented);
  const read = input.read ?? readCertificate;
  const leaf = at('leaf', () => read(leafDer));
  learn(leaf);
  const others = readOthers(presented, leaf, read);
  const { kind, path } = findTrust(leaf, others, trust, nowMs, revocation);
  const principal = at('leaf', () => identify(leaf, path, kind, trust.spiffeTrustDomain));
  if (principal.kind === 'cluster') {
    const breach = input.revokedClusters?.cluster(principal.dns, nowMs);
    if (breach !== undefined) {
      const validUntil = Math.min(breach.retryAt, path.validUntil);
      const detail = `${describeCertificate(leaf)}: ${breach.detail}`;
      throw new Refused(breach.rule, 'leaf', detail, validUntil, breach.revocationId);
    }
  }
  // Last, and never overruled: whoever finds a hole in one verifier must find the same hole in the other.
  if (openssl.authorized !== true) {
    const detail = `${describeCertificate(leaf)}: every rule here accepts the chain, but OpenSSL's answer in the handshake was ${openssl.error ?? 'no'}`;
    throw new Refused('openssl_disagrees', 'chain', detail, path.validUntil);
  }
  return Object.freeze({ accepted: true, principal, validUntil: path.validUntil });
}

/**
 * Who the presented chain says is asking, under this trust, at this moment. Never throws: whatever goes wrong on the way,
 * a fault of our own included, is a refusal.
 *
 * `validUntil` of an acceptance is the earliest notAfter or nextUpdate on its path; of a refusal, the moment at which time alone could
 * change it (a notBefore ahead, or the end of one of two conflicting paths), else Infinity.
 */
export function judge(input: JudgeInput): Verdict {
  let leaf: CertificateFacts | undefined;
  try {
    return decide(input, (facts) => {
      leaf = facts;
    });
  } catch (error) {
    const refused =
      error instanceof Refused
        ? error
        : new Refused(
            'malformed',
            'chain',
            `the verifier failed: ${error instanceof Error ? error.message : ''}`,
          );
    return Object.freeze({
      accepted: false,
      refusal: Object.freeze({
        rule: refused.rule,
        position: refused.position,
        detail: bounded(refused.message),
        sha256: leaf?.sha256 ?? fingerprintOf(input),
        serial: leaf?.serial ?? '',
        ...(refused.revocationId === undefined ? {} : { revocationId: refused.revocationId }),
      }),
      validUntil: refused.validUntil,
    });
  }
}

/** A leaf that cannot be read still has a fingerprint to search the log for. */
function fingerprintOf({ presented }: JudgeInput): string {
  const [first] = presented;
  return first instanceof Uint8Array ? createHash('sha256').update(first).digest('hex') : '';
}

/** Certificate text inside was escaped where it was taken in; a second escape would only double its backslashes. */
function bounded(detail: string): string {
  const oneLine = /[\p{Cc}\p{Zl}\p{Zp}]/u.test(detail) ? printable(detail, DETAIL_CHARACTERS_MAX) : detail;
  return oneLine.length > DETAIL_CHARACTERS_MAX ? `${oneLine.slice(0, DETAIL_CHARACTERS_MAX - 1)}…` : oneLine;
}
