import { hash } from 'node:crypto';
import type { CatalogueKind, ClusterInputs, FleetReader } from '../core/fleet/access.ts';
import { renderInputs, serialiseInputs } from '../core/fleet/render.ts';
import { renderCluster } from '../core/fleet/render-cluster.ts';
import { LIMITS } from '../core/limits.ts';

/** What a Flux route answers, as committed. */
export interface FluxAnswer {
  /** The newest one when the inputs were read. */
  readonly revision: number;
  /** `{"inputs":[…]}`. */
  readonly inputs: string;
}

export interface FluxAnswers {
  /** undefined: no such cluster. Throws `unavailable` rather than answer with less than there is. */
  of(clusterDns: string, kind: CatalogueKind): Promise<FluxAnswer | undefined>;
}

/**
 * Renders, and remembers what came of it for as long as no revision came: nothing in an answer changes without one, for each write of
 * the fleet is a transaction that ends in a revision (`store/transaction.ts`). The newest number is asked of the store at each
 * poll, so that what another process wrote counts as well. What is pinned for a frozen cluster is ready as it is.
 */
export function createFluxAnswers(
  reader: Pick<FleetReader, 'clusterInputs' | 'newestRevision'>,
): FluxAnswers {
  let remembered = createAnswerMemory(0);
  return {
    async of(clusterDns, kind) {
      const known = remembered.get(clusterDns, kind);
      const { revision: at } = remembered;
      if (known !== undefined && at === (await reader.newestRevision())) {
        return { revision: at, inputs: known };
      }
      const read = await reader.clusterInputs(clusterDns, kind);
      if (read === undefined) return undefined;
      const { revision, pinned, cluster } = read;
      if (pinned !== undefined) return { revision, inputs: pinned };
      const inputs = serialiseInputs(renderInputs(kind, read));
      // What was remembered of another revision, or of more than there is room for, is of no use any more.
      if (remembered.revision !== revision || remembered.octets > LIMITS.fluxAnswersBytesMax) {
        remembered = createAnswerMemory(revision);
      }
      remembered.set(cluster, kind, inputs);
      return { revision, inputs };
    },
  };
}

interface AnswerMemory {
  /** Of all that it has. */
  readonly revision: number;
  /** About so many. */
  readonly octets: number;
  get(clusterDns: string, kind: CatalogueKind): string | undefined;
  set(cluster: ClusterInputs['cluster'], kind: CatalogueKind, inputs: string): void;
}

/**
 * Answers, of which many clusters have the same but for what is said of the cluster itself in each input: so an answer is kept as
 * the pieces around that, once for all who share them. Put together, pieces are the text that they were cut from, whatever it holds.
 */
function createAnswerMemory(revision: number): AnswerMemory {
  type Pieces = readonly string[];
  const byName = new Map<string, { readonly itself: string } & Partial<Record<CatalogueKind, Pieces>>>();
  const shared = new Map<string, Pieces>();
  let octets = 0;
  return {
    revision,
    get octets() {
      return octets;
    },
    get(clusterDns, kind) {
      const known = byName.get(clusterDns);
      return known?.[kind]?.join(known.itself);
    },
    set(cluster, kind, inputs) {
      const itself = JSON.stringify(renderCluster(cluster));
      const pieces = inputs.split(itself);
      const key = hash('sha256', JSON.stringify(pieces), 'base64');
      let same = shared.get(key);
      if (same === undefined) {
        same = pieces;
        shared.set(key, same);
        octets += inputs.length + LIMITS.fluxAnswerEntryBytes;
      }
      // The store's own text of the name: that of a request may be a part of something longer, which it would keep.
      const { cluster_dns: name } = cluster;
      if (!byName.has(name)) octets += LIMITS.fluxAnswerEntryBytes;
      byName.set(name, { ...byName.get(name), itself, [kind]: same });
    },
  };
}
