/**
 * What worker processes and their supervisor say to each other. The supervisor runs outside the sandbox and a worker may have been
 * taken over, so nothing of a worker's is believed but what has one of these shapes; what is shared is passed on unread.
 */

/** The environment's variable from which a process knows that it is a worker, and which of how many: `2/4`. */
export const WORKER_VARIABLE = 'GATEWAY_WORKER';

/** What workers tell each other. */
export const TOPICS = Object.freeze([
  'buckets',
  'connections',
  'entitled',
  'accepted_tokens',
  'pins',
  'pin_reset',
  'sightings',
  'refusals',
  'refused_chains',
  'revocation_pending',
  'revocations_changed',
  'token_ending',
  'tokens_changed',
  'ratchet',
  'loaded',
  'requests',
  'progress',
] as const);
export type Topic = (typeof TOPICS)[number];

/** What is told at once, of each topic that there is something of. */
export type Parts = readonly (readonly [topic: Topic, items: readonly unknown[]])[];

/** A registry of metrics, as prom-client tells it in JSON. */
export type MetricsJson = readonly object[];

export interface WorkersCount {
  /** That serve now. */
  readonly serving: number;
  /** That ended by themselves and were replaced, since the supervisor started. */
  readonly replaced: number;
}

export type WorkerMessage =
  /** It hears what others tell, though it does not serve yet: what it reads of the store may be older. */
  | { readonly kind: 'hears' }
  /** It serves. */
  | { readonly kind: 'ready' }
  | { readonly kind: 'alive' }
  /** `ack` present: the sender waits until all have taken it in. */
  | { readonly kind: 'share'; readonly parts: Parts; readonly ack?: number }
  | { readonly kind: 'taken'; readonly from: number; readonly ack: number }
  | { readonly kind: 'turn_wanted'; readonly id: number }
  | { readonly kind: 'turn_over'; readonly id: number }
  /** With what the one that asks has counted itself, should it end before it is asked. */
  | { readonly kind: 'metrics_wanted'; readonly id: number; readonly metrics: MetricsJson }
  | { readonly kind: 'metrics'; readonly id: number; readonly metrics: MetricsJson };

export type SupervisorMessage =
  | { readonly kind: 'stop' }
  | { readonly kind: 'reload' }
  | { readonly kind: 'shared'; readonly from: number; readonly parts: Parts; readonly ack?: number }
  /** All have taken it in, or did not answer in time. */
  | { readonly kind: 'taken_by_all'; readonly ack: number }
  | { readonly kind: 'turn'; readonly id: number }
  | { readonly kind: 'metrics_asked'; readonly id: number }
  | {
      readonly kind: 'metrics_of_all';
      readonly id: number;
      /** Of the other workers, and of those that are gone. */
      readonly others: readonly MetricsJson[];
      readonly workers: WorkersCount;
    }
  /** A worker is gone, with all that it had not told. */
  | { readonly kind: 'gone'; readonly worker: number };

/** undefined: it is none. */
export function readWorkerMessage(value: unknown): WorkerMessage | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const message = value as Record<string, unknown>;
  switch (message['kind']) {
    case 'hears':
    case 'ready':
    case 'alive':
      return { kind: message['kind'] };
    case 'share': {
      const { parts, ack } = message;
      if (!Array.isArray(parts) || !parts.every(isPart)) return undefined;
      if (ack !== undefined && !isId(ack)) return undefined;
      return { kind: 'share', parts, ...(ack === undefined ? {} : { ack }) };
    }
    case 'taken': {
      const { from, ack } = message;
      return isId(from) && isId(ack) ? { kind: 'taken', from, ack } : undefined;
    }
    case 'turn_wanted':
    case 'turn_over': {
      const { kind, id } = message;
      return isId(id) ? { kind, id } : undefined;
    }
    case 'metrics_wanted':
    case 'metrics': {
      const { kind, id, metrics } = message;
      return isId(id) && Array.isArray(metrics) ? { kind, id, metrics } : undefined;
    }
    default:
      return undefined;
  }
}

const isPart = (value: unknown): value is Parts[number] =>
  Array.isArray(value) && value.length === 2 && TOPICS.includes(value[0] as Topic) && Array.isArray(value[1]);

const isId = (value: unknown): value is number => Number.isSafeInteger(value) && (value as number) >= 0;
