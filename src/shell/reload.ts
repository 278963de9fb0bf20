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
  /** Puts it in force, in one step; how many connections lost their right and were closed. */
  swap(loaded: Loaded): number;
  readonly health: Health;
  readonly metrics: Metrics;
  readonly audit: Pick<Audit, 'told'>;
  readonly log: Log;
}

export interface Reloader {
  /** False: nothing changed, the last good state stays in force. Reloads run one after the other. */
  reload(trigger: ReloadTrigger): Promise<boolean>;
  /** Waits for the running reload; none starts after it. */
  stop(): Promise<void>;
}

export function createReloader(parts: ReloadParts): Reloader {
  let last: Promise<boolean> = Promise.resolve(true);
  let stopped = false;
  return {
    reload(trigger) {
      last = last.then(() => (stopped ? false : reloadOnce(parts, trigger)));
      return last;
    },
    async stop() {
      stopped = true;
      await last;
    },
  };
}

async function reloadOnce(parts: ReloadParts, trigger: ReloadTrigger): Promise<boolean> {
  const before = parts.current();
  let loaded: Loaded;
  try {
    loaded = await parts.load(before.generation + 1, before);
  } catch (error) {
    refuse(parts, trigger, before, error);
    return false;
  }
  let closed: number;
  try {
    closed = parts.swap(loaded);
  } catch (error) {
    refuse(parts, trigger, before, error);
    return false;
  }
  parts.health.reloadSucceeded();
  parts.metrics.reloads.inc({ result: 'done' });
  const { generation } = parts.current();
  parts.metrics.generation.set(generation);
  const change = describeChange(before, loaded.snapshot);
  parts.audit.told('reloaded', { trigger, generation, ...change, connections_closed: closed });
  parts.log.info(
    { trigger, generation, ...change, connections_closed: closed },
    change.added.length + change.removed.length === 0 ? 'reloaded: nothing has changed' : 'reloaded',
  );
  return true;
}

function refuse(parts: ReloadParts, trigger: ReloadTrigger, inForce: Snapshot, error: unknown): void {
  const reason = error instanceof StartupError ? error.message : 'a fault in the gateway';
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
