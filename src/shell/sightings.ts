import { countExpiring } from '../core/expiry.ts';
import type { PinMode } from '../core/identity/pins.ts';
import type { Clock } from './clock.ts';
import type { PipelineParts } from './http/pipeline.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createKeyPins, type KeyPins } from './pins.ts';
import { createPresentations, type Presentations } from './presentations.ts';
import type { Store } from './store/store.ts';

/** Who was seen with what, and whose key is whose: kept in memory, written behind the requests. */
export interface Sightings {
  readonly presentations: Presentations;
  readonly pins: KeyPins;
  /** At the end of each request, after what is recorded there: on its path, so nothing here waits for anything. */
  after(record: PipelineParts['record']): PipelineParts['record'];
  /** Before the store closes. */
  close(): Promise<void>;
}

export async function openSightings(
  mode: PinMode,
  store: Store,
  parts: { readonly clock: Clock; readonly log: Log; readonly metrics: Metrics },
): Promise<Sightings> {
  const { clock, log, metrics } = parts;
  const presentations = await createPresentations(store.sightings, clock, log);
  const pins = await createKeyPins(mode, store.sightings, parts);
  metrics.observeKeyConflicts(() => pins.conflicts().length);
  metrics.observeExpiry(() => {
    const ends = presentations
      .all()
      .flatMap(({ kind, credential, certificate }) =>
        kind === 'cluster' && credential === 'certificate' && certificate !== undefined
          ? [certificate.notAfter]
          : [],
      );
    return countExpiring(ends, clock.now());
  });
  return {
    presentations,
    pins,
    after: (recordRequest) => (record, status, error) => {
      recordRequest(record, status, error);
      presentations.note(record, status);
    },
    async close() {
      await Promise.all([pins.close(), presentations.close()]);
    },
  };
}
