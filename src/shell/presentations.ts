import { createHash } from 'node:crypto';
import type { Principal } from '../core/identity/principal.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { RequestRecord } from './http/pipeline.ts';
import type { Log } from './log.ts';
import { sharePresentations } from './shared-presentations.ts';
import type { Sighting, SightingKey, SightingStore } from './store/sightings.ts';
import type { Agreed } from './tls/agreed.ts';
import type { Presented } from './tls/peer.ts';
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
  /** DER, leaf first, as presented; empty for a token. */
  readonly chain: readonly Uint8Array[];
  /** What an earlier version noted has no group. */
  readonly tls: Omit<Agreed, 'group'> & Partial<Agreed>;
  readonly source: string;
  /** With this very credential. */
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  readonly count: number;
}

export interface Presentations {
  /** At the end of each request: looks at memory only. */
  note(record: RequestRecord, status: number): void;
  get(kind: Presentation['kind'], name: string, credential: CredentialKind): Presentation | undefined;
  /** At this moment, in no order; what is handed out does not change. */
  all(): readonly Presentation[];
  /** Clusters that are in no fleet (any more) and have been silent for a while, in memory and in the store. */
  forgetGone(registered: ReadonlySet<string>): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

/** Loads what was seen before. Throws when the store cannot be read. */
export async function createPresentations(
  store: SightingStore,
  clock: Clock,
  log: Log,
  siblings: Siblings,
): Promise<Presentations> {
  const seen = new Map<string, Presentation>();
  const issuers = createIssuerTable();
  for (const row of (await store.load()).sightings) {
    const presentation = readSighting(row, issuers);
    seen.set(keyOf(presentation.kind, presentation.name, presentation.credential), presentation);
  }
  /** Key → when it was last written, for those that were. */
  const writtenMs = new Map<string, number>();
  /** What is to be written or, where it is no more in `seen`, taken out. */
  const changed = new Map<string, SightingKey>();
  const write = async (): Promise<void> => {
    while (changed.size > 0) {
      const batch = [...changed].slice(0, LIMITS.sightingsPerCommitMax);
      const sightings = batch.flatMap(([key]) => {
        const presentation = seen.get(key);
        return presentation === undefined ? [] : [writeSighting(presentation)];
      });
      const forgotten = batch.flatMap(([key, name]) => (seen.has(key) ? [] : [name]));
      for (const [key] of batch) changed.delete(key);
      try {
        await store.save({ sightings, forgotten, pins: [] });
      } catch (error) {
        for (const [key, name] of batch) changed.set(key, name);
        throw error;
      }
      for (const [key] of batch) if (seen.has(key)) writtenMs.set(key, clock.now());
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const behind = createWriteBehind('sightings', LIMITS.sightingsFlushMs, write, log);
  const markChanged = (key: string, name: SightingKey): void => {
    changed.set(key, name);
    behind.wake();
  };
  const forget = (key: string, presentation: Presentation): void => {
    seen.delete(key);
    writtenMs.delete(key);
    markChanged(key, presentation);
  };

  const keep = (key: string, presentation: Presentation): void => {
    // Renewed in its place: the first of the map is whoever was not heard of for longest.
    seen.delete(key);
    seen.set(key, presentation);
    if (seen.size <= LIMITS.presentationsMax) return;
    const [oldest] = seen;
    if (oldest !== undefined) forget(...oldest);
  };
  const shared = sharePresentations(siblings, (key) => seen.get(key), keep);

  return {
    note(record, status) {
      const sighted = sightingIn(record, status);
      if (sighted === undefined) return;
      const key = keyOf(sighted.kind, sighted.name, sighted.credential);
      const before = seen.get(key);
      const nowMs = clock.now();
      const same = before !== undefined && isSameCredential(before, sighted);
      const presentation = same
        ? seenAgain(before, record, nowMs)
        : firstSeen(sighted, record, issuers, nowMs);
      keep(key, presentation);
      shared.seen(key, presentation, !same);
      if (!same || nowMs - (writtenMs.get(key) ?? 0) >= LIMITS.sightingsRewriteMs) markChanged(key, sighted);
    },
    get: (kind, name, credential) => seen.get(keyOf(kind, name, credential)),
    all: () => [...seen.values()],
    forgetGone(registered) {
      const before = clock.now() - LIMITS.goneSightingMs;
      for (const [key, one] of seen) {
        if (one.kind === 'cluster' && one.lastSeenMs < before && !registered.has(one.name)) forget(key, one);
      }
    },
    flush: behind.flush,
    async close() {
      for (const [key, one] of seen) if (isAhead(one, writtenMs.get(key))) changed.set(key, one);
      await behind.stop();
    },
  };
}

const keyOf = (kind: string, name: string, credential: string): string => `${credential} ${kind} ${name}`;

const isAhead = ({ lastSeenMs }: Presentation, writtenMs: number | undefined): boolean =>
  writtenMs !== undefined && lastSeenMs > writtenMs;

type Sighted = Pick<Presentation, 'kind' | 'name' | 'credential' | 'certificate' | 'tokenId'>;

/** Who showed what in this request, if it says anything of whom trust is for. */
function sightingIn(record: RequestRecord, status: number): Sighted | undefined {
  const { verdict, principal, clusterDns } = record;
  if (verdict?.accepted === true) return ofCertificate(verdict.principal, 'certificate');
  if (verdict?.wouldBe !== undefined) return ofCertificate(verdict.wouldBe, 'observed');
  if (verdict !== undefined || status !== 200 || clusterDns === undefined) return undefined;
  // A token says nothing of who holds it: only what it was given for a cluster counts, and only on that cluster's routes.
  if (record.operation?.audience !== 'flux') return undefined;
  if (principal.kind !== 'reader' && principal.kind !== 'writer' && principal.kind !== 'cluster_token') {
    return undefined;
  }
  return {
    kind: 'cluster',
    name: clusterDns,
    credential: 'token',
    certificate: undefined,
    tokenId: principal.tokenId,
  };
}

function ofCertificate(
  principal: Extract<Principal, { certificate: unknown }>,
  credential: CredentialKind,
): Sighted {
  const name = principal.kind === 'cluster' ? principal.dns : principal.name;
  return {
    kind: principal.kind,
    name,
    credential,
    certificate: principal.certificate,
    tokenId: undefined,
  };
}

/** By what was accepted and how: a path to another anchor after a reload is another state of affairs. */
function isSameCredential(before: Presentation, { certificate, tokenId }: Sighted): boolean {
  return (
    before.tokenId === tokenId &&
    // Nearly always the very same object: a verdict that is remembered.
    (before.certificate === certificate ||
      (before.certificate?.sha256 === certificate?.sha256 &&
        before.certificate?.issuersSha256.join() === certificate?.issuersSha256.join()))
  );
}

const NO_TLS = Object.freeze({ version: 'unknown', cipher: 'unknown' });

function seenAgain(before: Presentation, record: RequestRecord, nowMs: number): Presentation {
  const { presented, source } = record;
  const tls = presented?.tls ?? NO_TLS;
  return { ...before, tls, source, lastSeenMs: nowMs, count: before.count + 1 };
}

function firstSeen(
  sighted: Sighted,
  record: RequestRecord,
  issuers: IssuerTable,
  nowMs: number,
): Presentation {
  const { presented, source } = record;
  const chain = sighted.certificate === undefined ? [] : keepChain(presented, issuers);
  const tls = presented?.tls ?? NO_TLS;
  return { ...sighted, chain, tls, source, firstSeenMs: nowMs, lastSeenMs: nowMs, count: 1 };
}

function keepChain(presented: Presented | undefined, issuers: IssuerTable): readonly Uint8Array[] {
  const [leaf, ...above] = presented?.chain ?? [];
  // A copy of its own: what OpenSSL hands out may be a slice of something larger.
  return leaf === undefined ? [] : [new Uint8Array(leaf), ...above.map((der) => issuers.keep(der))];
}

/** The same intermediate in a thousand chains is one object. */
interface IssuerTable {
  keep(der: Uint8Array): Uint8Array;
}

const fingerprint = (der: Uint8Array): string => createHash('sha256').update(der).digest('hex');

function createIssuerTable(): IssuerTable {
  const table = new Map<string, Uint8Array>();
  return {
    keep(der) {
      const sha256 = fingerprint(der);
      const known = table.get(sha256);
      if (known !== undefined) return known;
      const copy = new Uint8Array(der);
      if (table.size < LIMITS.presentedIntermediatesMax) table.set(sha256, copy);
      return copy;
    },
  };
}

type Document = Omit<Presentation, 'kind' | 'name' | 'credential' | 'chain'> & {
  readonly issuers: readonly string[];
};

function writeSighting(presentation: Presentation): Sighting {
  const { kind, name, credential, chain, ...rest } = presentation;
  const [leaf, ...above] = chain;
  const issuers = above.map((der) => ({ sha256: fingerprint(der), der }));
  const document: Document = { ...rest, issuers: issuers.map(({ sha256 }) => sha256) };
  return { kind, name, credential, document: JSON.stringify(document), leaf, issuers };
}

function readSighting(row: Sighting, table: IssuerTable): Presentation {
  // JSON has no undefined.
  const {
    issuers: _,
    certificate = undefined,
    tokenId = undefined,
    ...rest
  } = JSON.parse(row.document) as Document;
  return {
    ...rest,
    certificate,
    tokenId,
    kind: row.kind as Presentation['kind'],
    name: row.name,
    credential: row.credential as CredentialKind,
    chain: row.leaf === undefined ? [] : [row.leaf, ...row.issuers.map(({ der }) => table.keep(der))],
  };
}
