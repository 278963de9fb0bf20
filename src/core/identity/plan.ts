/**
 * What another bundle would mean for those who were seen: the chains that they last presented, judged again by the judge of
 * requests, under the trust that is only thought of. OpenSSL cannot be asked, for there is no handshake to ask it in; where it
 * would look for a path is foreseen.
 */

import { boundedMemory } from '../bounded-memory.ts';
import { StartupError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { type CertificateFacts, confirmedBefore, describeCertificate, readFacts } from './certificate.ts';
import { CrlRefused } from './crl-refused.ts';
import { type CrlSet, findCrlIssuer } from './crl-set.ts';
import { type JudgeInput, judge } from './judge.ts';
import { findOpensslDeadEnd } from './openssl-path.ts';
import type { CertificatePrincipal } from './principal.ts';
import { arrangeBundle, createTrust, readBundleInSteps, type Trust, type TrustBundle } from './trust.ts';
import type { RefusalRule, Verdict } from './verdict.ts';

/** Either the bundles as they would be, or what would be taken out of those in force; never both. */
export interface TrustChange {
  readonly clusterCaPem?: string | undefined;
  readonly operatorCaPem?: string | undefined;
  /** SHA-256, lower-case hex, of certificates of the bundles in force. */
  readonly removeAnchors?: readonly string[] | undefined;
}

/** Throws StartupError with the reason for which the candidate would be refused at load. */
export function* candidateTrust(trust: Trust, change: TrustChange): Generator<void, Trust> {
  const { clusterCaPem, operatorCaPem, removeAnchors = [] } = change;
  if (removeAnchors.length > 0 && (clusterCaPem ?? operatorCaPem) !== undefined) {
    throw new StartupError('remove_anchors takes from the bundles in force: give it alone, or give bundles');
  }
  const removed = new Set(removeAnchors);
  const known = new Set([trust.cluster, trust.operator].flatMap((bundle) => fingerprintsOf(bundle)));
  const unknown = removeAnchors.find((sha256) => !known.has(sha256));
  if (unknown !== undefined)
    throw new StartupError(`remove_anchors: ${unknown} is in neither bundle in force`);
  const { cluster, operator, spiffeTrustDomain } = trust;
  return createTrust({
    cluster:
      clusterCaPem === undefined
        ? yield* without(cluster, removed)
        : yield* readBundleInSteps(clusterCaPem, 'cluster_ca_pem'),
    operator:
      operatorCaPem !== undefined
        ? yield* readBundleInSteps(operatorCaPem, 'operator_ca_pem')
        : operator && (yield* without(operator, removed)),
    spiffeTrustDomain,
  });
}

const fingerprintsOf = (bundle: TrustBundle | undefined): readonly string[] =>
  bundle?.certificates.map(({ sha256 }) => sha256) ?? [];

/**
 * The bundle without these. An intermediate that was trusted for its removed root only goes as well: left alone in the file
 * it would become an anchor itself, and nothing would have been removed.
 */
function* without(bundle: TrustBundle, removed: ReadonlySet<string>): Generator<void, TrustBundle> {
  if (!bundle.certificates.some(({ sha256 }) => removed.has(sha256))) return bundle;
  let kept = bundle.certificates.filter(({ sha256 }) => !removed.has(sha256));
  for (;;) {
    if (kept.length === 0)
      throw new StartupError(`remove_anchors: nothing would be left of ${bundle.variable}`);
    const next = yield* arrangeBundle(kept, bundle);
    const orphans = new Set(
      next.anchors.map(({ sha256 }) => sha256).filter((sha256) => !bundle.anchorFingerprints.has(sha256)),
    );
    if (orphans.size === 0) return next;
    kept = kept.filter(({ sha256 }) => !orphans.has(sha256));
  }
}

/** The CRLs in force that nobody under the candidate stands behind: with them in CRL_DIR it would be refused at load. */
export function* strandedCrls(crls: CrlSet['crls'], candidate: Trust): Generator<void, readonly string[]> {
  const stranded: string[] = [];
  for (const { facts, source, remembered } of crls) {
    if (remembered) continue;
    try {
      yield* findCrlIssuer(facts, candidate);
    } catch (error) {
      if (!(error instanceof CrlRefused)) throw error;
      stranded.push(`CRL_DIR: ${source} would be refused at load with these bundles: ${error.message}`);
    }
  }
  return stranded;
}

/** Who it was when it was last accepted, and with what. */
export interface Planned {
  readonly kind: CertificatePrincipal['kind'];
  readonly name: string;
  /** DER, leaf first, as presented. */
  readonly chain: readonly Uint8Array[];
}

export type PlanVerdict = { readonly stays: true; readonly anchorSha256: string } | Refused;

export interface Refused {
  readonly stays: false;
  readonly rule: RefusalRule | 'other_identity';
  readonly position: string;
  readonly detail: string;
  /** It is refused under the trust in force as well, so the change is not to blame. */
  readonly refusedNow: boolean;
}

/** Who is believed, and who is not any more. */
export type TrustState = Pick<JudgeInput, 'trust' | 'revocation' | 'revokedClusters'>;

export interface PlanQuestion {
  readonly inForce: TrustState;
  readonly candidate: TrustState;
  readonly nowMs: number;
}

export type Planner = (planned: Planned) => PlanVerdict;

/** One call costs a verification or two, a millisecond: whoever asks for many lets others in between. */
export function createPlanner({ inForce, candidate, nowMs }: PlanQuestion): Planner {
  const read = rememberFacts();
  const under = (state: TrustState, presented: readonly Uint8Array[]): Verdict =>
    judge({
      presented,
      openssl: { authorized: true, error: undefined },
      ...state,
      nowMs,
      read,
      // What was presented was accepted once.
      confirm: confirmedBefore,
    });
  const deadEnd = ({ trust }: TrustState, presented: readonly Uint8Array[]): CertificateFacts | undefined => {
    const [leaf, ...others] = presented.map(read);
    return leaf && findOpensslDeadEnd(leaf, others, trust, nowMs);
  };
  const isRefusedNow = (planned: Planned): boolean => {
    const now = under(inForce, planned.chain);
    return !now.accepted || !isSame(now.principal, planned) || deadEnd(inForce, planned.chain) !== undefined;
  };
  return (planned) => {
    const refused = (rule: Refused['rule'], position: string, detail: string): Refused => ({
      stays: false,
      rule,
      position,
      detail,
      refusedNow: isRefusedNow(planned),
    });
    const then = under(candidate, planned.chain);
    if (!then.accepted) {
      const { rule, position, detail } = then.refusal;
      return refused(rule, position, detail);
    }
    if (!isSame(then.principal, planned)) {
      const detail = `it would be the ${then.principal.kind} ${nameOf(then.principal)}`;
      return refused('other_identity', 'chain', detail);
    }
    const end = deadEnd(candidate, planned.chain);
    if (end === undefined) return { stays: true, anchorSha256: then.principal.certificate.anchorSha256 };
    const detail =
      `every rule here would accept the chain, but OpenSSL would follow ${describeCertificate(end)}, the first sent that fits, ` +
      'and find nobody above it: put the CA that is sent twice into the bundle, or send its other certificate first';
    return refused('openssl_disagrees', 'chain', detail);
  };
}

/**
 * Reading still costs more than all the rest: a fleet
 * presents few different intermediates, and each leaf is read for two verdicts in a row. By the octets' object; only so many,
 * because a fleet has as many leaves as it has clusters.
 */
function rememberFacts(): (der: Uint8Array) => CertificateFacts {
  const known = boundedMemory<Uint8Array, CertificateFacts>(LIMITS.presentedIntermediatesMax);
  return (der) => {
    let facts = known.get(der);
    if (facts === undefined) {
      facts = readFacts(der);
      known.set(der, facts);
    }
    return facts;
  };
}

const nameOf = (principal: CertificatePrincipal): string =>
  principal.kind === 'cluster' ? principal.dns : principal.name;

const isSame = (principal: CertificatePrincipal, { kind, name }: Planned): boolean =>
  principal.kind === kind && nameOf(principal) === name;
