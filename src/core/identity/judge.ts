/** A presented chain → a verdict. Every way of saying yes runs through here, and nothing but a verdict comes out. */

import { createHash } from 'node:crypto';
import { LIMITS } from '../limits.ts';
import { type CertificateFacts, confirmFacts, describeCertificate, readFacts } from './certificate.ts';
import { type CertificatePath, findPath, type PathRefusal, type PathResult } from './chain.ts';
import { claimedClusters } from './claimed-names.ts';
import { identify } from './identify.ts';
import { describeMissing, isSameMissing } from './missing-issuer.ts';
import { describePrincipal } from './principal.ts';
import { printable } from './printable.ts';
import { CertificateRefused } from './refused.ts';
import { NO_REVOCATION, type RevocationCheck, type RevokedClusters } from './revocation.ts';
import { shownSubject } from './shown-subject.ts';
import type { Trace } from './trace.ts';
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
  /** How to read a certificate (`readFacts`): for whoever judges many chains with the same intermediates, or one chain twice. */
  readonly read?: (der: Uint8Array) => CertificateFacts;
  /** The same for all but the leaf, where others have come with them before. */
  readonly readIssuer?: (der: Uint8Array) => CertificateFacts;
  /** Asked of each certificate of a chain that is about to be accepted (`confirmFacts`), unless it was asked before of the same octets. */
  readonly confirm?: (facts: CertificateFacts) => void;
  /** Told what each rule saw; absent where nobody asks why. */
  readonly trace?: Trace;
}

const DETAIL_CHARACTERS_MAX = 1_024;

/** A refusal on its way out, with where it happened and until when it holds. */
class Refused extends Error {
  readonly rule: RefusalRule;
  readonly position: string;
  readonly validUntil: number;
  readonly revocationId: string | undefined;
  /** The search for a path has told the trace of it already. */
  told = false;

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

/** The same certificate twice is one certificate. By its place in the chain. */
function readOthers(
  presented: readonly Uint8Array[],
  leaf: CertificateFacts,
  read: (der: Uint8Array) => CertificateFacts,
): ReadonlyMap<string, CertificateFacts> {
  const known = new Set([leaf.sha256]);
  const found = new Map<string, CertificateFacts>();
  for (const [index, der] of presented.entries()) {
    if (index === 0) continue;
    const position = `intermediate ${index}`;
    const facts = at(position, () => read(der));
    if (!known.has(facts.sha256)) found.set(position, facts);
    known.add(facts.sha256);
  }
  return found;
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
  { trust, nowMs, revocation = NO_REVOCATION, trace }: Omit<JudgeInput, 'openssl'>,
): Finding {
  const search = (bundle: Trust['operator']): PathResult | undefined =>
    bundle === undefined
      ? undefined
      : at('chain', () => findPath(leaf, others, bundle, nowMs, revocation, trace));
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
  const retryAt = Math.min(...failures.map((failure) => failure.retryAt));
  const untrusted = cluster?.found === false && operator?.found === false && rule === 'untrusted';
  const why = untrusted ? untrustedInBoth(cluster.refusal, operator.refusal) : detail;
  const refused = new Refused(rule, position, why, retryAt, revocationId);
  refused.told = true;
  throw refused;
}

/** What is the same in both bundles is said once, of both. */
function untrustedInBoth(cluster: PathRefusal, operator: PathRefusal): string {
  const [one, other] = [cluster.missing, operator.missing];
  return one !== undefined && other !== undefined && isSameMissing(one, other)
    ? describeMissing(one, other)
    : `${cluster.detail}; ${operator.detail}`;
}

type OpensslAnswer = JudgeInput['openssl'];

function decide(
  input: Omit<JudgeInput, 'openssl'>,
  openssl: OpensslAnswer | undefined,
  learn: (leaf: CertificateFacts) => void,
): Verdict {
  const { presented, trust, nowMs } = input;
  const pass = (rule: RefusalRule, position: string, saw: string): void =>
    input.trace?.({ rule, position, passed: true, saw });
  const leafDer = checkSizes(presented);
  pass('too_large', 'chain', `${presented.length} certificate(s) presented`);
  const { read = readFacts, confirm = confirmFacts } = input;
  const leaf = at('leaf', () => read(leafDer));
  learn(leaf);
  const others = readOthers(presented, leaf, input.readIssuer ?? read);
  pass('malformed', 'chain', `${describeCertificate(leaf)} and ${others.size} other(s) are certificates`);
  const { kind, path } = findTrust(leaf, [...others.values()], input);
  pass(
    'ambiguous_trust',
    'chain',
    `a path to ${describeCertificate(path.anchor)} as ${kind}, and to no other kind`,
  );
  const principal = at('leaf', () => identify(leaf, path, kind, trust.spiffeTrustDomain));
  pass('no_identity', 'leaf', `exactly one name: ${describePrincipal(principal)}`);
  if (principal.kind === 'cluster') {
    const breach = input.revokedClusters?.cluster(principal.dns, nowMs);
    if (breach !== undefined) {
      const validUntil = Math.min(breach.retryAt, path.validUntil);
      const detail = `${describeCertificate(leaf)}: ${breach.detail}`;
      throw new Refused(breach.rule, 'leaf', detail, validUntil, breach.revocationId);
    }
    pass('revoked', 'leaf', `cluster ${principal.dns} is not revoked as a whole`);
  }
  // Only now, for it is most of what reading costs, and strangers come with whatever they like.
  for (const [position, facts] of [['leaf', leaf] as const, ...others]) at(position, () => confirm(facts));
  pass('malformed', 'chain', 'another parser reads the same');
  // Last, and never overruled: whoever finds a hole in one verifier must find the same hole in the other.
  if (openssl !== undefined && openssl.authorized !== true) {
    const detail = `${describeCertificate(leaf)}: every rule here accepts the chain, but OpenSSL's answer in the handshake was ${openssl.error ?? 'no'}`;
    throw new Refused('openssl_disagrees', 'chain', detail, path.validUntil);
  }
  if (openssl !== undefined)
    pass('openssl_disagrees', 'chain', 'OpenSSL accepted the chain in the handshake');
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
  return conclude(input, input.openssl);
}

/** What our own rules make of a chain that nobody presented: no request may ever be let in by it, so it is no Verdict. */
export interface Supposition {
  readonly supposed: Verdict;
}

/** The same code without OpenSSL's answer, which there is only of a handshake that was made. For questions only. */
export function suppose(input: Omit<JudgeInput, 'openssl'>): Supposition {
  return { supposed: conclude(input, undefined) };
}

function conclude(input: Omit<JudgeInput, 'openssl'>, openssl: OpensslAnswer | undefined): Verdict {
  let leaf: CertificateFacts | undefined;
  try {
    return decide(input, openssl, (facts) => {
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
    const { rule, position } = refused;
    const detail = bounded(refused.message);
    if (!refused.told) input.trace?.({ rule, position, passed: false, saw: detail });
    return Object.freeze({
      accepted: false,
      refusal: Object.freeze({
        rule,
        position,
        detail,
        sha256: leaf?.sha256 ?? fingerprintOf(input),
        serial: leaf?.serial ?? '',
        subject: leaf?.subject.readable ?? shownSubject(input.presented[0]),
        claimedClusters: claimsOf(leaf, input),
        ...(refused.revocationId === undefined ? {} : { revocationId: refused.revocationId }),
      }),
      validUntil: refused.validUntil,
    });
  }
}

/** Nothing that is told beside a refusal may stand in its way. */
function claimsOf(leaf: CertificateFacts | undefined, input: Omit<JudgeInput, 'openssl'>): readonly string[] {
  try {
    return leaf === undefined ? [] : claimedClusters(leaf, input.trust.spiffeTrustDomain);
  } catch {
    return [];
  }
}

/** A leaf that cannot be read still has a fingerprint to search the log for. */
function fingerprintOf({ presented }: Pick<JudgeInput, 'presented'>): string {
  const [first] = presented;
  return first instanceof Uint8Array ? createHash('sha256').update(first).digest('hex') : '';
}

/** Certificate text inside was escaped where it was taken in; a second escape would only double its backslashes. */
function bounded(detail: string): string {
  const oneLine = /[\p{Cc}\p{Zl}\p{Zp}]/u.test(detail) ? printable(detail, DETAIL_CHARACTERS_MAX) : detail;
  return oneLine.length > DETAIL_CHARACTERS_MAX ? `${oneLine.slice(0, DETAIL_CHARACTERS_MAX - 1)}…` : oneLine;
}
