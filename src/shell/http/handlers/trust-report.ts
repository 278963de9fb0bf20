import { X509Certificate } from 'node:crypto';
import { parseLifetime } from '../../../core/expiry.ts';
import type { CertificateFacts } from '../../../core/identity/certificate.ts';
import type { CrlState } from '../../../core/identity/crl-state.ts';
import { mayHaveIssued } from '../../../core/identity/issuer-match.ts';
import type { RevocationList } from '../../../core/identity/revocation-list.ts';
import { type AuthorityRefusal, refusedAuthorities } from '../../../core/identity/standing.ts';
import type { TrustBundle } from '../../../core/identity/trust.ts';
import { LIMITS } from '../../../core/limits.ts';
import { revocationOf, type Snapshot } from '../../../core/snapshot.ts';
import { filterInSteps, jsonInSteps, mapInSteps, sortInSteps } from '../../../core/steps.ts';
import type { Presentation } from '../../presentations.ts';
import { inSlices } from '../../slices.ts';
import { numberOf } from '../parameters.ts';
import { type Answer, Pieces } from '../respond.ts';
import type { HandlerParts } from './handlers.ts';
import { showPin, showSighting, showTime } from './trust.ts';

type Query = Readonly<Record<string, unknown>>;

/** What a report is made of. */
interface Situation {
  readonly parts: HandlerParts;
  readonly snapshot: Snapshot;
  readonly seen: Iterable<Presentation>;
  readonly nowMs: number;
  /** Names in each list. */
  readonly limit: number;
  /** Milliseconds since the epoch; undefined: nobody asked who expires. */
  readonly expiringUntil: number | undefined;
}

/** GET /trust: from memory, who was seen as it is when it is reached; in slices, for it is about the whole fleet. */
export async function trustReport(parts: HandlerParts, query: Query): Promise<Answer> {
  // A CA of which nobody is seen is taken for one that nobody needs: while the past cannot be read, nothing is told.
  await parts.sightings.presentations.loaded();
  // Who is gone is told of no more; where the store cannot say so, all that is in memory is told.
  await parts.sightings.registered().catch(() => undefined);
  const nowMs = parts.clock.now();
  const within = query['expires_within'];
  const pieces = await inSlices(
    report({
      parts,
      snapshot: parts.trust.snapshot,
      seen: parts.sightings.presentations.all(),
      nowMs,
      limit: numberOf(query['limit'], LIMITS.trustNamesDefault),
      expiringUntil: typeof within === 'string' ? nowMs + parseLifetime(within) : undefined,
    }),
  );
  return { status: 200, body: new Pieces(pieces) };
}

function* report(situation: Situation): Generator<void, readonly Uint8Array[]> {
  const { parts, snapshot, nowMs, limit, expiringUntil } = situation;
  const seen = yield* sortInSteps(yield* mapInSteps(situation.seen, (one) => one), byName);
  const by = (credential: Presentation['credential']) =>
    filterInSteps(seen, (one) => one.credential === credential);
  const certificates = yield* by('certificate');
  const clusters = yield* filterInSteps(certificates, ({ kind }) => kind === 'cluster');
  const observed = yield* by('observed');
  const conflicts = parts.sightings.conflicts().toSorted(([a], [b]) => (a < b ? -1 : 1));
  const expiring =
    expiringUntil === undefined
      ? {}
      : { expiring: yield* showSightings(yield* expiringWithin(clusters, expiringUntil), limit) };
  return yield* jsonInSteps({
    generation: snapshot.generation,
    as_of: showTime(nowMs),
    loaded_at: showTime(parts.loads.sinceMs()),
    server_certificate: showServer(snapshot.serverChainPem),
    authorities: yield* showAuthorities(situation, certificates, observed),
    crls: showCrls(snapshot.crls.states(nowMs)),
    crls_missing: snapshot.crls.missing.map(({ sha256, subject }) => ({
      issuer: subject.readable,
      issuer_sha256: sha256,
    })),
    last_seen_by_token: showNames(yield* stillByToken(yield* by('token'), clusters), limit),
    would_be_accepted: yield* showSightings(observed, limit),
    conflicts: {
      mode: parts.sightings.pins.mode,
      total: conflicts.length,
      clusters: conflicts.slice(0, limit).map(([name, state]) => showPin(name, state)),
    },
    ...expiring,
  });
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

function* showAuthorities(
  { snapshot, nowMs, limit }: Situation,
  certificates: readonly Presentation[],
  wouldBe: readonly Presentation[],
): Generator<void, readonly object[]> {
  const { cluster, operator, observed } = snapshot.trust;
  const under = yield* groupByIssuer(certificates);
  const observedUnder = yield* groupByIssuer(wouldBe);
  const revocation = revocationOf(snapshot);
  function* show(
    bundle: TrustBundle | undefined,
    kind: Presentation['kind'],
    groups: ReadonlyMap<string, readonly Presentation[]>,
    status: 'in_force' | 'observed',
  ): Generator<void, readonly object[]> {
    if (bundle === undefined) return [];
    const refused = yield* refusedAuthorities(bundle, revocation, nowMs);
    return yield* mapInSteps([...bundle.anchors, ...bundle.intermediates], (facts: CertificateFacts) => ({
      kind,
      role: bundle.anchorFingerprints.has(facts.sha256) ? 'anchor' : 'intermediate',
      status,
      revoked_by: revokedBy(facts, bundle, snapshot.revocations, nowMs),
      refused: showRefusal(refused.get(facts.sha256)),
      sha256: facts.sha256,
      spki_sha256: facts.spkiSha256,
      serial: facts.serial,
      subject: facts.subject.readable,
      issuer: facts.issuer.readable,
      not_before: showTime(facts.notBefore),
      not_after: showTime(facts.notAfter),
      last_seen: showNames(groups.get(`${kind} ${facts.sha256}`) ?? [], limit),
    }));
  }
  return [
    ...(yield* show(cluster, 'cluster', under, 'in_force')),
    ...(yield* show(operator, 'operator', under, 'in_force')),
    ...(yield* show(observed, 'cluster', observedUnder, 'observed')),
  ];
}

/** As the judge asks: nothing vouches for an anchor, so it has no serial of an issuer. undefined: none is in force. */
function revokedBy(
  facts: CertificateFacts,
  bundle: TrustBundle,
  revocations: RevocationList,
  nowMs: number,
): string | undefined {
  const isAnchor = bundle.anchorFingerprints.has(facts.sha256);
  const named = isAnchor ? [] : (bundle.bySubject.get(facts.issuer.canonical) ?? []);
  const issuers = named.filter((issuer) => issuer.sha256 !== facts.sha256 && mayHaveIssued(issuer, facts));
  for (const issuer of [undefined, ...issuers]) {
    const revoked = revocations.check(facts, issuer, nowMs);
    if (revoked !== undefined) return revoked.revocationId;
  }
  return undefined;
}

function showRefusal(refusal: AuthorityRefusal | undefined): object | undefined {
  if (refusal === undefined) return undefined;
  const { rule, sha256, detail, revocationId } = refusal;
  return { rule, sha256, detail, ...(revocationId === undefined ? {} : { revocation: revocationId }) };
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

/** By kind of principal and fingerprint of each certificate of the path. */
function* groupByIssuer(
  presentations: readonly Presentation[],
): Generator<void, Map<string, Presentation[]>> {
  const groups = new Map<string, Presentation[]>();
  for (const presentation of presentations) {
    for (const sha256 of presentation.certificate?.issuersSha256 ?? []) {
      const key = `${presentation.kind} ${sha256}`;
      const group = groups.get(key);
      if (group === undefined) groups.set(key, [presentation]);
      else group.push(presentation);
    }
    yield;
  }
  return groups;
}

/** Clusters whose last word was a token. */
function* stillByToken(
  tokens: readonly Presentation[],
  certificates: readonly Presentation[],
): Generator<void, readonly Presentation[]> {
  const lastMs = new Map(
    yield* mapInSteps(certificates, ({ name, lastSeenMs }) => [name, lastSeenMs] as const),
  );
  return yield* filterInSteps(tokens, ({ name, lastSeenMs }) => lastSeenMs > (lastMs.get(name) ?? 0));
}

function* expiringWithin(
  clusters: readonly Presentation[],
  untilMs: number,
): Generator<void, readonly Presentation[]> {
  const end = (one: Presentation): number => one.certificate?.notAfter ?? Number.POSITIVE_INFINITY;
  const ending = yield* filterInSteps(clusters, (one) => end(one) <= untilMs);
  return yield* sortInSteps(ending, (a, b) => end(a) - end(b));
}

export function showNames(presentations: readonly { readonly name: string }[], limit: number): object {
  return { total: presentations.length, names: presentations.slice(0, limit).map(({ name }) => name) };
}

function* showSightings(presentations: readonly Presentation[], limit: number): Generator<void, object> {
  const clusters = yield* mapInSteps(presentations.slice(0, limit), showSighting);
  return { total: presentations.length, clusters };
}
