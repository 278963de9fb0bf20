import { NONE_RETIRED, type PinState } from '../core/identity/pins.ts';
import { DOCUMENT_BEGINS, NAME_BEGINS, type PinPage, type StoredPins } from './store/pin-pages.ts';

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

export function createPinTable(stored: StoredPins): PinTable {
  /** Whatever was asked about or set. Undefined: it is gone, whatever a page says. */
  const known = new Map<string, PinState | undefined>();
  let size = stored.reduce((all, { count }) => all + count, 0);
  /** Of what was stored: whoever asks first has them looked for. */
  let conflictsRead = false;

  const get = (clusterDns: string): PinState | undefined => {
    const state = known.get(clusterDns);
    if (state !== undefined || known.has(clusterDns)) return state;
    const page = pageOf(stored, clusterDns);
    const document = page && documentIn(page.octets, clusterDns);
    if (page === undefined || document === undefined) return undefined;
    const read = readPin(JSON.parse(document));
    known.set(clusterDns, read);
    return read;
  };
  const readConflicts = (): void => {
    if (conflictsRead) return;
    for (const { octets } of stored) {
      if (!octets.includes(CONFLICT)) continue;
      for (const pin of octets.toString().split(NAME_BEGINS)) {
        const [name = '', document = ''] = pin.split(DOCUMENT_BEGINS);
        if (document.includes(CONFLICT)) get(name);
      }
    }
    conflictsRead = true;
  };
  return {
    get size() {
      return size;
    },
    has: (clusterDns) => get(clusterDns) !== undefined,
    get,
    set(clusterDns, state) {
      if (get(clusterDns) === undefined) size++;
      known.set(clusterDns, state);
    },
    delete(clusterDns) {
      if (get(clusterDns) === undefined) return;
      size--;
      known.set(clusterDns, undefined);
    },
    conflicts() {
      readConflicts();
      const found: [string, PinState][] = [];
      for (const [name, state] of known) {
        if (state?.conflict !== undefined) found.push([name, state]);
      }
      return found;
    },
  };
}

/** The last one whose first name does not come after it. */
function pageOf(pages: StoredPins, clusterDns: string): PinPage | undefined {
  let from = 0;
  for (let to = pages.length; from < to; ) {
    const middle = (from + to) >>> 1;
    if ((pages[middle] as PinPage).first <= clusterDns) from = middle + 1;
    else to = middle;
  }
  return pages[from - 1];
}

function documentIn(octets: Buffer, clusterDns: string): string | undefined {
  const name = Buffer.from(`${NAME_BEGINS}${clusterDns}${DOCUMENT_BEGINS}`);
  const at = octets.indexOf(name);
  if (at < 0) return undefined;
  const end = octets.indexOf(NAME_BEGINS, at + 1);
  return octets.toString('utf8', at + name.length, end < 0 ? undefined : end);
}

/** The key is in the text wherever there is one, however it was written: nothing else in it is text of anybody's but names. */
const CONFLICT = 'conflict';

/** JSON has no undefined. */
export function readPin(document: unknown): PinState {
  const { spkiSha256, sinceMs, retired, conflict = undefined } = document as PinState;
  return { spkiSha256, sinceMs, retired: retired.length === 0 ? NONE_RETIRED : retired, conflict };
}
