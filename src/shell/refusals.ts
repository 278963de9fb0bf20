import { type BoundedMemory, boundedMemory } from '../core/bounded-memory.ts';
import type { FluxgateError } from '../core/errors.ts';
import { isCanonicalDnsName } from '../core/identity/names.ts';
import type { PrincipalKind } from '../core/identity/principal.ts';
import { printable } from '../core/identity/printable.ts';
import { LIMITS } from '../core/limits.ts';
import { WORKER_LIMITS } from '../core/limits-workers.ts';
import type { Clock } from './clock.ts';
import { leafSha256 } from './http/logged-certificate.ts';
import type { RequestRecord } from './http/pipeline.ts';
import { createOutbox, type Siblings } from './workers/siblings.ts';

/** How a refusal came to be remembered under a cluster's name. Three kinds of evidence, which are never mixed. */
export type KnownBy =
  /** The request's certificate was accepted and says so. */
  | 'proven'
  /** A certificate that was not accepted says so: a stranger's word. */
  | 'claimed'
  /** The request's path says so, whoever asked. */
  | 'requested';

/** What was refused, again and again: one reason, from one place, with one credential. */
export interface RefusalGroup {
  readonly status: number;
  readonly error: string;
  /** For operators: what the log says. */
  readonly reason: string;
  readonly source: string;
  readonly method: string;
  readonly path: string;
  readonly operation: string | undefined;
  /** Of the certificate that was presented, accepted or not, or not looked at yet. */
  readonly certificateSha256: string | undefined;
  readonly rule: string | undefined;
  readonly position: string | undefined;
  /** Who was refused. */
  readonly principal: PrincipalKind;
  readonly policies: readonly string[];
  readonly revocationId: string | undefined;
  readonly provenCluster: string | undefined;
  readonly claimedClusters: readonly string[];
  readonly requestedCluster: string | undefined;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly count: number;
  readonly lastRequestId: string;
}

/** One request that was refused: its group, and when it was. */
export interface RefusedRequest {
  readonly group: RefusalGroup;
  readonly atMs: number;
}

export interface FoundRefusal {
  readonly group: RefusalGroup;
  readonly knownBy: KnownBy | undefined;
}

/** The last refusals, in memory and bounded: so that "why was it refused at 03:12" has an answer. */
export interface Refusals {
  note(record: RequestRecord, status: number, error: FluxgateError | undefined): void;
  /** Newest first, each by the best evidence that there is of it. */
  ofCluster(clusterDns: string): readonly FoundRefusal[];
  ofCertificate(sha256: string): readonly FoundRefusal[];
  ofRequest(requestId: string): RefusedRequest | undefined;
}

/** Refused for who asks; what is malformed, missing or broken has its reason in its own answer. */
const CODES: readonly string[] = ['unauthenticated', 'forbidden', 'certificate_rejected'];
const REASON_CHARACTERS_MAX = 1_200;

/** Newest last; ids, so that what is forgotten is forgotten everywhere. */
type Ring = readonly number[];

interface Memory {
  readonly groups: BoundedMemory<number, RefusalGroup>;
  /** What makes a group → its id. */
  readonly byKind: BoundedMemory<string, number>;
  /** By a cluster's name, or the certificate's SHA-256; apart, so that a look for each of 10,000 clusters makes no key for each. */
  readonly rings: Readonly<Record<KnownBy | 'certificate', BoundedMemory<string, Ring>>>;
  readonly requests: BoundedMemory<string, { readonly group: number; readonly atMs: number }>;
}

function createMemory(): Memory {
  return {
    groups: boundedMemory(LIMITS.refusalGroupsMax),
    byKind: boundedMemory(LIMITS.refusalGroupsMax),
    rings: {
      proven: boundedMemory(LIMITS.refusalKeysMax),
      claimed: boundedMemory(LIMITS.refusalKeysMax),
      requested: boundedMemory(LIMITS.refusalKeysMax),
      certificate: boundedMemory(LIMITS.refusalKeysMax),
    },
    requests: boundedMemory(LIMITS.refusedRequestsMax),
  };
}

/** Of all workers: what one of them refused, each of them is asked about. */
export function createRefusals(clock: Clock, siblings: Siblings): Refusals {
  // Apart, so that a flood of what anybody can send pushes out nothing about those who are known.
  const known = createMemory();
  const strangers = createMemory();
  const memories = [known, strangers];
  let nextId = 0;

  const search = (by: KnownBy | 'certificate', name: string): FoundRefusal[] => {
    const found: FoundRefusal[] = [];
    for (const { rings, groups } of memories) {
      for (const id of rings[by].get(name) ?? []) {
        const group = groups.get(id);
        if (group !== undefined) found.push({ group, knownBy: by === 'certificate' ? undefined : by });
      }
    }
    return found;
  };

  const remember = (fresh: RefusalGroup): void => {
    const memory = fresh.principal === 'anonymous' ? strangers : known;
    const key = kindOf(fresh);
    let id = memory.byKind.get(key);
    const before = id === undefined ? undefined : memory.groups.get(id);
    if (id === undefined || before === undefined) id = nextId++;
    memory.byKind.set(key, id);
    memory.groups.set(id, {
      ...fresh,
      firstMs: before?.firstMs ?? fresh.firstMs,
      count: (before?.count ?? 0) + 1,
    });
    for (const [by, name] of ringsOf(fresh)) push(memory.rings[by], name, id);
    memory.requests.set(fresh.lastRequestId, { group: id, atMs: fresh.lastMs });
  };
  const outbox = createOutbox<RefusalGroup>(WORKER_LIMITS.sharedRefusalsWaitingMax);
  siblings.gather('refusals', outbox.take);
  siblings.onShared<readonly [string, RefusalGroup]>('refusals', (items) => {
    for (const [, fresh] of items) remember(fresh);
  });

  return {
    note(record, status, error) {
      if (error === undefined || !CODES.includes(error.code)) return;
      const fresh = describeRefusal(record, status, error, clock.now());
      remember(fresh);
      if (siblings.count > 1) outbox.put(fresh.lastRequestId, fresh);
    },
    ofCluster(clusterDns) {
      // A cluster that asks for its own is under its name twice: by its certificate and by the path. The better evidence counts.
      const found = new Map<RefusalGroup, FoundRefusal>();
      for (const by of ['proven', 'claimed', 'requested'] as const) {
        for (const one of search(by, clusterDns)) {
          if (!found.has(one.group)) found.set(one.group, one);
        }
      }
      return newestFirst([...found.values()]);
    },
    ofCertificate: (sha256) => newestFirst(search('certificate', sha256)),
    ofRequest(requestId) {
      for (const { requests, groups } of memories) {
        const request = requests.get(requestId);
        const group = request === undefined ? undefined : groups.get(request.group);
        if (request !== undefined && group !== undefined) return { group, atMs: request.atMs };
      }
      return undefined;
    },
  };
}

/** Two refusals with one of these are one. The text beside a rule names the moment, so it is the latest one's. */
function kindOf(group: RefusalGroup): string {
  const { firstMs: _first, lastMs: _last, count: _count, lastRequestId: _id, reason, ...kind } = group;
  return JSON.stringify([kind, group.rule === undefined ? reason : undefined]);
}

function push(rings: BoundedMemory<string, Ring>, key: string, id: number): void {
  const others = (rings.get(key) ?? []).filter((known) => known !== id);
  rings.set(key, [...others, id].slice(-LIMITS.refusalsPerKeyMax));
}

function newestFirst(found: readonly FoundRefusal[]): readonly FoundRefusal[] {
  return found.toSorted((a, b) => b.group.lastMs - a.group.lastMs);
}

function ringsOf(group: RefusalGroup): readonly (readonly [KnownBy | 'certificate', string])[] {
  const named = <By extends KnownBy | 'certificate'>(
    by: By,
    name: string | undefined,
  ): (readonly [By, string])[] => (name === undefined ? [] : [[by, name]]);
  return [
    ...named('proven', group.provenCluster),
    ...group.claimedClusters.flatMap((name) => named('claimed', name)),
    ...named('requested', group.requestedCluster),
    ...named('certificate', group.certificateSha256),
  ];
}

function describeRefusal(
  record: RequestRecord,
  status: number,
  error: FluxgateError,
  nowMs: number,
): RefusalGroup {
  const { verdict, principal, clusterDns } = record;
  const refusal = verdict?.accepted === false ? verdict.refusal : undefined;
  const accepted = verdict?.accepted === true ? verdict.principal.certificate : undefined;
  const reason = error.logged ?? error.message;
  return {
    status,
    error: error.code,
    reason: reason.length > REASON_CHARACTERS_MAX ? `${reason.slice(0, REASON_CHARACTERS_MAX - 1)}…` : reason,
    source: record.source,
    method: record.method,
    path: printable(record.path),
    operation: record.operation?.operationId,
    certificateSha256: refusal?.sha256 ?? accepted?.sha256 ?? leafSha256(record.presented),
    rule: refusal?.rule,
    position: refusal?.position,
    principal: principal.kind,
    policies: record.decision?.policies ?? [],
    revocationId: record.revocationId,
    provenCluster: principal.kind === 'cluster' ? principal.dns : undefined,
    claimedClusters: refusal?.claimedClusters ?? [],
    // Only canonical names: anything else was 400 before, or is another route's parameter.
    requestedCluster: clusterDns !== undefined && isCanonicalDnsName(clusterDns) ? clusterDns : undefined,
    firstMs: nowMs,
    lastMs: nowMs,
    count: 1,
    lastRequestId: record.requestId,
  };
}
