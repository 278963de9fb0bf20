import {
  createRevocationList,
  type RevocationEntry,
  type RevocationList,
} from '../core/identity/revocation-list.ts';
import type { Clock } from './clock.ts';
import type { Store } from './store/store.ts';
import type { Siblings } from './workers/siblings.ts';

export interface InForce {
  readonly sinceMs: number;
  /** Connections that it ended as it came into force. */
  readonly connectionsClosed: number;
}

/** The list that this process refuses by: what the store holds, and what is on its way there. */
export interface RevocationsInForce {
  /** Undefined: this process does not refuse by it. */
  of(id: string): InForce | undefined;
  /** The store's state, in force. False: one that is as new, or newer, is in force already. */
  apply(): Promise<boolean>;
  /**
   * In force at once, and while it is being kept: the store may be busy for half a minute, not least with what the revoked one
   * sends. What cannot be kept is out of force again; `keep`'s rejection is passed on.
   */
  during(entry: RevocationEntry, keep: () => Promise<void>): Promise<void>;
}

export interface InForceParts {
  readonly store: Pick<Store, 'revocations'>;
  readonly clock: Clock;
  readonly siblings: Siblings;
  current(): RevocationList;
  /**
   * In force for every request when it returns. Resolves when the connections of those whom it refuses have been ended; told of
   * each is the revocation that did it.
   */
  enforce(list: RevocationList, ended: (revocationId: string) => void): Promise<void>;
}

export function createRevocationsInForce(parts: InForceParts): RevocationsInForce {
  const { store, clock, siblings } = parts;
  const inForce = new Map<string, { sinceMs: number; connectionsClosed: number }>();
  /** `by`: the worker that is making it; undefined: this one. */
  const pending = new Map<string, { readonly entry: RevocationEntry; readonly by: number | undefined }>();
  let stored = parts.current();
  let ending: Promise<void> = Promise.resolve();
  for (const id of stored.ids) inForce.set(id, { sinceMs: clock.now(), connectionsClosed: 0 });

  const enforce = (): Promise<void> => {
    const onTheirWay = [...pending.values()]
      .map(({ entry }) => entry)
      .filter(({ id }) => !stored.ids.has(id));
    const list = createRevocationList([...stored.entries, ...onTheirWay], stored.version);
    const sinceMs = clock.now();
    for (const id of inForce.keys()) if (!list.ids.has(id)) inForce.delete(id);
    for (const id of list.ids) if (!inForce.has(id)) inForce.set(id, { sinceMs, connectionsClosed: 0 });
    ending = parts.enforce(list, (id) => {
      const found = inForce.get(id);
      if (found !== undefined) found.connectionsClosed++;
    });
    return ending;
  };
  /** Whoever reads the later state may be the earlier to come here, so versions decide: a list never gives way to an older one. */
  const apply = async (): Promise<boolean> => {
    const { version, entries } = await store.revocations.state();
    const isNewer = version > stored.version;
    if (isNewer) {
      stored = createRevocationList(entries, version);
      await enforce();
    }
    await ending;
    return isNewer;
  };
  /** What another worker was making is kept by now, or is not made. */
  const settle = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) pending.delete(id);
    if (!(await apply())) void enforce();
  };
  siblings.onShared<RevocationEntry>('revocation_pending', (entries, by) => {
    for (const entry of entries) pending.set(entry.id, { entry, by });
    void enforce();
  });
  siblings.onShared<string>('revocations_changed', settle);
  siblings.onGone((worker) => {
    const left = [...pending].filter(([, { by }]) => by === worker).map(([id]) => id);
    // The store cannot be read: they stay in force.
    if (left.length > 0) settle(left).catch(() => undefined);
  });
  return {
    of: (id) => inForce.get(id),
    apply,
    async during(entry, keep) {
      pending.set(entry.id, { entry, by: undefined });
      const ended = enforce();
      const told = siblings.announce('revocation_pending', entry);
      try {
        await keep();
        await told;
        await apply();
      } finally {
        pending.delete(entry.id);
        if (!stored.ids.has(entry.id)) await enforce();
        await ended;
        await siblings.announce('revocations_changed', entry.id);
      }
    },
  };
}
