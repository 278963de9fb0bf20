import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import { LIMITS } from '../core/limits.ts';
import { WORKER_LIMITS } from '../core/limits-workers.ts';
import { createOutbox, type Siblings } from './workers/siblings.ts';

/** What a peer presented, and what OpenSSL said of it in that handshake. */
export interface RecentChain {
  /** DER, leaf first. */
  readonly chain: readonly Uint8Array[];
  readonly openssl: { readonly authorized: boolean; readonly error: string | undefined };
  /** Milliseconds since the epoch, of the last request. */
  readonly seenMs: number;
  readonly source: string;
}

type Presented = Pick<RecentChain, 'chain' | 'openssl'>;

/** Chains presented lately, by the fingerprint of their leaf, so that somebody can ask why long after. Bounded. */
export interface RecentChains {
  /** `refused`: the request was, whatever became of the certificate; somebody may ask any of the workers why. */
  note(presented: Presented, accepted: boolean, refused: boolean, source: string, nowMs: number): void;
  /** The chain of this leaf was accepted once more; nothing where it is not remembered any more. */
  again(leafSha256: string, source: string, nowMs: number): void;
  get(leafSha256: string): RecentChain | undefined;
}

type Remembered = Omit<RecentChain, 'seenMs' | 'source'> & { seenMs: number; source: string };

interface ToldChain extends Omit<RecentChain, 'chain'> {
  /** Base64. */
  readonly chain: readonly string[];
  readonly isAccepted: boolean;
}

export function createRecentChains(siblings: Siblings): RecentChains {
  const memory = (): LRUCache<string, Remembered> =>
    new LRUCache({
      max: LIMITS.recentChainsMax,
      maxSize: LIMITS.recentChainsBytesMax,
      sizeCalculation: ({ chain }) => 512 + chain.reduce((sum, der) => sum + der.length, 0),
    });
  // Apart, so that a flood of bad certificates pushes out no good one.
  const accepted = memory();
  const refused = memory();
  /** A leaf is hashed once for each connection, not for each request. */
  const fingerprints = new WeakMap<readonly Uint8Array[], string>();
  const outbox = createOutbox<ToldChain>(WORKER_LIMITS.sharedChainsWaitingMax);
  siblings.gather('refused_chains', outbox.take);
  siblings.onShared<readonly [string, ToldChain]>('refused_chains', (items) => {
    for (const [sha256, { chain, isAccepted, ...rest }] of items) {
      const der = chain.map((one) => new Uint8Array(Buffer.from(one, 'base64')));
      (isAccepted ? accepted : refused).set(sha256, { ...rest, chain: der });
    }
  });
  return {
    note(presented, isAccepted, isRefused, source, nowMs) {
      const { chain, openssl } = presented;
      const [leaf] = chain;
      if (leaf === undefined) return;
      let sha256 = fingerprints.get(chain);
      if (sha256 === undefined) {
        sha256 = createHash('sha256').update(leaf).digest('hex');
        fingerprints.set(chain, sha256);
      }
      const recent = { chain, openssl, source, seenMs: nowMs };
      (isAccepted ? accepted : refused).set(sha256, recent);
      if (siblings.count === 1 || !isRefused) return;
      const octets = chain.reduce((sum, der) => sum + der.length, 0);
      if (octets > WORKER_LIMITS.sharedChainOctetsMax) return;
      outbox.put(sha256, {
        ...recent,
        isAccepted,
        chain: chain.map((der) => Buffer.from(der).toString('base64')),
      });
    },
    again(sha256, source, nowMs) {
      const before = accepted.get(sha256);
      if (before === undefined) return;
      before.source = source;
      before.seenMs = nowMs;
    },
    get(sha256) {
      const [a, b] = [accepted.get(sha256), refused.get(sha256)];
      if (a === undefined || b === undefined) return a ?? b;
      return a.seenMs > b.seenMs ? a : b;
    },
  };
}
