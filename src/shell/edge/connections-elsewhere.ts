import { WORKER_LIMITS } from '../../core/limits-workers.ts';
import type { Siblings } from '../workers/siblings.ts';

/** What one worker has open. */
export interface OpenConnections {
  readonly connections: number;
  readonly strangers: number;
  /** By address key, of those that hold a good part of what one address may. */
  readonly crowded: readonly (readonly [key: string, connections: number])[];
}

/** What the other workers have open, as of a moment ago. */
export interface ConnectionsElsewhere {
  readonly connections: number;
  readonly strangers: number;
  of(key: string): number;
}

/** `own` is asked a few times a second. */
export function shareConnections(siblings: Siblings, own: () => OpenConnections): ConnectionsElsewhere {
  const of = new Map<
    number,
    { readonly open: OpenConnections; readonly crowded: ReadonlyMap<string, number> }
  >();
  let [connections, strangers] = [0, 0];
  let told = '';
  const add = (): void => {
    [connections, strangers] = [0, 0];
    for (const { open } of of.values()) {
      connections += open.connections;
      strangers += open.strangers;
    }
  };
  siblings.gather('connections', () => {
    const { connections: all, strangers: unknown, crowded } = own();
    const open: OpenConnections = {
      connections: all,
      strangers: unknown,
      crowded: crowded.slice(0, WORKER_LIMITS.sharedItemsMax),
    };
    const text = JSON.stringify(open);
    if (text === told) return [];
    told = text;
    return [open];
  });
  siblings.onShared<OpenConnections>('connections', ([open], worker) => {
    if (open === undefined) return;
    of.set(worker, { open, crowded: new Map(open.crowded) });
    add();
  });
  siblings.onGone((worker) => {
    of.delete(worker);
    add();
  });
  return {
    get connections() {
      return connections;
    },
    get strangers() {
      return strangers;
    },
    of(key) {
      let sum = 0;
      for (const { crowded } of of.values()) sum += crowded.get(key) ?? 0;
      return sum;
    },
  };
}
