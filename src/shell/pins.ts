import type { AuditEntry } from '../core/audit/entry.ts';
import type { StillAdmitted } from '../core/audit/still-admitted.ts';
import { boundedMemory } from '../core/bounded-memory.ts';
import { mergePins } from '../core/identity/merge-pins.ts';
import {
  describeOutcome,
  observeKey,
  type PinMode,
  type PinState,
  refusalByPin,
} from '../core/identity/pins.ts';
import type { ClusterPrincipal } from '../core/identity/principal.ts';
import type { Refusal } from '../core/identity/verdict.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createPinTable, readPin } from './pin-table.ts';
import type { SightingStore } from './store/sightings.ts';
import { createOutbox, type Siblings } from './workers/siblings.ts';
import { createWriteBehind } from './write-behind.ts';

/** What `admit` would say at a moment. */
export interface PinAnswer {
  readonly refusal: Refusal | undefined;
  /** One line for people. */
  readonly saw: string;
}

/** The request that a key was seen with, for the log. */
export interface SeenIn {
  readonly requestId: string;
  readonly source: string;
}

export interface KeyPins {
  readonly mode: PinMode;
  /** Takes notice of the key and says why it is refused, if it is. Looks at memory only. */
  admit(cluster: ClusterPrincipal, by: SeenIn): Refusal | undefined;
  /** The same question without taking notice: nothing is remembered, counted or told. Undefined: keys are not looked at. */
  peek(cluster: ClusterPrincipal, nowMs: number): PinAnswer | undefined;
  get(clusterDns: string): PinState | undefined;
  /** Those of which two keys are in use. */
  conflicts(): readonly (readonly [clusterDns: string, state: PinState])[];
  /** Forgets the cluster's keys: the next one is its first. Kept when it resolves. Undefined: there were none. */
  reset(clusterDns: string, entry: AuditEntry, stillAdmitted?: StillAdmitted): Promise<PinState | undefined>;
  close(): Promise<void>;
}

/** Loads the pins. Throws when the store cannot be read. */
export async function createKeyPins(
  mode: PinMode,
  store: SightingStore,
  {
    clock,
    log,
    metrics,
    siblings,
  }: {
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
    readonly siblings: Siblings;
  },
): Promise<KeyPins> {
  const pins = createPinTable(await store.pins());
  const changed = new Set<string>();
  const write = async (): Promise<void> => {
    while (changed.size > 0) {
      const names = [...changed.values().take(LIMITS.sightingsPerCommitMax)];
      for (const name of names) changed.delete(name);
      try {
        await store.save({
          sightings: [],
          forgotten: [],
          pins: names.map((name) => storedPin(name, pins.get(name))),
        });
      } catch (error) {
        for (const name of names) changed.add(name);
        throw error;
      }
    }
  };
  const behind = createWriteBehind('key pins', LIMITS.pinsFlushMs, write, log);
  const warned = new Map<string, { readonly atMs: number; readonly both: boolean }>();
  const keep = (clusterDns: string, state: PinState): void => {
    pins.set(clusterDns, state);
    changed.add(clusterDns);
    behind.wake();
    if (siblings.count > 1) told.put(clusterDns, state);
  };
  /** Name → when its keys were forgotten: what was known before is not taken back from whoever has not heard of it yet. */
  const forgottenMs = boundedMemory<string, number>(LIMITS.pinResetsKeptMax);
  const told = createOutbox<PinState>();
  siblings.gather('pins', told.take);
  siblings.onShared<readonly [string, PinState]>('pins', (items) => {
    for (const [clusterDns, document] of items) {
      const theirs = readPin(document);
      if (theirs.sinceMs < (forgottenMs.get(clusterDns) ?? 0)) continue;
      const before = pins.get(clusterDns);
      const merged = before === undefined ? theirs : mergePins(theirs, before);
      // They know, and have written, what they told; what is more than that is told and written from here.
      if (merged === theirs) pins.set(clusterDns, theirs);
      else keep(clusterDns, merged);
    }
  });
  const forget = (name: string, atMs: number): void => {
    forgottenMs.set(name, atMs);
    pins.delete(name);
    told.drop(name);
    warned.delete(name);
  };
  siblings.onShared<{ readonly name: string; readonly atMs: number }>('pin_reset', (items) => {
    for (const { name, atMs } of items) {
      // What was learned since may have come here first: each topic has an order of its own.
      if ((pins.get(name)?.sinceMs ?? 0) > atMs) {
        forgottenMs.set(name, atMs);
        continue;
      }
      forget(name, atMs);
      // What was written here since the other one took it out of the store is taken out again.
      changed.add(name);
      behind.wake();
    }
  });

  const announce = (
    { dns, certificate }: ClusterPrincipal,
    before: PinState | undefined,
    state: PinState,
    { requestId, source }: SeenIn,
  ): void => {
    const { spkiSha256: spki, sha256 } = certificate;
    const line = { request_id: requestId, source, cluster: dns, spki, certificate: { sha256 }, mode };
    if (before !== undefined && before.spkiSha256 !== state.spkiSha256) {
      log.info({ ...line, replaces: before.spkiSha256 }, 'a cluster has a new key');
      return;
    }
    const nowMs = clock.now();
    const both = state.conflict?.newestUsedSince === true;
    const last = warned.get(dns);
    // That the newest key is used beside it is news, however lately the other was seen.
    if (last !== undefined && nowMs - last.atMs < LIMITS.pinWarningMs && both === last.both) return;
    warned.set(dns, { atMs: nowMs, both });
    const saw = both
      ? 'two keys of one cluster are in use'
      : 'a key that its cluster had replaced is used again';
    log.warn(
      { ...line, newest: state.spkiSha256, count: state.conflict?.count, both_in_use: both },
      `${saw}: its identity may be stolen or cloned`,
    );
  };

  return {
    mode,
    admit(cluster, by) {
      if (mode === 'off') return undefined;
      const { dns, certificate } = cluster;
      const before = pins.get(dns);
      // Full: whoever is new goes unpinned; to forget somebody instead would let a stolen name start afresh.
      if (before === undefined && pins.size >= LIMITS.pinsMax) return undefined;
      const outcome = observeKey(before, certificate.spkiSha256, clock.now());
      const { state, verdict } = outcome;
      if (state === before) return undefined;
      keep(dns, state);
      metrics.keyPins.inc({ verdict });
      if (verdict !== 'first' && verdict !== 'current') announce(cluster, before, state, by);
      return refusalByPin(cluster, outcome, mode);
    },
    peek(cluster, nowMs) {
      if (mode === 'off') return undefined;
      const { spkiSha256 } = cluster.certificate;
      const outcome = observeKey(pins.get(cluster.dns), spkiSha256, nowMs);
      return { refusal: refusalByPin(cluster, outcome, mode), saw: describeOutcome(outcome, spkiSha256) };
    },
    get: (clusterDns) => pins.get(clusterDns),
    conflicts: pins.conflicts,
    async reset(clusterDns, entry, stillAdmitted) {
      const before = pins.get(clusterDns);
      if (before === undefined) return undefined;
      const atMs = clock.now();
      forget(clusterDns, atMs);
      try {
        // Asked of the store in this very turn: what is observed from now on is written after it.
        const batch = {
          sightings: [],
          forgotten: [],
          pins: [storedPin(clusterDns, undefined)],
          audit: [entry],
        };
        await store.save(batch, stillAdmitted);
        await siblings.announce('pin_reset', { name: clusterDns, atMs });
      } catch (error) {
        // Not kept, so not done: what would come back with the next start must not look gone now.
        forgottenMs.delete(clusterDns);
        if (!pins.has(clusterDns)) pins.set(clusterDns, before);
        throw error;
      }
      return before;
    },
    close: behind.stop,
  };
}

function storedPin(
  clusterDns: string,
  state: PinState | undefined,
): { readonly clusterDns: string; readonly document: string | undefined } {
  return { clusterDns, document: state === undefined ? undefined : JSON.stringify(state) };
}
