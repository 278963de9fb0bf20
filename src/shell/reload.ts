import type { SecureContext } from 'node:tls';
import { StartupError } from '../core/errors.ts';
import type { Snapshot } from '../core/snapshot.ts';
import { describeChange } from '../core/snapshot-change.ts';
import type { Audit } from './audit.ts';
import type { Health } from './health.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** A snapshot and the TLS context made of it: both work, or there is neither. */
export interface Loaded {
  readonly snapshot: Snapshot;
  readonly context: SecureContext;
}

export type ReloadTrigger = 'SIGHUP' | 'file change';

export interface ReloadParts {
  /** Reads and checks everything; throws StartupError where anything at all is wrong. */
  load(generation: number, inForce: Snapshot): Promise<Loaded>;
  current(): Snapshot;
  /** Puts it in force, in one step; what throws has changed nothing. */
  swap(loaded: Loaded): void;
  /** Ends the connections that have lost their right; how many. */
  retire(): Promise<number>;
  /** It is done, and told; `before` was in force until then. */
  reloaded(before: Snapshot): void;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly audit: Pick<Audit, 'told'>;
  readonly log: Log;
}

export interface Reloader {
  /** False: nothing changed, the last good state stays in force. Reloads run one after the other. */
  reload(trigger: ReloadTrigger): Promise<boolean>;
  /** From here on nothing is put in force, not even what is being loaded: a large reload must not hold up the end. */
  stop(): void;
}

export function createReloader(parts: ReloadParts): Reloader {
  let last: Promise<boolean> = Promise.resolve(true);
  let stopped = false;
  return {
    reload(trigger) {
      last = last
        .catch(() => false)
        .then(() => (stopped ? false : reloadOnce(parts, trigger, () => stopped)));
      return last;
    },
    stop() {
      stopped = true;
    },
  };
}

async function reloadOnce(
  parts: ReloadParts,
  trigger: ReloadTrigger,
  isStopped: () => boolean,
): Promise<boolean> {
  const before = parts.current();
  let loaded: Loaded;
  try {
    loaded = await parts.load(before.generation + 1, before);
    if (isStopped()) return false;
    parts.swap(loaded);
  } catch (error) {
    if (isStopped()) return false;
    refuse(parts, trigger, before, error);
    return false;
  }
  const wasRefused = parts.health.reloadSucceeded();
  parts.metrics.reloads.inc({ result: 'done' });
  const { generation } = parts.current();
  parts.metrics.generation.set(generation);
  const closed = await parts.retire();
  const change = describeChange(before, loaded.snapshot);
  parts.audit.told('reloaded', { trigger, generation, ...change, connections_closed: closed });
  // That the files were refused before is over, though to what is in force nothing may have changed.
  const after = wasRefused ? { after_refusal: true } : {};
  parts.log.info(
    { trigger, generation, ...after, ...change, connections_closed: closed },
    change.added.length + change.removed.length === 0 ? 'reloaded: nothing has changed' : 'reloaded',
  );
  parts.reloaded(before);
  return true;
}

function refuse(parts: ReloadParts, trigger: ReloadTrigger, inForce: Snapshot, error: unknown): void {
  const reason =
    error instanceof StartupError ? error.message.replaceAll('\n', '; ') : 'a fault in the gateway';
  parts.health.reloadFailed();
  parts.metrics.reloads.inc({ result: 'refused' });
  parts.audit.told('reload_refused', { trigger, generation: inForce.generation }, reason);
  parts.log.error(
    {
      trigger,
      reason,
      generation: inForce.generation,
      ...(error instanceof StartupError ? {} : { err: error }),
    },
    'reload refused: the last good state stays in force',
  );
}
