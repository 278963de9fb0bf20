/** What operators have revoked, frozen into a snapshot: constant-time look-ups, whatever the length of the list. */

import type { CertificateFacts } from './certificate.ts';
import { issuerKeyOf } from './issuer-key.ts';
import { printableTime } from './printable.ts';
import type { RevocationBreach, RevocationCheck, RevokedClusters } from './revocation.ts';
import {
  lookUpKeyOf,
  REVOCATION_KINDS,
  type RevocationKind,
  type RevocationTarget,
  serialLookUpKey,
} from './revocation-target.ts';
import { twinFingerprint } from './signature-twin.ts';

export interface RevocationEntry {
  readonly id: string;
  readonly target: RevocationTarget;
  /** One line, without control characters. */
  readonly reason: string;
  /** Milliseconds since the epoch; from then on it is over. undefined: until somebody lifts it. */
  readonly untilMs: number | undefined;
}

/** A breach, and the revocation that it is counted for. */
export interface RevokedBy extends RevocationBreach {
  readonly revocationId: string;
}

export interface RevocationList extends RevocationCheck, RevokedClusters {
  /** Of the store's state that this is: a list never gives way to one of a lower version. */
  readonly version: number;
  readonly entries: readonly RevocationEntry[];
  readonly ids: ReadonlySet<string>;
  kindOf(id: string): RevocationKind | undefined;
  check(
    certificate: CertificateFacts,
    issuer: CertificateFacts | undefined,
    nowMs: number,
  ): RevokedBy | undefined;
  /** Of a certificate of which no more is remembered than this, and who issued it where that is known: its twins are not seen. */
  remembered(
    certificate: Pick<CertificateFacts, 'sha256' | 'spkiSha256' | 'serial'>,
    issuer: CertificateFacts | undefined,
    nowMs: number,
  ): RevokedBy | undefined;
  /** For a cluster that is identified already, and for the tokens that ask in its name. `dns` is canonical. */
  cluster(dns: string, nowMs: number): RevokedBy | undefined;
  /** How many are in force at this moment, by kind. */
  count(nowMs: number): Readonly<Record<RevocationKind, number>>;
}

const inForce = ({ untilMs }: RevocationEntry, nowMs: number): boolean =>
  untilMs === undefined || nowMs < untilMs;

/** Of one target several may be in force at once: the one that lasts longest decides, so that time asks once. */
function longest(entries: readonly RevocationEntry[], nowMs: number): RevocationEntry | undefined {
  let found: RevocationEntry | undefined;
  for (const entry of entries) {
    if (!inForce(entry, nowMs)) continue;
    if (found === undefined || endOf(entry) > endOf(found)) found = entry;
  }
  return found;
}

const endOf = ({ untilMs }: RevocationEntry): number => untilMs ?? Number.POSITIVE_INFINITY;

function breachOf(entry: RevocationEntry, what: string): RevokedBy {
  const until = entry.untilMs === undefined ? '' : ` until ${printableTime(entry.untilMs)}`;
  return {
    rule: 'revoked',
    detail: `${what} revoked${until} by an operator (${entry.id}): ${entry.reason}`,
    retryAt: endOf(entry),
    revocationId: entry.id,
  };
}

/** `entries`: those that nobody has lifted. `version`: of the store's state that they are. */
export function createRevocationList(entries: readonly RevocationEntry[], version: number): RevocationList {
  const kinds = new Map(entries.map(({ id, target }) => [id, target.kind]));
  const byKey = new Map<string, RevocationEntry[]>();
  for (const entry of entries) {
    const key = lookUpKeyOf(entry.target);
    const others = byKey.get(key);
    if (others === undefined) byKey.set(key, [entry]);
    else others.push(entry);
  }
  const find = (key: string, what: string, nowMs: number): RevokedBy | undefined => {
    const known = byKey.get(key);
    const entry = known === undefined ? undefined : longest(known, nowMs);
    return entry === undefined ? undefined : breachOf(entry, what);
  };
  const ofSerial = (serial: string, issuer: CertificateFacts, nowMs: number): RevokedBy | undefined =>
    find(serialLookUpKey(issuerKeyOf(issuer), serial), `serial ${serial} of its issuer is`, nowMs);
  return Object.freeze<RevocationList>({
    version,
    entries,
    ids: new Set(kinds.keys()),
    kindOf: (id) => kinds.get(id),
    check(certificate, issuer, nowMs) {
      if (byKey.size === 0) return undefined;
      const { sha256, spkiSha256, serial } = certificate;
      const direct =
        find(`certificate_sha256 ${sha256}`, 'the certificate is', nowMs) ??
        find(`spki_sha256 ${spkiSha256}`, 'the key is', nowMs);
      if (direct !== undefined || issuer === undefined) return direct;
      const twin = twinFingerprint(certificate, issuer);
      return (
        find(`certificate_sha256 ${twin}`, 'the certificate, under another signature, is', nowMs) ??
        ofSerial(serial, issuer, nowMs)
      );
    },
    remembered({ sha256, spkiSha256, serial }, issuer, nowMs) {
      if (byKey.size === 0) return undefined;
      return (
        find(`certificate_sha256 ${sha256}`, 'the certificate is', nowMs) ??
        find(`spki_sha256 ${spkiSha256}`, 'the key is', nowMs) ??
        (issuer === undefined ? undefined : ofSerial(serial, issuer, nowMs))
      );
    },
    // Time only ever ends these; what begins comes with another snapshot.
    holdsUntil: () => Number.POSITIVE_INFINITY,
    cluster: (dns, nowMs) =>
      byKey.size === 0 ? undefined : find(`cluster_dns ${dns}`, `all of cluster ${dns} is`, nowMs),
    count(nowMs) {
      const counts = Object.fromEntries(REVOCATION_KINDS.map((kind) => [kind, 0]));
      for (const entry of entries) {
        if (inForce(entry, nowMs)) counts[entry.target.kind] = (counts[entry.target.kind] ?? 0) + 1;
      }
      return counts as Record<RevocationKind, number>;
    },
  });
}

export const NO_REVOCATIONS: RevocationList = createRevocationList([], -1);
