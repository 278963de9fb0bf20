/**
 * The CRLs of one snapshot (RFC 5280 §6.3): whose each is, which of several is in force, and what it says of a certificate.
 *
 * - A CRL belongs to a name and a key. It speaks of certificates that this very key issued: a re-keyed CA of the same name
 *   has its own, and both count, each for its certificates.
 * - For each scope (user or CA certificates, distribution point) the newest by thisUpdate is in force, cRLNumber deciding
 *   between equals. One from the future is not, until it begins, and replaces nothing before.
 * - Each scope that an issuer has a CRL for must have a fresh one (CRL_POLICY=require-fresh), or its clients are refused; and so
 *   are those of an issuer that had one, in whatever process, and has none. An issuer that never had one, and every other
 *   issuer's clients, are not touched by that.
 */

import { LIMITS } from '../limits.ts';
import type { CertificateFacts } from './certificate.ts';
import { type CrlFacts, describeCrl } from './crl.ts';
import { CrlRefused } from './crl-refused.ts';
import { type BoundCrl, type CrlPolicy, type CrlState, isStale, stateOf } from './crl-state.ts';
import { issuerKeyOf, nameAndKeyOf } from './issuer-key.ts';
import { mayHaveIssued } from './issuer-match.ts';
import { printableTime } from './printable.ts';
import type { RevocationBreach, RevocationCheck } from './revocation.ts';
import { isSignedBy } from './signature.ts';
import type { Trust } from './trust.ts';

export interface CrlSet extends RevocationCheck {
  readonly policy: CrlPolicy;
  /** Those in force, and those that are yet to begin. */
  readonly crls: readonly BoundCrl[];
  /** Everybody who has a CRL here or ever had one, as `issuerKeyOf`. */
  readonly issuers: ReadonlySet<string>;
  /** CAs of the bundles that had a CRL before and have none now, one certificate for each name and key. */
  readonly missing: readonly CertificateFacts[];
  /** The same set, where these issuers had CRLs before this process began. */
  expecting(issuers: ReadonlySet<string>): CrlSet;
  /** One for each issuer and scope, at this moment. */
  states(nowMs: number): readonly CrlState[];
  /** One line for each CRL, for the log of a reload. */
  describe(): readonly string[];
}

/**
 * The bundle's certificate whose key signed the CRL. Throws CrlRefused when there is none: a CRL that nobody's trust stands
 * behind is a mistake, and one that is silently left out is a revocation that never happens. The CRL of an intermediate
 * that clients send along needs that intermediate in the bundle, too. Yields before each signature, a millisecond a MiB.
 */
export function* findCrlIssuer(facts: CrlFacts, trust: Trust): Generator<void, CertificateFacts> {
  const bundles = [trust.cluster, ...(trust.operator === undefined ? [] : [trust.operator])];
  const named = bundles.flatMap(({ bySubject }) => bySubject.get(facts.issuer.canonical) ?? []);
  if (named.length === 0) {
    throw new CrlRefused(
      `its issuer "${facts.issuer.readable}" is in neither bundle: put that CA's certificate there (an intermediate, too), or take the CRL away`,
    );
  }
  const tried = new Map<string, boolean>();
  let keyWithoutRight: CertificateFacts | undefined;
  for (const issuer of named) {
    if (!mayHaveIssued(issuer, facts)) continue;
    let signed = tried.get(issuer.spkiSha256);
    if (signed === undefined) {
      yield;
      signed = isSignedBy(facts, issuer);
      tried.set(issuer.spkiSha256, signed);
    }
    if (!signed) continue;
    // RFC 5280 §6.3.3 (f): cRLSign, where the issuer's certificate says what its key is for.
    if (issuer.keyUsage === undefined || issuer.keyUsage.has('cRLSign')) return issuer;
    keyWithoutRight = issuer;
  }
  throw new CrlRefused(
    keyWithoutRight === undefined
      ? `not signed by the key of any CA named "${facts.issuer.readable}" in the bundles`
      : `its issuer "${facts.issuer.readable}" may not sign CRLs (keyUsage lacks cRLSign)`,
  );
}

/** Newest first. */
function compareAge(a: BoundCrl, b: BoundCrl): number {
  if (a.facts.thisUpdate !== b.facts.thisUpdate) return b.facts.thisUpdate - a.facts.thisUpdate;
  const [first, second] = [a.facts.number ?? -1n, b.facts.number ?? -1n];
  return first === second ? 0 : first < second ? 1 : -1;
}

const beginOf = ({ facts }: BoundCrl): number => facts.thisUpdate - LIMITS.crlSkewMs;

/** The CRLs of one issuer about the same certificates, newest first: one in force, and those that begin later. */
type Line = readonly [BoundCrl, ...BoundCrl[]];

const inForce = (line: Line, nowMs: number): BoundCrl | undefined =>
  line.find((crl) => beginOf(crl) <= nowMs);

/** When the next of the line begins. */
const nextBegin = (line: Line, nowMs: number): number =>
  Math.min(...line.map(beginOf).filter((begin) => begin > nowMs), Number.POSITIVE_INFINITY);

function arrange(crls: readonly BoundCrl[], nowMs: number): ReadonlyMap<string, readonly Line[]> {
  const lines = new Map<string, Map<string, BoundCrl[]>>();
  for (const crl of crls) {
    const issuer = nameAndKeyOf(crl.issuer);
    const { certificates, distributionPoint } = crl.facts.scope;
    const scope = `${certificates} ${distributionPoint}`;
    const scopes = lines.get(issuer) ?? new Map<string, BoundCrl[]>();
    lines.set(issuer, scopes);
    scopes.set(scope, [...(scopes.get(scope) ?? []), crl]);
  }
  const cut = (all: BoundCrl[]): Line[] => {
    const sorted = all.sort(compareAge);
    const current = sorted.findIndex((crl) => beginOf(crl) <= nowMs);
    const [newest, ...others] = current < 0 ? sorted : sorted.slice(0, current + 1);
    return newest === undefined ? [] : [[newest, ...others]];
  };
  return new Map([...lines].map(([issuer, scopes]) => [issuer, [...scopes.values()].flatMap(cut)]));
}

export interface CrlSources {
  readonly crls: readonly BoundCrl[];
  /** The set in force so far: what it knows is not forgotten because a file went away, nor replaced by something older. */
  readonly previous: CrlSet | undefined;
  readonly policy: CrlPolicy;
  readonly trust: Trust;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Who had CRLs before, besides those of `previous`, as `issuerKeyOf`. */
  readonly expected?: ReadonlySet<string>;
}

const membersOf = ({ cluster, operator }: Trust): readonly CertificateFacts[] => [
  ...cluster.certificates,
  ...(operator?.certificates ?? []),
];

/** CRLs of CAs that are trusted still; without those from the future, which were never in force. */
function remember({ crls, previous, trust, nowMs }: CrlSources): readonly BoundCrl[] {
  const present = new Set(crls.map(({ facts }) => facts.sha256));
  const trusted = new Set(membersOf(trust).map(nameAndKeyOf));
  return (previous?.crls ?? [])
    .filter((crl) => !present.has(crl.facts.sha256))
    .filter((crl) => beginOf(crl) <= nowMs && trusted.has(nameAndKeyOf(crl.issuer)))
    .map((crl) => Object.freeze({ ...crl, remembered: true }));
}

export function createCrlSet(sources: CrlSources): CrlSet {
  // What asks later holds none of `sources` itself: the set before, and with it the ones before that, would live for as long as this one.
  const { policy, trust, nowMs: createdMs } = sources;
  // The same CRL in two files is one.
  const distinct = new Map(sources.crls.map((crl) => [crl.facts.sha256, crl]));
  const lines = arrange([...distinct.values(), ...remember(sources)], createdMs);
  const crls = Object.freeze([...lines.values()].flat(2));
  const issuers: ReadonlySet<string> = new Set([
    ...(sources.expected ?? []),
    ...(sources.previous?.issuers ?? []),
    ...crls.map(({ issuer }) => issuerKeyOf(issuer)),
  ]);
  const isMissing = (issuer: CertificateFacts): boolean =>
    issuers.size > 0 && !lines.has(nameAndKeyOf(issuer)) && issuers.has(issuerKeyOf(issuer));
  const missing = new Map(
    membersOf(trust)
      .filter(isMissing)
      .map((issuer) => [nameAndKeyOf(issuer), issuer]),
  );

  const linesFor = (certificate: CertificateFacts, issuer: CertificateFacts | undefined): readonly Line[] => {
    const ofIssuer = issuer === undefined ? undefined : lines.get(nameAndKeyOf(issuer));
    if (ofIssuer === undefined) return [];
    const kind = certificate.basicConstraints?.ca === true ? 'ca' : 'user';
    return ofIssuer.filter(
      ([{ facts }]) => facts.scope.certificates === 'all' || facts.scope.certificates === kind,
    );
  };

  return Object.freeze<CrlSet>({
    policy,
    crls,
    issuers,
    missing: Object.freeze([...missing.values()]),
    expecting: (more) =>
      createCrlSet({
        crls,
        previous: undefined,
        policy,
        trust,
        nowMs: createdMs,
        expected: new Set([...issuers, ...more]),
      }),
    check(certificate, issuer, nowMs) {
      const relevant = linesFor(certificate, issuer);
      // First whether anything revokes it: that says more than that another list is stale.
      for (const line of relevant) {
        const breach = findEntry(line, certificate, nowMs);
        if (breach !== undefined) return breach;
      }
      if (policy === 'prefer-fresh') return undefined;
      for (const line of relevant) {
        const breach = findStaleness(line, nowMs);
        if (breach !== undefined) return breach;
      }
      if (issuer === undefined || !isMissing(issuer)) return undefined;
      const detail = `its issuer "${issuer.subject.readable}" had a CRL before, and there is none now`;
      return { rule: 'crl_stale', detail, retryAt: Number.POSITIVE_INFINITY };
    },
    holdsUntil(certificate, issuer, nowMs) {
      const ends = linesFor(certificate, issuer).map((line) => {
        const current = inForce(line, nowMs);
        const stale = current === undefined || policy === 'prefer-fresh' || isStale(current.facts, nowMs);
        return Math.min(nextBegin(line, nowMs), stale ? Number.POSITIVE_INFINITY : current.facts.nextUpdate);
      });
      return Math.min(...ends, Number.POSITIVE_INFINITY);
    },
    states: (nowMs) =>
      [...lines.values()].flat().map((line) => {
        const current = inForce(line, nowMs);
        const next = line.findLast((crl) => beginOf(crl) > nowMs);
        return current === undefined
          ? { crl: next ?? line[0], status: 'future' }
          : stateOf(current, next, nowMs);
      }),
    describe: () => crls.map((crl) => lineOf(crl, createdMs)),
  });
}

function findEntry(line: Line, certificate: CertificateFacts, nowMs: number): RevocationBreach | undefined {
  const current = inForce(line, nowMs);
  const entry = current?.facts.entries.find(certificate.serial);
  if (current === undefined || entry === undefined) return undefined;
  return {
    rule: 'revoked',
    detail: `revoked on ${printableTime(entry.date)} (${entry.reason}) by ${describeCrl(current.facts)}`,
    retryAt: nextBegin(line, nowMs),
  };
}

function findStaleness(line: Line, nowMs: number): RevocationBreach | undefined {
  const current = inForce(line, nowMs);
  const retryAt = nextBegin(line, nowMs);
  if (current === undefined) {
    const { facts } = line.at(-1) ?? line[0];
    const detail = `${describeCrl(facts)} begins at ${printableTime(facts.thisUpdate)} only, and there is no earlier one; it is ${printableTime(nowMs)}`;
    return { rule: 'crl_not_yet_valid', detail, retryAt };
  }
  if (!isStale(current.facts, nowMs)) return undefined;
  const detail = `${describeCrl(current.facts)} is stale: its nextUpdate was ${printableTime(current.facts.nextUpdate)}; it is ${printableTime(nowMs)}`;
  return { rule: 'crl_stale', detail, retryAt };
}

function lineOf(crl: BoundCrl, nowMs: number): string {
  const { facts, issuer, source, remembered } = crl;
  const from = remembered ? `remembered from ${source}` : source;
  const begins = beginOf(crl) > nowMs ? `, not in force before ${printableTime(facts.thisUpdate)}` : '';
  return `CRL_DIR: ${describeCrl(facts)}, ${facts.entries.count} entries, next update ${printableTime(facts.nextUpdate)}${begins} (${from}, issuer key ${issuer.spkiSha256.slice(0, 16)})`;
}
