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
import { sharePresentations } from './shared-presentations.ts';
import { isSameCredential, type Sighted, sightingIn } from './sighted.ts';
import type { SightingKey, SightingStore } from './store/sightings.ts';
import type { Agreed } from './tls/agreed.ts';
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
  /** At this moment, as far as it is known by now, in no order; what is handed out does not change. */
  all(): readonly Presentation[];
  /** With what was presented, as it is by now; undefined: there is none (any more). Reads the store. */
  withChain(one: Presentation): Promise<PresentedChain | undefined>;
  /** Clusters that are in no fleet (any more) and have been silent for a while, in memory and in the store. */
  forgetGone(registered: ReadonlySet<string>): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

interface Seen extends Presentation {
  /** When it was last written; undefined: it was not, by this process. */
  readonly writtenMs: number | undefined;
}

/** What was seen before is loaded while others are served: `loaded` says when it is there. */
export function createPresentations(
  store: SightingStore,
  clock: Clock,
  log: Log,
  siblings: Siblings,
): Presentations {
  const seen = new Map<string, Seen>();
  const issuers = createIssuerTable();
  const alike = createAlike();
  /** What is to be written or, where it is no more in `seen`, taken out. */
  const changed = new Map<string, SightingKey>();
  const load = createOnce(async () => {
    // In the order of their coming, so that who was not heard of for longest is first.
    const fresh = new Map(seen);
    for await (const row of store.load()) {
      const stored = { ...readSighting(row, issuers, alike), writtenMs: undefined };
      const key = keyOf(stored.kind, stored.name, stored.credential);
      const now = seen.get(key);
      // Forgotten meanwhile, and not written yet.
      if (now === undefined && changed.has(key)) continue;
      if (now === undefined) seen.set(key, stored);
      else if (isSameCredential(stored, now)) seen.set(key, together(stored, now));
    }
    for (const key of fresh.keys()) {
      const one = seen.get(key);
      if (one !== undefined) renew(key, one);
    }
  });
  const renew = (key: string, one: Seen): void => {
    seen.delete(key);
    seen.set(key, one);
  };
  const write = async (): Promise<void> => {
    // What was counted before is not written over by what was counted since.
    await load();
    while (changed.size > 0) {
      const batch = [...changed].slice(0, LIMITS.sightingsPerCommitMax);
      const sightings = batch.flatMap(([key]) => {
        const presentation = seen.get(key);
        if (presentation === undefined) return [];
        const { writtenMs: _, ...kept } = presentation;
        return [writeSighting(kept)];
      });
      const forgotten = batch.flatMap(([key, name]) => (seen.has(key) ? [] : [name]));
      const leaves = new Map(batch.map(([key]) => [key, seen.get(key)?.leaf]));
      for (const [key] of batch) changed.delete(key);
      try {
        await store.save({ sightings, forgotten, pins: [] });
      } catch (error) {
        for (const [key, name] of batch) changed.set(key, name);
        throw error;
      }
      for (const [key] of batch) {
        const one = seen.get(key);
        if (one === undefined) continue;
        // Unless it is another one by now.
        const leaf = one.leaf === leaves.get(key) ? undefined : one.leaf;
        seen.set(key, { ...one, leaf, writtenMs: clock.now() });
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const behind = createWriteBehind('sightings', LIMITS.sightingsFlushMs, write, log);
  const markChanged = (key: string, { kind, name, credential }: SightingKey): void => {
    changed.set(key, { kind, name, credential });
    behind.wake();
  };
  const forget = (key: string, presentation: Presentation): void => {
    seen.delete(key);
    markChanged(key, presentation);
  };

  const keep = (key: string, presentation: Seen): void => {
    // Renewed in its place: the first of the map is whoever was not heard of for longest.
    renew(key, presentation);
    if (seen.size <= LIMITS.presentationsMax) return;
    const [oldest] = seen;
    if (oldest !== undefined) forget(...oldest);
  };
  const shared = sharePresentations(
    siblings,
    (key) => seen.get(key),
    // Whoever told it writes it, leaf and all: of another certificate there is none here.
    (key, told) => {
      const before = seen.get(key);
      const leaf = before !== undefined && isSameCredential(before, told) ? before.leaf : undefined;
      keep(key, { ...told, leaf, writtenMs: before?.writtenMs });
    },
  );
  /** Of which the store has no leaf: somebody took the row out meanwhile. */
  const lost = new Set<string>();

  return {
    note(record, status) {
      const sighted = sightingIn(record, status);
      if (sighted === undefined) return;
      const key = keyOf(sighted.kind, sighted.name, sighted.credential);
      const before = seen.get(key);
      const nowMs = clock.now();
      const same = before !== undefined && isSameCredential(before, sighted);
      const tls = alike.tls(record.presented?.tls ?? NO_TLS);
      let presentation: Seen = same
        ? seenAgain(before, sighted, record.source, tls, nowMs)
        : { ...firstSeen(sighted, record, issuers, tls, nowMs), writtenMs: undefined };
      const isLost = same && lost.delete(key);
      if (isLost) presentation = { ...presentation, ...keepChain(record.presented, issuers) };
      keep(key, presentation);
      shared.seen(key, presentation, !same);
      if (!same || isLost || nowMs - (presentation.writtenMs ?? 0) >= LIMITS.sightingsRewriteMs) {
        markChanged(key, sighted);
      }
    },
    loaded: load,
    get: (kind, name, credential) => seen.get(keyOf(kind, name, credential)),
    all: () => [...seen.values()],
    async withChain(one) {
      const key = keyOf(one.kind, one.name, one.credential);
      for (;;) {
        const now = seen.get(key);
        if (now?.certificate === undefined) return undefined;
        const leaf = now.leaf ?? (await store.leafOf(now));
        if (leaf !== undefined && fingerprint(leaf) === now.certificate.sha256) {
          return { ...now, chain: [leaf, ...now.issuers] };
        }
        if (seen.get(key) === now) {
          lost.add(key);
          return undefined;
        }
      }
    },
    forgetGone(registered) {
      const before = clock.now() - LIMITS.goneSightingMs;
      for (const [key, one] of seen) {
        if (one.kind === 'cluster' && one.lastSeenMs < before && !registered.has(one.name)) forget(key, one);
      }
    },
    flush: behind.flush,
    async close() {
      for (const [key, one] of seen) if (isAhead(one)) markChanged(key, one);
      await behind.stop();
    },
  };
}

/** Cluster certificates, of which there are most, by the name alone: no name holds a space. */
const keyOf = (kind: string, name: string, credential: string): string =>
  kind === 'cluster' && credential === 'certificate' ? name : `${credential} ${kind} ${name}`;

const isAhead = ({ lastSeenMs, writtenMs }: Seen): boolean =>
  writtenMs !== undefined && lastSeenMs > writtenMs;

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

const NO_TLS = Object.freeze({ version: 'unknown', cipher: 'unknown' });

function seenAgain(
  before: Seen,
  { certificate }: Sighted,
  source: string,
  tls: Presentation['tls'],
  nowMs: number,
): Seen {
  // That of the verdict, which is remembered anyway: what was loaded says the same once more.
  return { ...before, certificate, tls, source, lastSeenMs: nowMs, count: before.count + 1 };
}

/** `now` was noted before `stored` was loaded. */
function together(stored: Seen, now: Seen): Seen {
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
