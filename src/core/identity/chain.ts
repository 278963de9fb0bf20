/**
 * Leaf → path to an anchor of one bundle (RFC 5280 §6.1), over every issuer that comes into question: a valid path that
 * exists within the limits is found, however many dead ends there are beside it (expired twins, cross-signed CAs).
 */

import { LIMITS } from '../limits.ts';
import { type CertificateFacts, describeCertificate } from './certificate.ts';
import { isHinted, mayHaveIssued } from './issuer-match.ts';
import { describeMissing, type MissingIssuer } from './missing-issuer.ts';
import {
  CERTIFICATE_RULES,
  PATH_RULES,
  type PathBreach,
  type PathRole,
  type PathWork,
} from './path-rules.ts';
import { CertificateRefused } from './refused.ts';
import { NO_REVOCATION, type RevocationCheck } from './revocation.ts';
import { isIssuerSignedBy, isSignedBy } from './signature.ts';
import { seenBy, type Trace } from './trace.ts';
import type { TrustBundle } from './trust.ts';
import type { RefusalRule } from './verdict.ts';

/** Leaf first, anchor last; each is signed by the next, and every rule holds. */
export interface CertificatePath {
  readonly certificates: readonly CertificateFacts[];
  readonly anchor: CertificateFacts;
  /** The earliest notAfter or end of a revocation's answer: from then on the path must be looked for again. */
  readonly validUntil: number;
}

export interface PathRefusal {
  readonly rule: RefusalRule;
  /** 'leaf', 'intermediate 1' (the leaf's issuer), …, 'anchor', or 'chain'. */
  readonly position: string;
  readonly detail: string;
  readonly revocationId?: string | undefined;
  /** Of `untrusted`, and of nothing else. */
  readonly missing?: MissingIssuer;
}

export type PathResult =
  | { readonly found: true; readonly path: CertificatePath }
  /** `retryAt`: when time alone could make a path, ms since the epoch; Infinity: never. */
  | { readonly found: false; readonly refusal: PathRefusal; readonly retryAt: number };

/** Issuers looked at in one search, checked or not: far above any honest PKI, and some ten milliseconds at worst. */
const CANDIDATES_MAX = 10_000;

interface Search extends PathWork {
  readonly trace: Trace | undefined;
  readonly bundle: TrustBundle;
  readonly leaf: CertificateFacts;
  readonly presented: readonly CertificateFacts[];
  /** The leaf with whatever was looked at as an issuer. */
  readonly seen: Set<CertificateFacts>;
  /** SHA-256 of child and issuer → whether the signature is right. */
  readonly signatures: Map<string, boolean>;
  candidates: number;
  /** The earliest moment at which a path that was found and broken may be whole. */
  retryAt: number;
  best: { readonly rank: number; readonly refusal: PathRefusal } | undefined;
}

const positionOf = (index: number, role: PathRole): string =>
  role === 'intermediate' ? `intermediate ${index}` : role;

/**
 * Keeps the refusal that says most: the one furthest up the path, and a broken rule rather than a signature that is not there
 * (beside an expired issuer, its successor's key naturally does not fit). The first of equals.
 */
function note(search: Search, index: number, refusal: PathRefusal): void {
  const vague = refusal.rule === 'untrusted' || refusal.rule === 'bad_signature';
  const rank = index * 2 + (vague ? 0 : 1);
  tell(search, refusal.rule, refusal.position, false, refusal.detail);
  if (search.best === undefined || rank > search.best.rank) search.best = { rank, refusal };
}

/** To whoever asks why. Costs a request, which nobody asks about, one comparison. */
function tell(search: Search, rule: RefusalRule, position: string, passed: boolean, saw: string): void {
  search.trace?.({ rule, position, bundle: search.bundle.variable, passed, saw });
}

/** Who may have issued `child`, likeliest first. The bundle's own copy of a certificate stands for a presented one. */
function issuersOf(search: Search, child: CertificateFacts): readonly CertificateFacts[] {
  const found = new Map<string, CertificateFacts>();
  const named = search.bundle.bySubject.get(child.issuer.canonical) ?? [];
  for (const issuer of [...named, ...search.presented]) {
    search.candidates += 1;
    if (search.candidates > CANDIDATES_MAX) {
      throw new CertificateRefused('too_large', `more than ${CANDIDATES_MAX} possible issuers on the way up`);
    }
    if (issuer.sha256 === child.sha256 || found.has(issuer.sha256) || !mayHaveIssued(issuer, child)) continue;
    found.set(issuer.sha256, issuer);
    search.seen.add(issuer);
  }
  const score = (issuer: CertificateFacts): number =>
    (isHinted(issuer, child) ? 4 : 0) +
    (search.bundle.anchorFingerprints.has(issuer.sha256) ? 2 : 0) +
    (issuer.notBefore <= search.nowMs && search.nowMs <= issuer.notAfter ? 1 : 0);
  return [...found.values()].sort((a, b) => score(b) - score(a));
}

/** By names alone, before anything is computed: undefined where some chain of names ends in an anchor. */
function findMissingIssuer(search: Search, leaf: CertificateFacts): CertificateFacts | undefined {
  const queue = [leaf];
  let last = leaf;
  // The queue grows while it is read; `queued` lets each certificate in once, so circles end.
  const queued = new Set<string>([leaf.sha256]);
  for (const child of queue) {
    const issuers = issuersOf(search, child);
    if (issuers.some(({ sha256 }) => search.bundle.anchorFingerprints.has(sha256))) return undefined;
    if (issuers.length === 0) last = child;
    for (const issuer of issuers) {
      if (queued.has(issuer.sha256)) continue;
      queued.add(issuer.sha256);
      queue.push(issuer);
    }
  }
  return last;
}

function untrusted(search: Search, leaf: CertificateFacts, child: CertificateFacts): PathRefusal {
  const { bundle, presented } = search;
  const hasNamesakes = [...(bundle.bySubject.get(child.issuer.canonical) ?? []), ...presented].some(
    (facts) => facts.subject.canonical === child.issuer.canonical && facts.sha256 !== child.sha256,
  );
  const missing = { bundle: bundle.variable, child, hasNamesakes, presented: presented.length };
  return {
    rule: 'untrusted',
    position: child === leaf ? 'leaf' : 'chain',
    detail: describeMissing(missing),
    missing,
  };
}

function checkCertificate(
  search: Search,
  facts: CertificateFacts,
  index: number,
  role: PathRole,
): PathRefusal | undefined {
  for (const { rule, check } of CERTIFICATE_RULES) {
    const detail = check(facts, role, search.nowMs);
    const position = positionOf(index, role);
    if (detail !== undefined) return { rule, position, detail: `${describeCertificate(facts)}: ${detail}` };
    if (search.trace !== undefined) tell(search, rule, position, true, seenBy(rule, facts));
  }
  return undefined;
}

function checkSignature(search: Search, child: CertificateFacts, issuer: CertificateFacts): boolean {
  const edge = `${child.sha256}<${issuer.sha256}`;
  const known = search.signatures.get(edge);
  if (known !== undefined) return known;
  if (search.signatures.size >= LIMITS.signatureChecksMax) {
    throw new CertificateRefused(
      'too_large',
      `no path found within ${LIMITS.signatureChecksMax} signature checks`,
    );
  }
  const good = child === search.leaf ? isSignedBy(child, issuer) : isIssuerSignedBy(child, issuer);
  search.signatures.set(edge, good);
  return good;
}

function checkPath(search: Search, path: readonly CertificateFacts[]): PathBreach | undefined {
  for (const { rule, check } of PATH_RULES) {
    const breach = check(path, search);
    if (breach !== undefined) return { rule, ...breach };
    tell(search, rule, 'chain', true, `nothing against the path of ${path.length} certificates`);
  }
  return undefined;
}

const keyOfSubject = (facts: CertificateFacts): string => `${facts.spkiSha256} ${facts.subject.canonical}`;

/** Depth first; at most `certificatesAboveLeafMax` deep. Cheap rules come before the signature, the signature before depth. */
function extend(
  search: Search,
  path: readonly [CertificateFacts, ...CertificateFacts[]],
): readonly CertificateFacts[] | undefined {
  const child = path.at(-1) ?? path[0];
  const index = path.length;
  for (const issuer of issuersOf(search, child)) {
    // One name and key twice in a path makes a circle, and never a path that was not there without it.
    if (path.some((below) => keyOfSubject(below) === keyOfSubject(issuer))) continue;
    const role = search.bundle.anchorFingerprints.has(issuer.sha256) ? 'anchor' : 'intermediate';
    if (index > LIMITS.certificatesAboveLeafMax) {
      const detail = `more than ${LIMITS.certificatesAboveLeafMax} certificates above the leaf, the next being ${describeCertificate(issuer)}`;
      note(search, index, { rule: 'path_length', position: 'chain', detail });
      continue;
    }
    const refusal = checkCertificate(search, issuer, index, role);
    if (refusal !== undefined) {
      note(search, index, refusal);
      continue;
    }
    if (!checkSignature(search, child, issuer)) {
      const detail = `${describeCertificate(child)}: the signature is not by the key of ${describeCertificate(issuer)}`;
      const position = positionOf(index - 1, index === 1 ? 'leaf' : 'intermediate');
      note(search, index, { rule: 'bad_signature', position, detail });
      continue;
    }
    const signed = positionOf(index - 1, index === 1 ? 'leaf' : 'intermediate');
    tell(search, 'bad_signature', signed, true, `signed by the key of ${describeCertificate(issuer)}`);
    const longer = [...path, issuer] as const;
    if (role === 'intermediate') {
      const found = extend(search, longer);
      if (found !== undefined) return found;
      continue;
    }
    const breach = checkPath(search, longer);
    if (breach === undefined) return longer;
    const breachRole = breach.index === 0 ? 'leaf' : breach.index === index ? 'anchor' : 'intermediate';
    const subject = longer[breach.index];
    const who = subject === undefined ? '' : `${describeCertificate(subject)}: `;
    search.retryAt = Math.min(search.retryAt, breach.retryAt ?? Number.POSITIVE_INFINITY);
    note(search, index + 1, {
      rule: breach.rule,
      position: positionOf(breach.index, breachRole),
      detail: `${who}${breach.detail}`,
      revocationId: breach.revocationId,
    });
  }
  return undefined;
}

/** The next notBefore ahead of what was looked at, or the end of a revocation: nothing else about time makes a path. */
function nextStart(search: Search): number {
  const starts = [...search.seen].map(({ notBefore }) => notBefore);
  return Math.min(...starts.filter((start) => start > search.nowMs), search.retryAt);
}

/**
 * Looks for a valid path from `leaf` to an anchor of `bundle`; `presented` is what the peer sent besides, in any order.
 * Throws CertificateRefused (`too_large`) when a limit ends the search: then nobody knows whether there is a path.
 */
export function findPath(
  leaf: CertificateFacts,
  presented: readonly CertificateFacts[],
  bundle: TrustBundle,
  nowMs: number,
  revocation: RevocationCheck = NO_REVOCATION,
  trace?: Trace,
): PathResult {
  const search: Search = {
    trace,
    bundle,
    leaf,
    presented,
    nowMs,
    revocation,
    seen: new Set([leaf]),
    signatures: new Map(),
    candidates: 0,
    retryAt: Number.POSITIVE_INFINITY,
    nameComparisons: 0,
    best: undefined,
  };
  const refuse = (refusal: PathRefusal, retryAt: number): PathResult => ({ found: false, refusal, retryAt });
  // Strangers are told apart first: it costs next to nothing, and "untrusted" is what whoever reads the log needs to know.
  const orphan = findMissingIssuer(search, leaf);
  if (orphan !== undefined) {
    const refusal = untrusted(search, leaf, orphan);
    tell(search, refusal.rule, refusal.position, false, refusal.detail);
    return refuse(refusal, Number.POSITIVE_INFINITY);
  }
  tell(search, 'untrusted', 'chain', true, `issuers' names lead to an anchor of ${bundle.variable}`);
  const ofLeaf = checkCertificate(search, leaf, 0, 'leaf');
  if (ofLeaf !== undefined) {
    tell(search, ofLeaf.rule, ofLeaf.position, false, ofLeaf.detail);
    const retryAt = ofLeaf.rule === 'not_yet_valid' ? leaf.notBefore : Number.POSITIVE_INFINITY;
    return refuse(ofLeaf, retryAt);
  }
  const path = extend(search, [leaf]);
  const anchor = path?.at(-1);
  if (path === undefined || anchor === undefined) {
    return refuse(search.best?.refusal ?? untrusted(search, leaf, leaf), nextStart(search));
  }
  const validUntil = Math.min(
    ...path.map(({ notAfter }) => notAfter),
    ...path.map((facts, index) => revocation.holdsUntil(facts, path[index + 1], nowMs)),
  );
  return { found: true, path: Object.freeze({ certificates: Object.freeze(path), anchor, validUntil }) };
}
