import type { Presentation } from './presentations.ts';
import { createOutbox, type Siblings } from './workers/siblings.ts';

/** What another worker saw of one credential since it last told: little, for each poll is told. */
interface Told {
  readonly credentialId: string;
  readonly lastSeenMs: number;
  readonly source: string;
  readonly tls: Presentation['tls'];
  /** Requests since then. */
  readonly more: number;
  /** Where the credential is new to whoever tells; the chain above it in base64. */
  readonly fresh:
    | (Omit<Presentation, 'leaf' | 'issuers'> & { readonly issuers: readonly string[] })
    | undefined;
}

export interface SharedPresentations {
  /** This process saw it, for the first time or again. `presentation` is asked for where there is somebody to tell. */
  seen(key: string, presentation: () => Presentation | undefined, isNew: boolean): void;
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
    seen(key, presentationOf, isNew) {
      const presentation = siblings.count === 1 ? undefined : presentationOf();
      if (presentation === undefined) return;
      const { lastSeenMs, source, tls } = presentation;
      const untold = isNew ? undefined : outbox.get(key);
      outbox.put(key, {
        credentialId: idOf(presentation),
        lastSeenMs,
        source,
        tls,
        more: (untold?.more ?? 0) + 1,
        fresh: isNew ? forTelling(presentation) : untold?.fresh,
      });
    },
  };
}

const idOf = ({ certificate, tokenId }: Presentation): string => certificate?.sha256 ?? tokenId ?? '';

function forTelling(presentation: Presentation): Told['fresh'] {
  const { leaf: _, ...told } = presentation;
  return { ...told, issuers: presentation.issuers.map((der) => Buffer.from(der).toString('base64')) };
}

/** undefined: nothing that this process does not know better. */
function merge(before: Presentation | undefined, told: Told): Presentation | undefined {
  const { fresh, more, lastSeenMs, source, tls, credentialId } = told;
  if (before !== undefined && idOf(before) === credentialId && isSamePath(before, fresh)) {
    const later = lastSeenMs > before.lastSeenMs ? { lastSeenMs, source, tls } : {};
    const firstSeenMs = Math.min(before.firstSeenMs, fresh?.firstSeenMs ?? before.firstSeenMs);
    return { ...before, ...later, firstSeenMs, count: before.count + more };
  }
  // What came before this process did is in the store; it is told again when it changes.
  if (fresh === undefined || (before !== undefined && before.lastSeenMs > lastSeenMs)) return undefined;
  // JSON has no undefined.
  const { certificate = undefined, tokenId = undefined, ...rest } = fresh;
  const issuers = fresh.issuers.map((der) => new Uint8Array(Buffer.from(der, 'base64')));
  return { ...rest, certificate, tokenId, leaf: undefined, issuers, lastSeenMs, source, tls, count: more };
}

/** A path to another anchor, after a reload, is another state of affairs. */
const isSamePath = (before: Presentation, fresh: Told['fresh']): boolean =>
  fresh === undefined || before.certificate?.issuersSha256.join() === fresh.certificate?.issuersSha256.join();
