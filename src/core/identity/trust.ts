/** Whose signature counts: the two bundles, each certificate in its role, and what must not be in both. */

import { createHash } from 'node:crypto';
import { StartupError } from '../errors.ts';
import { finish } from '../steps.ts';
import { type CertificateFacts, describeCertificate, readCertificate } from './certificate.ts';
import { mayHaveIssued } from './issuer-match.ts';
import { isCanonicalDnsName } from './names.ts';
import { readPemCertificates } from './pem.ts';
import { printable, printableTime } from './printable.ts';
import { weaknessOf } from './public-key.ts';
import { CertificateRefused } from './refused.ts';
import { isSelfSigned, isSignedBy } from './signature.ts';

export interface TrustBundle {
  /** The setting that it came from, for messages. */
  readonly variable: string;
  /** The same with its path, where it has one: for what whoever writes the file must mend. */
  readonly source: string;
  /** Without repetitions, in the file's order. */
  readonly certificates: readonly CertificateFacts[];
  /** A path may end here: what signed itself, and what nobody in the bundle signed. */
  readonly anchors: readonly CertificateFacts[];
  /** Only links: a path may lead through them, to an anchor of the same bundle. */
  readonly intermediates: readonly CertificateFacts[];
  /** Canonical subject name → certificates of that name, anchors first. */
  readonly bySubject: ReadonlyMap<string, readonly CertificateFacts[]>;
  /** SHA-256 of each anchor. */
  readonly anchorFingerprints: ReadonlySet<string>;
  /** What does not stop the start but should be known; time plays no part in these. */
  readonly warnings: readonly string[];
}

export interface Trust {
  readonly cluster: TrustBundle;
  readonly operator: TrustBundle | undefined;
  /** What would be the cluster bundle: counted, never believed. Nobody but observe.ts may search it for a path. */
  readonly observed?: TrustBundle | undefined;
  /** Canonical; undefined: SPIFFE URIs are no identities. */
  readonly spiffeTrustDomain: string | undefined;
  /**
   * PEM, for OpenSSL's `ca`: every certificate of both bundles, and what is observed, so that clients are told its name and
   * present what it issued. OpenSSL then accepts those chains; our own verdict does not, and both must.
   */
  readonly authorities: readonly string[];
  readonly warnings: readonly string[];
  /** One line for each anchor, for the log at start and after a reload. */
  describe(): readonly string[];
}

export interface TrustSources {
  readonly cluster: TrustBundle;
  readonly operator: TrustBundle | undefined;
  readonly observed?: TrustBundle | undefined;
  readonly spiffeTrustDomain?: string | undefined;
}

/** Certificates of bundles that were read before, by their octets' SHA-256: reading one takes two milliseconds. */
export type KnownCertificates = ReadonlyMap<string, CertificateFacts>;

/** One member of a bundle, fit to be one. */
function readMember(der: Uint8Array, where: string, known: KnownCertificates): CertificateFacts {
  let facts: CertificateFacts;
  try {
    facts = known.get(createHash('sha256').update(der).digest('hex')) ?? readCertificate(der);
  } catch (error) {
    if (!(error instanceof CertificateRefused)) throw error;
    throw new StartupError(`${where} is not a usable certificate: ${error.message}`, error);
  }
  const member = `${where}, ${describeCertificate(facts)},`;
  if (facts.basicConstraints?.ca !== true) {
    throw new StartupError(`${member} is not a CA certificate (basicConstraints cA is not true)`);
  }
  if (facts.keyUsage !== undefined && !facts.keyUsage.has('keyCertSign')) {
    throw new StartupError(`${member} may not sign certificates (keyUsage lacks keyCertSign)`);
  }
  const weakness = weaknessOf(facts.publicKey);
  if (weakness !== undefined) throw new StartupError(`${member} has a key that is not accepted: ${weakness}`);
  return facts;
}

function groupBySubject(certificates: readonly CertificateFacts[]): Map<string, CertificateFacts[]> {
  const groups = new Map<string, CertificateFacts[]>();
  for (const facts of certificates) {
    const group = groups.get(facts.subject.canonical);
    if (group === undefined) groups.set(facts.subject.canonical, [facts]);
    else group.push(facts);
  }
  return groups;
}

/** By name, by key identifiers, and by signature: all three, or it is not the issuer. */
function issuersAmong(
  facts: CertificateFacts,
  bySubject: ReadonlyMap<string, readonly CertificateFacts[]>,
): readonly CertificateFacts[] {
  const named = bySubject.get(facts.issuer.canonical) ?? [];
  return named.filter(
    (issuer) => issuer.sha256 !== facts.sha256 && mayHaveIssued(issuer, facts) && isSignedBy(facts, issuer),
  );
}

/**
 * Reads a PEM bundle. Throws StartupError, naming `variable` and the block, for anything that is not a bundle of CA
 * certificates: a bundle that is partly believed is how a typo becomes a hole (Caddy CVE-2026-27586).
 */
export function readBundle(pem: string | Uint8Array, variable: string): TrustBundle {
  return finish(readBundleInSteps(pem, variable));
}

/** The same, yielding after each certificate: each takes a millisecond, and a bundle may hold thousands. */
export function* readBundleInSteps(
  pem: string | Uint8Array,
  variable: string,
  source = variable,
  known: KnownCertificates = new Map(),
): Generator<void, TrustBundle> {
  const members = new Map<string, CertificateFacts>();
  const warnings: string[] = [];
  for (const [index, der] of readPemCertificates(pem, source).entries()) {
    yield;
    const facts = readMember(der, `${source}: block ${index + 1}`, known);
    if (members.has(facts.sha256)) {
      warnings.push(`${variable}: block ${index + 1} repeats ${describeCertificate(facts)}`);
    }
    members.set(facts.sha256, facts);
  }
  const bundle = yield* arrangeBundle([...members.values()], { variable, source });
  return Object.freeze({ ...bundle, warnings: Object.freeze([...warnings, ...bundle.warnings]) });
}

/** The roles of certificates that were read, each once. Throws StartupError where none of them can be an anchor. */
export function* arrangeBundle(
  certificates: readonly CertificateFacts[],
  { variable, source }: Pick<TrustBundle, 'variable' | 'source'>,
): Generator<void, TrustBundle> {
  const bySubject = groupBySubject(certificates);
  // A root may be self-signed with any hash: trust in it comes from the file, and OpenSSL does not look either.
  const anchors: CertificateFacts[] = [];
  for (const facts of certificates) {
    yield;
    if (isSelfSigned(facts) || issuersAmong(facts, bySubject).length === 0) anchors.push(facts);
  }
  const anchorFingerprints = new Set(anchors.map((facts) => facts.sha256));
  if (anchors.length === 0) {
    throw new StartupError(`${source}: the certificates sign each other in a circle; none is a trust anchor`);
  }
  const intermediates = certificates.filter((facts) => !anchorFingerprints.has(facts.sha256));
  return Object.freeze({
    variable,
    source,
    certificates: Object.freeze(certificates),
    anchors: Object.freeze(anchors),
    intermediates: Object.freeze(intermediates),
    bySubject: groupBySubject([...anchors, ...intermediates]),
    anchorFingerprints,
    warnings: Object.freeze(certificates.flatMap((facts) => uselessnessOf(facts, variable) ?? [])),
  });
}

function uselessnessOf(facts: CertificateFacts, variable: string): string | undefined {
  if (facts.unknownCritical.length === 0) return undefined;
  return (
    `${variable}: ${describeCertificate(facts)} has the unknown critical extension ${facts.unknownCritical.join(', ')}; ` +
    'nothing under it will be accepted'
  );
}

const keyOfSubject = (facts: CertificateFacts): string => `${facts.spkiSha256} ${facts.subject.canonical}`;

/** No key may vouch for both kinds of principal, neither itself nor through the other bundle's. */
function refuseSharedTrust(cluster: TrustBundle, operator: TrustBundle): void {
  const clusterKeys = new Set(cluster.certificates.map(keyOfSubject));
  const shared = operator.certificates.find((facts) => clusterKeys.has(keyOfSubject(facts)));
  if (shared !== undefined) {
    throw new StartupError(
      `${cluster.source} and ${operator.source} both hold ${describeCertificate(shared)} (the same name and key): ` +
        'everything under it would be a cluster and an operator at once. Give each kind of principal its own CA',
    );
  }
  for (const [lower, upper] of [
    [operator, cluster],
    [cluster, operator],
  ] as const) {
    for (const anchor of lower.anchors) {
      const [issuer] = issuersAmong(anchor, upper.bySubject);
      if (issuer === undefined) continue;
      throw new StartupError(
        `${lower.source}: ${describeCertificate(anchor)} was issued by ${describeCertificate(issuer)} of ${upper.source}: ` +
          'everything under it would be a cluster and an operator at once. Trust separate issuing CAs in each bundle, and not their common root',
      );
    }
  }
}

function pemOf(der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

/**
 * Observed CAs for OpenSSL's store, without those whose name is there already: their name is advertised as it is, and of two
 * CAs of one name OpenSSL may try the wrong one for a certificate without key identifiers and refuse whom we accept.
 */
function observedAuthorities(observed: TrustBundle | undefined, inForce: readonly TrustBundle[]): string[] {
  const unknown = (observed?.certificates ?? []).filter(
    ({ subject }) => !inForce.some(({ bySubject }) => bySubject.has(subject.canonical)),
  );
  return unknown.map(({ der }) => pemOf(der));
}

/** Throws StartupError where the two bundles would give one certificate two meanings. */
export function createTrust({ cluster, operator, observed, spiffeTrustDomain }: TrustSources): Trust {
  // SPIFFE allows underscores in a trust domain; here it is a DNS name like every other name.
  if (spiffeTrustDomain !== undefined && !isCanonicalDnsName(spiffeTrustDomain)) {
    throw new StartupError(
      `SPIFFE_TRUST_DOMAIN: "${printable(spiffeTrustDomain, 80)}" is not a DNS name in lower case without a trailing dot`,
    );
  }
  if (operator !== undefined) {
    refuseSharedTrust(cluster, operator);
    // What could never be loaded as the cluster bundle is no use to observe.
    if (observed !== undefined) refuseSharedTrust(observed, operator);
  }
  const bundles = [cluster, ...(operator === undefined ? [] : [operator])];
  const lines = bundles.flatMap(({ anchors, variable }) =>
    anchors.map(
      (facts) => `${variable}: ${describeCertificate(facts)} until ${printableTime(facts.notAfter)}`,
    ),
  );
  for (const facts of observed?.anchors ?? []) {
    const until = printableTime(facts.notAfter);
    lines.push(`${observed?.variable} (observed only): ${describeCertificate(facts)} until ${until}`);
  }
  return Object.freeze({
    cluster,
    operator,
    observed,
    spiffeTrustDomain,
    authorities: Object.freeze([
      ...bundles.flatMap(({ certificates }) => certificates.map(({ der }) => pemOf(der))),
      ...observedAuthorities(observed, bundles),
    ]),
    warnings: Object.freeze([...bundles, observed].flatMap((bundle) => bundle?.warnings ?? [])),
    describe: () => lines,
  });
}

const SOON_MS = 30 * 86_400_000;

function timeWarning(facts: CertificateFacts, variable: string, nowMs: number): string | undefined {
  const who = `${variable}: ${describeCertificate(facts)}`;
  if (nowMs < facts.notBefore) {
    return `${who} is not valid before ${printableTime(facts.notBefore)}; until then nothing under it is accepted`;
  }
  if (nowMs > facts.notAfter) {
    return `${who} expired at ${printableTime(facts.notAfter)}; nothing under it is accepted`;
  }
  return nowMs > facts.notAfter - SOON_MS
    ? `${who} expires at ${printableTime(facts.notAfter)}; add its successor to the bundle before then`
    : undefined;
}

/** `trust.warnings`, and those that depend on time: certificates that are expired, not yet valid, or within 30 days of it. */
export function trustWarnings(trust: Trust, nowMs: number): readonly string[] {
  const bundles = [trust.cluster, ...(trust.operator === undefined ? [] : [trust.operator])];
  const ofTime = bundles.flatMap(({ certificates, variable }) =>
    certificates.flatMap((facts) => timeWarning(facts, variable, nowMs) ?? []),
  );
  return [...trust.warnings, ...ofTime];
}
