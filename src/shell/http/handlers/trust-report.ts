import { X509Certificate } from 'node:crypto';
import { parseLifetime } from '../../../core/expiry.ts';
import type { CertificateFacts } from '../../../core/identity/certificate.ts';
import type { CrlState } from '../../../core/identity/crl-state.ts';
import type { Trust, TrustBundle } from '../../../core/identity/trust.ts';
import { LIMITS } from '../../../core/limits.ts';
import type { Presentation } from '../../presentations.ts';
import { numberOf } from '../parameters.ts';
import type { Answer } from '../respond.ts';
import type { HandlerParts } from './handlers.ts';
import { showPin, showSighting, showTime } from './trust.ts';

type Query = Readonly<Record<string, unknown>>;

/** GET /trust: of one moment, from memory. */
export async function trustReport(parts: HandlerParts, query: Query): Promise<Answer> {
  const { trust, presentations, pins, clock } = parts;
  const { snapshot } = trust;
  const limit = numberOf(query['limit'], LIMITS.trustNamesDefault);
  const nowMs = clock.now();
  const seen = presentations.all().toSorted(byName);
  const by = (credential: Presentation['credential']): readonly Presentation[] =>
    seen.filter((one) => one.credential === credential);
  const certificates = by('certificate');
  const clusters = certificates.filter(({ kind }) => kind === 'cluster');
  const observed = by('observed');
  const conflicts = pins.conflicts().toSorted(([a], [b]) => (a < b ? -1 : 1));
  const within = query['expires_within'];
  return {
    status: 200,
    body: {
      generation: snapshot.generation,
      as_of: showTime(nowMs),
      server_certificate: showServer(snapshot.serverChainPem),
      authorities: showAuthorities(snapshot.trust, certificates, observed, limit),
      crls: showCrls(snapshot.crls.states(nowMs)),
      last_seen_by_token: showNames(stillByToken(by('token'), clusters), limit),
      would_be_accepted: showSightings(observed, limit),
      conflicts: {
        mode: pins.mode,
        total: conflicts.length,
        clusters: conflicts.slice(0, limit).map(([name, state]) => showPin(name, state)),
      },
      ...(typeof within === 'string'
        ? { expiring: showSightings(expiringWithin(clusters, nowMs + parseLifetime(within)), limit) }
        : {}),
    },
  };
}

export const byName = (a: { readonly name: string }, b: { readonly name: string }): number =>
  a.name < b.name ? -1 : a.name > b.name ? 1 : 0;

function showServer(chainPem: string): object {
  const { subject, fingerprint256, validToDate } = new X509Certificate(chainPem);
  return {
    sha256: fingerprint256.replaceAll(':', '').toLowerCase(),
    subject: subject.replaceAll('\n', ', '),
    not_after: validToDate.toISOString(),
  };
}

function showAuthorities(
  { cluster, operator, observed }: Trust,
  certificates: readonly Presentation[],
  wouldBe: readonly Presentation[],
  limit: number,
): readonly object[] {
  const under = groupByIssuer(certificates);
  const observedUnder = groupByIssuer(wouldBe);
  const show = (
    bundle: TrustBundle | undefined,
    kind: Presentation['kind'],
    groups: ReadonlyMap<string, readonly Presentation[]>,
    status: 'in_force' | 'observed',
  ): readonly object[] =>
    [...(bundle?.anchors ?? []), ...(bundle?.intermediates ?? [])].map((facts: CertificateFacts) => ({
      kind,
      role: bundle?.anchorFingerprints.has(facts.sha256) === true ? 'anchor' : 'intermediate',
      status,
      sha256: facts.sha256,
      subject: facts.subject.readable,
      not_before: showTime(facts.notBefore),
      not_after: showTime(facts.notAfter),
      last_seen: showNames(
        (groups.get(facts.sha256) ?? []).filter((one) => one.kind === kind),
        limit,
      ),
    }));
  return [
    ...show(cluster, 'cluster', under, 'in_force'),
    ...show(operator, 'operator', under, 'in_force'),
    ...show(observed, 'cluster', observedUnder, 'observed'),
  ];
}

function showCrls(states: readonly CrlState[]): readonly object[] {
  return states.map(({ crl: { facts, issuer, source, remembered }, status }) => ({
    sha256: facts.sha256,
    source,
    issuer: facts.issuer.readable,
    issuer_sha256: issuer.sha256,
    this_update: showTime(facts.thisUpdate),
    next_update: showTime(facts.nextUpdate),
    status,
    remembered,
  }));
}

function groupByIssuer(presentations: readonly Presentation[]): Map<string, Presentation[]> {
  const groups = new Map<string, Presentation[]>();
  for (const presentation of presentations) {
    for (const sha256 of presentation.certificate?.issuersSha256 ?? []) {
      const group = groups.get(sha256);
      if (group === undefined) groups.set(sha256, [presentation]);
      else group.push(presentation);
    }
  }
  return groups;
}

/** Clusters whose last word was a token. */
function stillByToken(
  tokens: readonly Presentation[],
  certificates: readonly Presentation[],
): readonly Presentation[] {
  const lastCertificateMs = new Map(certificates.map(({ name, lastSeenMs }) => [name, lastSeenMs]));
  return tokens.filter(({ name, lastSeenMs }) => lastSeenMs > (lastCertificateMs.get(name) ?? 0));
}

function expiringWithin(clusters: readonly Presentation[], untilMs: number): readonly Presentation[] {
  const end = (one: Presentation): number => one.certificate?.notAfter ?? Number.POSITIVE_INFINITY;
  return clusters.filter((one) => end(one) <= untilMs).toSorted((a, b) => end(a) - end(b));
}

function showNames(presentations: readonly { readonly name: string }[], limit: number): object {
  return { total: presentations.length, names: presentations.slice(0, limit).map(({ name }) => name) };
}

function showSightings(presentations: readonly Presentation[], limit: number): object {
  return { total: presentations.length, clusters: presentations.slice(0, limit).map(showSighting) };
}
