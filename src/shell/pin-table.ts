import { NONE_RETIRED, type PinState } from '../core/identity/pins.ts';
import type { StoredPins } from './store/sightings.ts';

/**
 * The pins of all clusters, by DNS name. A start reads 100,000 of them before anybody is served, and most say nothing but which key it
 * is: what was stored is kept as its text until its cluster is asked about.
 */
export interface PinTable {
  readonly size: number;
  has(clusterDns: string): boolean;
  get(clusterDns: string): PinState | undefined;
  set(clusterDns: string, state: PinState): void;
  delete(clusterDns: string): void;
  /** Those of which two keys are in use. */
  conflicts(): [clusterDns: string, state: PinState][];
}

/** Takes over `stored`. */
export function createPinTable(stored: StoredPins): PinTable {
  const pins: Map<string, PinState | string> = stored;
  /** Of what was stored: whoever asks first has them looked for. */
  let conflictsRead = false;
  const readConflicts = (): void => {
    if (conflictsRead) return;
    for (const [name, known] of pins) {
      if (typeof known === 'string' && CONFLICT.test(known)) pins.set(name, readPin(JSON.parse(known)));
    }
    conflictsRead = true;
  };
  return {
    get size() {
      return pins.size;
    },
    has: (clusterDns) => pins.has(clusterDns),
    get(clusterDns) {
      const known = pins.get(clusterDns);
      if (typeof known !== 'string') return known;
      const state = readPin(JSON.parse(known));
      pins.set(clusterDns, state);
      return state;
    },
    set: (clusterDns, state) => void pins.set(clusterDns, state),
    delete: (clusterDns) => void pins.delete(clusterDns),
    conflicts() {
      readConflicts();
      const found: [string, PinState][] = [];
      for (const [name, state] of pins) {
        if (typeof state !== 'string' && state.conflict !== undefined) found.push([name, state]);
      }
      return found;
    },
  };
}

/** The key is in the text wherever there is one, however it was written: nothing else in it is text of anybody's. */
const CONFLICT = /conflict/;

/** JSON has no undefined. */
export function readPin(document: unknown): PinState {
  const { spkiSha256, sinceMs, retired, conflict = undefined } = document as PinState;
  return { spkiSha256, sinceMs, retired: retired.length === 0 ? NONE_RETIRED : retired, conflict };
}
