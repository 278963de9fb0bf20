import { countExpiring } from '../core/expiry.ts';
import type { PinMode } from '../core/identity/pins.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { RecordRequest } from './http/pipeline.ts';
import type { Liveness } from './liveness.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createKeyPins, type KeyPins } from './pins.ts';
import { createPresentations, type Presentations } from './presentations.ts';
import type { Store } from './store/store.ts';
import type { Siblings } from './workers/siblings.ts';

/** Who was seen with what, and whose key is whose: kept in memory, written behind the requests. */
export interface Sightings {
  readonly presentations: Presentations;
  readonly pins: KeyPins;
  /** At the end of each request: on its path, so nothing here waits for anything. */
  readonly note: RecordRequest;
  /** Clusters of which two keys are in use, without those that are gone. */
  conflicts(): ReturnType<KeyPins['conflicts']>;
  /** The DNS names of the fleet's clusters, once all that was seen is known. Who is not among them, and silent, is forgotten on the way. */
  registered(): Promise<ReadonlySet<string>>;
  /** Before the store closes. */
  close(): Promise<void>;
}

export async function openSightings(
  mode: PinMode,
  store: Store,
  parts: {
    readonly clock: Clock;
    readonly log: Log;
    readonly metrics: Metrics;
    readonly liveness: Pick<Liveness, 'forgetGone'>;
    readonly siblings: Siblings;
  },
): Promise<Sightings> {
  const { clock, log, metrics } = parts;
  const presentations = createPresentations(store.sightings, clock, log, parts.siblings);
  const pins = await createKeyPins(mode, store.sightings, parts);
  metrics.observeExpiry(() => {
    const ends = Array.from(presentations.clusterCertificates(), ({ notAfter }) => notAfter);
    return countExpiring(ends, clock.now());
  });
  /** Of the last time that somebody looked. */
  let fleet: ReadonlySet<string> | undefined;
  const conflicts = (): ReturnType<KeyPins['conflicts']> => {
    const before = clock.now() - LIMITS.goneSightingMs;
    // What is known of its keys stays: a name that is registered again has the same history.
    return pins
      .conflicts()
      .filter(([name, { conflict }]) => fleet?.has(name) !== false || (conflict?.lastMs ?? 0) >= before);
  };
  metrics.observeKeyConflicts(() => conflicts().length);
  const registered = async (): Promise<ReadonlySet<string>> => {
    await presentations.loaded();
    fleet = new Set(await store.sightings.clusterNames());
    presentations.forgetGone(fleet);
    parts.liveness.forgetGone(fleet);
    return fleet;
  };
  // Nobody may ever ask; a store that cannot be read now is asked again the next time, and /ready tells of it.
  const sweep = setInterval(() => void registered().catch(() => undefined), LIMITS.goneSweepMs);
  sweep.unref();
  return {
    presentations,
    pins,
    conflicts,
    registered,
    note: (record, status) => presentations.note(record, status),
    async close() {
      clearInterval(sweep);
      await Promise.all([pins.close(), presentations.close()]);
    },
  };
}
