import { LRUCache } from 'lru-cache';
import type { CatalogueKind, FleetReader } from '../core/fleet/access.ts';
import { renderInputs, serialiseInputs } from '../core/fleet/render.ts';
import { LIMITS } from '../core/limits.ts';

/** What a Flux route answers, as committed. */
export interface FluxAnswer {
  /** The newest one when the inputs were read. */
  readonly revision: number;
  /** `{"inputs":[…]}`. */
  readonly inputs: Buffer;
}

export interface FluxAnswers {
  /** undefined: no such cluster. Throws `unavailable` rather than answer with less than there is. */
  of(clusterDns: string, kind: CatalogueKind): Promise<FluxAnswer | undefined>;
}

/**
 * Renders, and remembers the bytes for as long as no revision came: nothing in an answer changes without one, for each write of
 * the fleet is a transaction that ends in a revision (`store/transaction.ts`). The newest number is asked of the store at each
 * poll, so that what another process wrote counts as well. What is pinned for a frozen cluster is ready as it is.
 */
export function createFluxAnswers(
  reader: Pick<FleetReader, 'clusterInputs' | 'newestRevision'>,
): FluxAnswers {
  const remembered = new LRUCache<string, FluxAnswer>({
    maxSize: LIMITS.fluxAnswersBytesMax,
    sizeCalculation: ({ inputs }, key) => inputs.byteLength + key.length + LIMITS.fluxAnswerEntryBytes,
  });
  return {
    async of(clusterDns, kind) {
      const key = `${kind} ${clusterDns}`;
      const known = remembered.get(key);
      if (known !== undefined && known.revision === (await reader.newestRevision())) return known;
      const read = await reader.clusterInputs(clusterDns, kind);
      if (read === undefined) {
        remembered.delete(key);
        return undefined;
      }
      const { revision, pinned } = read;
      if (pinned !== undefined) return { revision, inputs: Buffer.from(pinned, 'utf8') };
      const answer = Object.freeze({ revision, inputs: alone(serialiseInputs(renderInputs(kind, read))) });
      remembered.set(key, answer);
      return answer;
    },
  };
}

/** Node cuts small buffers out of slabs of 64 KiB, and one that is kept keeps its slab: three times as much as is counted here. */
function alone(octets: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(octets.byteLength);
  octets.copy(copy);
  return copy;
}
