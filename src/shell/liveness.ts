import { boundedMemory } from '../core/bounded-memory.ts';
import type { CatalogueKind } from '../core/fleet/access.ts';
import { CATALOGUE_KINDS, fluxRoute } from '../core/fleet/registry.ts';
import { inputsDigest } from '../core/fleet/render.ts';
import { type Principal, tokenIdOf } from '../core/identity/principal.ts';
import { printable } from '../core/identity/printable.ts';
import { LIMITS } from '../core/limits.ts';
import { createPollTable } from '../core/liveness/poll-table.ts';
import {
  mergeRecords,
  type PollCredential,
  type PollRecord,
  pruned,
  type RefusedAttempt,
} from '../core/liveness/polls.ts';
import { mergeReports, type Report, type Reports } from '../core/liveness/reports.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import { createPendingReports } from './pending-reports.ts';
import type { LivenessChanges, LivenessStore } from './store/liveness.ts';
import { createWriteBehind } from './write-behind.ts';

/** One answer of a Flux route with inputs. */
export interface AnsweredPoll {
  readonly clusterDns: string;
  readonly kind: CatalogueKind;
  readonly principal: Principal;
  /** The User-Agent as it was sent. */
  readonly client: string | undefined;
  readonly revision: number;
  /** `{"inputs":[…]}`; asked for where it may be another than the last time. */
  inputs(): string;
}

/** Who polled what, and what clusters reported: in memory, written behind requests, shared with other processes through the store. */
export interface Liveness {
  /** At the end of a poll: looks at memory only. */
  polled(poll: AnsweredPoll): void;
  /** An attempt that was refused; only the cluster itself can have made it. */
  refused(clusterDns: string, route: string, attempt: RefusedAttempt): void;
  /** Throws `unavailable` where too much waits to be written. */
  reported(clusterDns: string, report: Report): void;
  of(clusterDns: string): PollRecord | undefined;
  /** Another number whenever `of` may say something else; undefined: there is no record. */
  versionOf(clusterDns: string): number | undefined;
  /** Whether this process has served the route's answer of this revision, or of a later one. */
  hasServed(clusterDns: string, kind: CatalogueKind, revision: number): boolean;
  /** What the cluster reported, by all processes. Reads the store. */
  reportsOf(clusterDns: string): Promise<Reports>;
  /** Changes whenever `reportsOf` may say something else; undefined: the cluster has reported nothing. */
  reportsVersion(clusterDns: string): string | undefined;
  /** Takes in what other processes have written. */
  refresh(): Promise<void>;
  /** Clusters that are in no fleet (any more) are forgotten, once they have been silent for a while. */
  forgetGone(registered: ReadonlySet<string>): void;
  flush(): Promise<void>;
  /** Before the store closes. */
  close(): Promise<void>;
}

const OWN_VERSIONS_MAX = 1_000;
/** A fleet has few, which its clusters share. */
const CLIENTS_MAX = 256;
/** Where many are forgotten at once, those that are silent are looked for once. */
const FORGOTTEN_AT_ONCE = LIMITS.livenessClustersMax / 64;
const ROUTES = CATALOGUE_KINDS.map((kind) => fluxRoute(kind).segment);

/** What was known before is there after the first `refresh`: whatever is noted until then merges with it. */
export function openLiveness(store: LivenessStore, clock: Clock, log: Log): Liveness {
  const seen = createPollTable(ROUTES);
  const changed = new Set<string>();
  const forgotten = new Set<string>();
  const stored = new Map<string, number>();
  const pending = createPendingReports();
  /** Versions that this process wrote. */
  const own = new Set<number>();
  let version = 0;

  const clients = boundedMemory<string, { readonly client: string; readonly shown: string }>(CLIENTS_MAX);
  const clientOf = (client: string): { readonly client: string; readonly shown: string } => {
    const before = clients.get(client);
    if (before !== undefined) return before;
    const known = { client, shown: printable(client, LIMITS.clientCharactersMax) };
    clients.set(client, known);
    return known;
  };
  const makeRoom = (): void => {
    if (seen.size <= LIMITS.livenessClustersMax) return;
    for (const clusterDns of seen.silent(FORGOTTEN_AT_ONCE)) forget(clusterDns);
  };
  const isSeen = (clusterDns: string): boolean => seen.versionOf(clusterDns) !== undefined;
  const forget = (clusterDns: string): void => {
    seen.delete(clusterDns);
    changed.delete(clusterDns);
    stored.delete(clusterDns);
    pending.drop(clusterDns);
    forgotten.add(clusterDns);
    behind.wake();
  };
  const touch = (clusterDns: string): void => {
    changed.add(clusterDns);
    forgotten.delete(clusterDns);
    behind.wake();
  };
  /** What others wrote of the cluster is known here from then on, too: its row is not new to this process any more. */
  const mergedWith = (document: string | undefined, clusterDns: string): string => {
    const known = seen.get(clusterDns);
    const both =
      document === undefined ? known : mergeRecords(JSON.parse(document) as PollRecord, known ?? {});
    const merged = pruned(both ?? {}, clock.now());
    if (known !== undefined && merged !== known) seen.set(clusterDns, merged);
    return JSON.stringify(merged);
  };
  const write = async (): Promise<void> => {
    // What comes meanwhile waits for the next time: polls never cease.
    let left = Math.max(changed.size, pending.size, forgotten.size);
    for (; left > 0; left -= LIMITS.sightingsPerCommitMax) {
      const polls = [...changed.values().take(LIMITS.sightingsPerCommitMax)];
      const reports = pending.take(LIMITS.sightingsPerCommitMax);
      const gone = [...forgotten.values().take(LIMITS.sightingsPerCommitMax)];
      for (const clusterDns of polls) changed.delete(clusterDns);
      for (const clusterDns of gone) forgotten.delete(clusterDns);
      try {
        const written = await store.save({
          polls: polls.map((clusterDns) => ({
            clusterDns,
            writtenAs: () => seen.writtenAs(clusterDns),
            merge: (before) => mergedWith(before, clusterDns),
          })),
          reports: reports.map(({ clusterDns, reports: fresh }) => ({
            clusterDns,
            merge: (before) => JSON.stringify(mergeReports(parseReports(before), fresh)),
          })),
          forgotten: gone,
        });
        own.add(written);
        for (const clusterDns of polls) seen.wrote(clusterDns, written);
        for (const { clusterDns } of reports) stored.set(clusterDns, written);
        pending.written(reports);
      } catch (error) {
        for (const clusterDns of polls) if (isSeen(clusterDns)) changed.add(clusterDns);
        for (const clusterDns of gone) if (!isSeen(clusterDns)) forgotten.add(clusterDns);
        throw error;
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
    // Where nobody ever looks at the fleet, the list of what needs no second look would grow for ever.
    if (own.size > OWN_VERSIONS_MAX) await refresh();
  };
  const behind = createWriteBehind('liveness', LIMITS.livenessFlushMs, write, log);
  const takeIn = (changes: LivenessChanges): void => {
    for (const { clusterDns, document } of changes.polls) {
      const known = pruned(JSON.parse(document) as PollRecord, clock.now());
      seen.set(clusterDns, mergeRecords(seen.get(clusterDns) ?? {}, withShared(known, clusterDns)));
      makeRoom();
    }
    for (const report of changes.reports) stored.set(report.clusterDns, report.version);
  };
  /** With texts of which there need be one only. */
  const withShared = (record: PollRecord, clusterDns: string): PollRecord => {
    const shared = Object.entries(record).map(([route, one]) => {
      if (one.polls === undefined) return [route, one];
      const { client, credential, ...rest } = one.polls;
      const name = credential.name === clusterDns ? clusterDns : credential.name;
      const told = client === undefined ? undefined : clientOf(client).client;
      return [route, { ...one, polls: { ...rest, client: told, credential: { ...credential, name } } }];
    });
    return Object.fromEntries(shared);
  };
  /** Who is not known yet to have been heard is not silent. */
  let loaded = false;
  let refreshing: Promise<void> | undefined;
  const refresh = (): Promise<void> => {
    refreshing ??= store
      .since(version, own, takeIn)
      .then((read) => {
        for (const one of own) if (one <= read) own.delete(one);
        version = read;
        loaded = true;
      })
      .finally(() => {
        refreshing = undefined;
      });
    return refreshing;
  };

  return {
    polled({ clusterDns, kind, principal, client, revision, inputs }) {
      const credential = credentialOf(principal);
      if (credential === undefined) return;
      const route = fluxRoute(kind).segment;
      const poll = {
        lastMs: clock.now(),
        revision,
        credential,
        client: client === undefined ? undefined : clientOf(client).shown,
      };
      seen.polled(clusterDns, route, poll, () => inputsDigest(inputs()));
      makeRoom();
      touch(clusterDns);
    },
    refused(clusterDns, route, refused) {
      seen.refused(clusterDns, route, refused);
      makeRoom();
      touch(clusterDns);
    },
    reported(clusterDns, report) {
      pending.add(clusterDns, report);
      forgotten.delete(clusterDns);
      behind.wake();
    },
    of: (clusterDns) => seen.get(clusterDns),
    versionOf: (clusterDns) => seen.versionOf(clusterDns),
    hasServed: (clusterDns, kind, revision) =>
      seen.servedRevision(clusterDns, fluxRoute(kind).segment) >= revision,
    async reportsOf(clusterDns) {
      const known = stored.has(clusterDns) ? await store.reportsOf(clusterDns) : undefined;
      return mergeReports(parseReports(known), pending.of(clusterDns));
    },
    reportsVersion(clusterDns) {
      const waiting = pending.version(clusterDns);
      const written = stored.get(clusterDns);
      return waiting === undefined && written === undefined ? undefined : `${written} ${waiting}`;
    },
    refresh,
    forgetGone(registered) {
      if (!loaded) return;
      const before = clock.now() - LIMITS.goneSightingMs;
      for (const clusterDns of seen.names()) {
        if (!registered.has(clusterDns) && seen.lastHeardMs(clusterDns) < before) forget(clusterDns);
      }
      for (const clusterDns of stored.keys()) {
        if (!registered.has(clusterDns) && !isSeen(clusterDns)) forget(clusterDns);
      }
    },
    flush: behind.flush,
    close: () => behind.stop(),
  };
}

const parseReports = (document: string | undefined): Reports =>
  document === undefined ? {} : (JSON.parse(document) as Reports);

/** undefined: whoever looks at what a cluster is told is not that cluster. */
function credentialOf(principal: Principal): PollCredential | undefined {
  switch (principal.kind) {
    case 'cluster':
      return { method: 'certificate', name: principal.dns, sha256: principal.certificate.sha256 };
    case 'writer':
      if (principal.alsoReads !== true) return undefined;
      return { method: 'token', name: principal.tokenId };
    case 'reader':
    case 'cluster_token':
      return { method: 'token', name: tokenIdOf(principal) ?? '' };
    default:
      return undefined;
  }
}
