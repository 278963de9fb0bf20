import { longestSilent } from '../core/liveness/longest-silent.ts';
import type { Alike } from './presentation-records.ts';
import type { CredentialKind, Presentation, PresentedCertificate } from './presentations.ts';

/** A request with the credential that was known before. */
export interface SeenAgain {
  readonly certificate: PresentedCertificate | undefined;
  readonly tls: Presentation['tls'];
  readonly source: string;
  readonly nowMs: number;
}

/**
 * Presentations by key, of which there may be 100,000: figures in columns, so that a request writes a few where they stand and leaves
 * nothing for the garbage collector; a presentation is made when somebody asks for it.
 */
export interface PresentationTable {
  readonly size: number;
  keys(): IterableIterator<string>;
  /** What is handed out does not change. */
  get(key: string): Presentation | undefined;
  credentialOf(key: string): Pick<Presentation, 'certificate' | 'tokenId'> | undefined;
  /** Looks at each. */
  keyOfCertificate(sha256: string): string | undefined;
  lastSeenMs(key: string): number;
  /** When it was last written; undefined: it was not, by this process. */
  writtenMs(key: string): number | undefined;
  /** What was written before stays so. */
  set(key: string, presentation: Presentation): void;
  again(key: string, seen: SeenAgain): void;
  /** `leaf`: which need not be kept any more, if it is still the one. */
  written(key: string, leaf: Uint8Array | undefined, nowMs: number): void;
  /** The `count` that were not seen for longest. */
  silent(count: number): readonly string[];
  delete(key: string): void;
}

const FIRST_CAPACITY = 64;
const KINDS: readonly Presentation['kind'][] = ['cluster', 'operator'];
const CREDENTIALS: readonly CredentialKind[] = ['certificate', 'token', 'observed'];
/** In the column of moments. */
const NEVER = -1;

/** `alike`: what is the same for many, once. */
export function createPresentationTable(alike: Pick<Alike, 'tls' | 'text'>): PresentationTable {
  const rows = new Map<string, number>();
  const freed: number[] = [];
  let capacity = FIRST_CAPACITY;
  let figures = new Float64Array(capacity * FIGURES);
  let kinds = new Uint8Array(capacity);
  const names: string[] = [];
  /** The certificate, or a token's id. */
  const credentials: (PresentedCertificate | string | undefined)[] = [];
  const issuers: Presentation['issuers'][] = [];
  const tlss: Presentation['tls'][] = [];
  const sources: string[] = [];
  /** Few, until they are written. */
  const leaves = new Map<string, Uint8Array>();

  const rowOf = (key: string): number => {
    const known = rows.get(key);
    if (known !== undefined) return known;
    const row = freed.pop() ?? rows.size;
    if (row === capacity) {
      capacity *= 2;
      const [figuresBefore, kindsBefore] = [figures, kinds];
      figures = new Float64Array(capacity * FIGURES);
      figures.set(figuresBefore);
      kinds = new Uint8Array(capacity);
      kinds.set(kindsBefore);
    }
    figures[row * FIGURES + WRITTEN] = NEVER;
    rows.set(key, row);
    return row;
  };
  const figure = (key: string, which: number): number | undefined => {
    const row = rows.get(key);
    return row === undefined ? undefined : figures[row * FIGURES + which];
  };
  const credentialAt = (row: number): Pick<Presentation, 'certificate' | 'tokenId'> => {
    const one = credentials[row];
    return typeof one === 'string'
      ? { certificate: undefined, tokenId: one }
      : { certificate: one, tokenId: undefined };
  };
  const dropLeaf = (key: string): void => void leaves.delete(key);

  return {
    get size() {
      return rows.size;
    },
    keys: () => rows.keys(),
    get(key) {
      const row = rows.get(key);
      if (row === undefined) return undefined;
      const kind = kinds[row] ?? 0;
      const at = row * FIGURES;
      return {
        kind: KINDS[Math.floor(kind / CREDENTIALS.length)] ?? 'cluster',
        name: names[row] ?? '',
        credential: CREDENTIALS[kind % CREDENTIALS.length] ?? 'certificate',
        ...credentialAt(row),
        leaf: leaves.get(key),
        issuers: issuers[row] ?? [],
        tls: tlss[row] ?? NO_TLS,
        source: sources[row] ?? '',
        firstSeenMs: figures[at + FIRST_SEEN] ?? 0,
        lastSeenMs: figures[at + LAST_SEEN] ?? 0,
        count: figures[at + COUNT] ?? 0,
      };
    },
    credentialOf(key) {
      const row = rows.get(key);
      return row === undefined ? undefined : credentialAt(row);
    },
    keyOfCertificate(sha256) {
      for (const [key, row] of rows) {
        const one = credentials[row];
        if (typeof one === 'object' && one.sha256 === sha256) return key;
      }
      return undefined;
    },
    lastSeenMs: (key) => figure(key, LAST_SEEN) ?? 0,
    writtenMs(key) {
      const ms = figure(key, WRITTEN);
      return ms === NEVER ? undefined : ms;
    },
    set(key, { kind, name, credential, certificate, tokenId, leaf, tls, source, ...rest }) {
      const row = rowOf(key);
      const at = row * FIGURES;
      kinds[row] = KINDS.indexOf(kind) * CREDENTIALS.length + CREDENTIALS.indexOf(credential);
      names[row] = name;
      credentials[row] = certificate ?? tokenId;
      issuers[row] = rest.issuers;
      tlss[row] = alike.tls(tls);
      sources[row] = alike.text(source);
      figures[at + FIRST_SEEN] = rest.firstSeenMs;
      figures[at + LAST_SEEN] = rest.lastSeenMs;
      figures[at + COUNT] = rest.count;
      if (leaf === undefined) dropLeaf(key);
      else leaves.set(key, leaf);
    },
    again(key, { certificate, tls, source, nowMs }) {
      const row = rows.get(key);
      if (row === undefined) return;
      const at = row * FIGURES;
      // That of the verdict, which is remembered anyway: what was loaded says the same once more.
      if (certificate !== undefined && credentials[row] !== certificate) credentials[row] = certificate;
      if (!isSameTls(tlss[row], tls)) tlss[row] = alike.tls(tls);
      if (sources[row] !== source) sources[row] = alike.text(source);
      figures[at + LAST_SEEN] = nowMs;
      figures[at + COUNT] = (figures[at + COUNT] ?? 0) + 1;
    },
    written(key, leaf, nowMs) {
      const row = rows.get(key);
      if (row === undefined) return;
      figures[row * FIGURES + WRITTEN] = nowMs;
      if (leaves.get(key) === leaf) dropLeaf(key);
    },
    silent: (count) =>
      longestSilent(
        rows.entries().map(([key, row]) => [key, figures[row * FIGURES + LAST_SEEN] ?? 0] as const),
        count,
      ),
    delete(key) {
      const row = rows.get(key);
      if (row === undefined) return;
      rows.delete(key);
      dropLeaf(key);
      credentials[row] = undefined;
      freed.push(row);
    },
  };
}

/** By row: so many figures, in this order. */
const [FIRST_SEEN, LAST_SEEN, COUNT, WRITTEN, FIGURES] = [0, 1, 2, 3, 4];

export const NO_TLS: Presentation['tls'] = Object.freeze({ version: 'unknown', cipher: 'unknown' });

const isSameTls = (a: Presentation['tls'] | undefined, b: Presentation['tls']): boolean =>
  a === b || (a?.version === b.version && a.cipher === b.cipher && a.group === b.group);
