import type { Presentation } from './presentations.ts';
import { createOutbox, type Siblings } from './workers/siblings.ts';

/** What another worker saw of one credential since it last told. */
interface Told {
  readonly seen: Omit<Presentation, 'chain'>;
  /** Base64, where the credential is new to whoever tells; else it is known. */
  readonly chain: readonly string[] | undefined;
  /** Requests since then. */
  readonly more: number;
}

export interface SharedPresentations {
  /** This process saw it, for the first time or again. */
  seen(key: string, presentation: Presentation, isNew: boolean): void;
}

/**
 * Who was seen with what, told among the workers: each poll goes to one of them, and each of them is asked about all. `known` and `keep` are the
 * memory of this process. What is told is written by whoever saw it.
 */
export function sharePresentations(
  siblings: Siblings,
  known: (key: string) => Presentation | undefined,
  keep: (key: string, presentation: Presentation) => void,
): SharedPresentations {
  const outbox = createOutbox<Told>();
  siblings.gather('sightings', outbox.take);
  siblings.onShared<readonly [string, Told]>('sightings', (items) => {
    for (const [key, told] of items) {
      const merged = merge(known(key), told);
      if (merged !== undefined) keep(key, merged);
    }
  });
  return {
    seen(key, presentation, isNew) {
      if (siblings.count === 1) return;
      const { chain, ...seen } = presentation;
      const before = outbox.get(key);
      const untold = isNew ? undefined : before;
      outbox.put(key, {
        seen,
        chain: isNew ? chain.map((der) => Buffer.from(der).toString('base64')) : untold?.chain,
        more: (untold?.more ?? 0) + 1,
      });
    },
  };
}

/** undefined: nothing that this process does not know better. */
function merge(before: Presentation | undefined, { seen, chain, more }: Told): Presentation | undefined {
  if (before !== undefined && isSame(before, seen)) {
    const later = seen.lastSeenMs > before.lastSeenMs ? seen : before;
    return {
      ...before,
      tls: later.tls,
      source: later.source,
      firstSeenMs: Math.min(before.firstSeenMs, seen.firstSeenMs),
      lastSeenMs: later.lastSeenMs,
      count: before.count + more,
    };
  }
  // What came before this process did is in the store; it is told again when it changes.
  if (chain === undefined || (before !== undefined && before.lastSeenMs > seen.lastSeenMs)) return undefined;
  // JSON has no undefined.
  const { certificate = undefined, tokenId = undefined, ...rest } = seen;
  return {
    ...rest,
    certificate,
    tokenId,
    chain: chain.map((der) => new Uint8Array(Buffer.from(der, 'base64'))),
    count: more,
  };
}

const isSame = (a: Presentation, b: Omit<Presentation, 'chain'>): boolean =>
  a.tokenId === b.tokenId &&
  a.certificate?.sha256 === b.certificate?.sha256 &&
  a.certificate?.issuersSha256.join() === b.certificate?.issuersSha256.join();
