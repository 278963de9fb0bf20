import type { Clock } from './clock.ts';
import { enforceRevocations } from './enforce-revocations.ts';
import type { LiveTrust } from './live-trust.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createRevocations, type Revocations } from './revocations.ts';
import type { Store } from './store/store.ts';
import type { Listener } from './tls/listener.ts';
import { createTokens, type Tokens } from './tokens.ts';
import type { Siblings } from './workers/siblings.ts';

export interface RightsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly siblings: Siblings;
  readonly trust: LiveTrust;
  /** Asked once somebody loses a right. */
  listener(): Listener;
}

/** What operators take from certificates and tokens, and give to tokens: changed in the store, and in force here and on all other workers. */
export function openRights(parts: RightsParts): {
  readonly revocations: Revocations;
  readonly tokens: Tokens;
} {
  const { trust, metrics } = parts;
  return {
    revocations: createRevocations({
      ...parts,
      current: () => trust.snapshot.revocations,
      enforce(list, ended) {
        const ending = enforceRevocations(list, trust, parts.listener(), ended);
        metrics.generation.set(trust.snapshot.generation);
        return ending;
      },
    }),
    tokens: createTokens({
      ...parts,
      current: () => trust.snapshot.tokenRecords,
      enforce(list) {
        trust.useTokens(list);
        metrics.generation.set(trust.snapshot.generation);
      },
    }),
  };
}
