import { boundedMemory } from '../core/bounded-memory.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { RequestRecord } from './http/pipeline.ts';
import type { Log } from './log.ts';
import {
  createAlike,
  createIssuerTable,
  fingerprint,
  type IssuerTable,
  keepChain,
  NO_CHAIN,
  readSighting,
  writeSighting,
} from './presentation-records.ts';
import { createPresentationTable, NO_TLS } from './presentation-table.ts';
import { sharePresentations } from './shared-presentations.ts';
import { isSameCredential, type Sighted, sightingIn } from './sighted.ts';
import type { SightingKey, SightingStore } from './store/sightings.ts';
import type { Agreed } from './tls/agreed.ts';
import { createToldLately } from './told-lately.ts';
import type { Siblings } from './workers/siblings.ts';
import { createWriteBehind } from './write-behind.ts';

/** `observed`: a certificate that was refused, and that CLUSTER_CA_OBSERVE_FILE would let in. */
export type CredentialKind = 'certificate' | 'token' | 'observed';

export interface PresentedCertificate {
  readonly sha256: string;
  readonly spkiSha256: string;
  readonly serial: string;
  readonly subject: string;
  readonly issuer: string;
  readonly anchorSha256: string;
  /** Of the path that was found, the anchor last. */
  readonly issuersSha256: readonly string[];
  /** Milliseconds since the epoch. */
  readonly notAfter: number;
}

/** What somebody last presented, and when. Times are milliseconds since the epoch. */
export interface Presentation {
  readonly kind: 'cluster' | 'operator';
  readonly name: string;
  readonly credential: CredentialKind;
  readonly certificate: PresentedCertificate | undefined;
  readonly tokenId: string | undefined;
  /** DER of what was presented, until the store has it (`withChain`), which keeps 100,000 of them out of memory. */
  readonly leaf: Uint8Array | undefined;
  /** DER, in the order in which they were presented behind the leaf. */
  readonly issuers: readonly Uint8Array[];
  /** What an earlier version noted has no group. */
  readonly tls: Omit<Agreed, 'group'> & Partial<Agreed>;
  readonly source: string;
  /** With this very credential. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly count: number;
}

export interface PresentedChain extends Presentation {
  /** DER, leaf first, as presented. */
  readonly chain: readonly Uint8Array[];
}

export interface Presentations {
  /** At the end of each request: looks at memory only. */
  note(record: RequestRecord, status: number): void;
  /** Resolves once what was seen before the start is known as well; rejects while the store cannot be read. */
  loaded(): Promise<void>;
  /** As far as it is known by now. */
  get(kind: Presentation['kind'], name: string, credential: CredentialKind): Presentation | undefined;
  /**
   * Those that there are at the first step, as far as they are known then, in no order: each is made as it is when it is reached, for to make
   * 100,000 at once takes as long as a hundred polls. What is handed out does not change.
   */
  all(): Iterable<Presentation>;
  /** The one of this certificate, without making a presentation of each. */
  withCertificate(sha256: string): Presentation | undefined;
  /** Of clusters, at this moment: without making a presentation of each. */
  clusterCertificates(): Iterable<PresentedCertificate>;
  /** What `get` says of a cluster's certificate, without making a presentation. */
  certificateOf(clusterDns: string): PresentedCertificate | undefined;
  /** With what was presented, as it is by now; undefined: there is none (any more). Reads the store. */
  withChain(one: Presentation): Promise<PresentedChain | undefined>;
  /** Where there is none: whether it may come yet, from the worker that saw it. */
  isToBeWritten(one: SightingKey): boolean;
  /** Clusters that are in no fleet (any more) and have been silent for a while, in memory and in the store. */
  forgetGone(registered: ReadonlySet<string>): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Where many are forgotten at once, those that were not seen for longest are looked for once. */
const FORGOTTEN_AT_ONCE = LIMITS.presentationsMax / 64;

/** What was seen before is loaded while others are served: `loaded` says when it is there. */
export function createPresentations(
  store: SightingStore,
  clock: Clock,
  log: Log,
  siblings: Siblings,
): Presentations {
  const issuers = createIssuerTable();
  const alike = createAlike();
  const seen = createPresentationTable(alike);
  /** What is to be written or, where it is no more in `seen`, taken out. */
  const changed = new Map<string, SightingKey>();
  const load = createOnce(async () => {
    for await (const row of store.load()) {
      const stored = readSighting(row, issuers, alike);
      const key = keyOf(stored.kind, stored.name, stored.credential);
      const now = seen.get(key);
      // Forgotten meanwhile, and not written yet.
      if (now === undefined && changed.has(key)) continue;
      if (now === undefined) seen.set(key, stored);
      else if (isSameCredential(stored, now)) seen.set(key, together(stored, now));
    }
  });
  const write = async (): Promise<void> => {
    // An end soon after the start does not wait for the past of 100,000.
    if (changed.size === 0) return;
    // What was counted before is not written over by what was counted since.
    await load();
    while (changed.size > 0) {
      const batch = [...changed.entries().take(LIMITS.sightingsPerCommitMax)];
      const sightings = batch.flatMap(([key]) => {
        const presentation = seen.get(key);
        return presentation === undefined ? [] : [writeSighting(presentation)];
      });
      const forgotten = batch.flatMap(([key, name]) => (seen.credentialOf(key) === undefined ? [name] : []));
      const leaves = new Map(batch.map(([key]) => [key, seen.get(key)?.leaf]));
      for (const [key] of batch) changed.delete(key);
      try {
        await store.save({ sightings, forgotten, pins: [] });
      } catch (error) {
        for (const [key, name] of batch) changed.set(key, name);
        throw error;
      }
      for (const [key] of batch) seen.written(key, leaves.get(key), clock.now());
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const behind = createWriteBehind('sightings', LIMITS.sightingsFlushMs, write, log);
  const markChanged = (key: string, { kind, name, credential }: SightingKey): void => {
    changed.set(key, { kind, name, credential });
    behind.wake();
  };
  const forget = (key: string): void => {
    const presentation = seen.get(key);
    if (presentation === undefined) return;
    seen.delete(key);
    markChanged(key, presentation);
  };

  const keep = (key: string, presentation: Presentation): void => {
    seen.set(key, presentation);
    if (seen.size <= LIMITS.presentationsMax) return;
    for (const silent of seen.silent(FORGOTTEN_AT_ONCE)) forget(silent);
  };
  const shared = sharePresentations(
    siblings,
    (key) => seen.get(key),
    // Whoever told it writes it, leaf and all: of another certificate there is none here.
    (key, told) => {
      const before = seen.get(key);
      const same = before !== undefined && isSameCredential(before, told);
      if (!same) toldLately.add(key);
      keep(key, { ...told, leaf: same ? before.leaf : undefined });
    },
  );
  const toldLately = createToldLately(clock);
  /** Of which the store has no leaf: somebody took the row out meanwhile. */
  const lost = new Set<string>();

  return {
    note(record, status) {
      const sighted = sightingIn(record, status);
      if (sighted === undefined) return;
      const key = keyAtHand(sighted);
      const before = seen.credentialOf(key);
      const nowMs = clock.now();
      const same = before !== undefined && isSameCredential(before, sighted);
      const tls = record.presented?.tls ?? NO_TLS;
      if (same) seen.again(key, { certificate: sighted.certificate, tls, source: record.source, nowMs });
      else keep(key, firstSeen(sighted, record, issuers, tls, nowMs));
      const isLost = same && lost.delete(key);
      const lostOne = isLost ? seen.get(key) : undefined;
      if (lostOne !== undefined) keep(key, { ...lostOne, ...keepChain(record.presented, issuers) });
      shared.seen(key, () => seen.get(key), !same);
      if (!same || isLost || nowMs - (seen.writtenMs(key) ?? 0) >= LIMITS.sightingsRewriteMs) {
        markChanged(key, sighted);
      }
    },
    loaded: load,
    get: (kind, name, credential) => seen.get(keyOf(kind, name, credential)),
    *all() {
      for (const key of [...seen.keys()]) {
        const one = seen.get(key);
        if (one !== undefined) yield one;
      }
    },
    withCertificate(sha256) {
      const key = seen.keyOfCertificate(sha256);
      return key === undefined ? undefined : seen.get(key);
    },
    *clusterCertificates() {
      for (const key of seen.keys()) {
        const { certificate } = (isClusterCertificate(key) && seen.credentialOf(key)) || {};
        if (certificate !== undefined) yield certificate;
      }
    },
    certificateOf: (clusterDns) => seen.credentialOf(clusterDns)?.certificate,
    async withChain(one) {
      const key = keyOf(one.kind, one.name, one.credential);
      for (;;) {
        const now = seen.get(key);
        if (now?.certificate === undefined) return undefined;
        const leaf = now.leaf ?? (await store.leafOf(now));
        if (leaf !== undefined && fingerprint(leaf) === now.certificate.sha256) {
          return { ...now, chain: [leaf, ...now.issuers] };
        }
        const since = seen.get(key);
        if (since?.certificate === now.certificate && since?.leaf === now.leaf) {
          if (!toldLately.has(key)) lost.add(key);
          return undefined;
        }
      }
    },
    isToBeWritten: ({ kind, name, credential }) => toldLately.has(keyOf(kind, name, credential)),
    forgetGone(registered) {
      const before = clock.now() - LIMITS.goneSightingMs;
      for (const key of seen.keys()) {
        if (seen.lastSeenMs(key) >= before) continue;
        const one = seen.get(key);
        if (one?.kind === 'cluster' && !registered.has(one.name)) forget(key);
      }
    },
    flush: behind.flush,
    async close() {
      for (const key of seen.keys()) {
        if (seen.lastSeenMs(key) <= (seen.writtenMs(key) ?? Number.POSITIVE_INFINITY)) continue;
        const one = seen.get(key);
        if (one !== undefined) markChanged(key, one);
      }
      await behind.stop();
    },
  };
}

/** Cluster certificates, of which there are most, by the name alone: no name holds a space. */
const keyOf = (kind: string, name: string, credential: string): string =>
  kind === 'cluster' && credential === 'certificate' ? name : `${credential} ${kind} ${name}`;

/** By name: the text of an operator's key, which is made of three otherwise and gone through to be looked up. */
const operatorKeys = boundedMemory<string, string>(LIMITS.operatorsAtHandMax);

function keyAtHand({ kind, name, credential }: SightingKey): string {
  if (kind !== 'operator' || credential !== 'certificate') return keyOf(kind, name, credential);
  let key = operatorKeys.peek(name);
  if (key === undefined) {
    key = keyOf(kind, name, credential);
    operatorKeys.set(name, key);
  }
  return key;
}

const isClusterCertificate = (key: string): boolean => !key.includes(' ');

/** At once for all who ask; again after it has failed. */
function createOnce(work: () => Promise<void>): () => Promise<void> {
  let running: Promise<void> | undefined;
  return () => {
    running ??= work().catch((error: unknown) => {
      running = undefined;
      throw error;
    });
    return running;
  };
}

/** `now` was noted before `stored` was loaded. */
function together(stored: Presentation, now: Presentation): Presentation {
  const { firstSeenMs, count } = stored;
  return { ...now, leaf: undefined, firstSeenMs, count: count + now.count };
}

function firstSeen(
  sighted: Sighted,
  { presented, source }: RequestRecord,
  issuers: IssuerTable,
  tls: Presentation['tls'],
  nowMs: number,
): Presentation {
  const chain = sighted.certificate === undefined ? NO_CHAIN : keepChain(presented, issuers);
  return { ...sighted, ...chain, tls, source, firstSeenMs: nowMs, lastSeenMs: nowMs, count: 1 };
}
