import { randomBytes } from 'node:crypto';
import type { AuditEntry, AuditRequest } from '../core/audit/entry.ts';
import { FluxgateError } from '../core/errors.ts';
import type { Page } from '../core/fleet/access.ts';
import { createRevocationList, type RevocationList } from '../core/identity/revocation-list.ts';
import type { RevocationTarget } from '../core/identity/revocation-target.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createAttempts } from './revocation-attempts.ts';
import type { RevocationRecord } from './store/revocation-records.ts';
import type { Store } from './store/store.ts';
import { startVersionPoll } from './version-poll.ts';

/** A revocation as this process knows it. */
export interface KnownRevocation extends RevocationRecord {
  readonly state: 'in_force' | 'expired' | 'lifted';
  /** Since when this process refuses by it; undefined: it does not. */
  readonly inForce: InForce | undefined;
}

export interface InForce {
  readonly sinceMs: number;
  /** Connections that it ended as it came into force. */
  readonly connectionsClosed: number;
}

export interface RevocationOrder {
  readonly target: RevocationTarget;
  readonly reason: string;
  readonly untilMs: number | undefined;
}

/** Revocation by API: kept first, then in force on every connection of this process, then answered. */
export interface Revocations {
  revoke(order: RevocationOrder, request: AuditRequest): Promise<KnownRevocation>;
  /** Throws `not_found`, or `conflict` where it is lifted already. */
  lift(id: string, request: AuditRequest): Promise<KnownRevocation>;
  get(id: string): Promise<KnownRevocation | undefined>;
  list(query: { readonly limit: number; readonly offset: number }): Promise<Page<KnownRevocation>>;
  /** A request was refused by this revocation. Costs the request nothing: written down later. */
  attempted(id: string): void;
  /** Looks at once for what other processes changed; for tests, which do not wait. */
  refresh(): Promise<void>;
  /** Writes down what has been counted, and looks no more. */
  stop(): Promise<void>;
}

export interface RevocationsParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  current(): RevocationList;
  /**
   * In force for every request when it returns. Resolves when the connections of those whom it refuses have been ended; told of
   * each is the revocation that did it.
   */
  enforce(list: RevocationList, ended: (revocationId: string) => void): Promise<void>;
}

/** What the store holds now, for the first snapshot. Throws where it cannot be read: nobody is served without it. */
export async function loadRevocations(store: Store): Promise<RevocationList> {
  const { version, entries } = await store.revocations.state();
  return createRevocationList(entries, version);
}

export function createRevocations(parts: RevocationsParts): Revocations {
  const { store, clock } = parts;
  const attempts = createAttempts(parts);
  const inForce = new Map<string, { sinceMs: number; connectionsClosed: number }>();
  for (const id of parts.current().ids) inForce.set(id, { sinceMs: clock.now(), connectionsClosed: 0 });

  let ending: Promise<void> = Promise.resolve();

  /**
   * The store's state, in force. Whoever reads the later state may be the earlier to come here, so versions decide: a list
   * never gives way to an older one. False: one that is as new, or newer, is in force already.
   */
  const apply = async (): Promise<boolean> => {
    const { version, entries } = await store.revocations.state();
    if (version <= parts.current().version) {
      await ending;
      return false;
    }
    const list = createRevocationList(entries, version);
    const sinceMs = clock.now();
    for (const id of inForce.keys()) if (!list.ids.has(id)) inForce.delete(id);
    for (const id of list.ids) if (!inForce.has(id)) inForce.set(id, { sinceMs, connectionsClosed: 0 });
    ending = parts.enforce(list, (id) => {
      const found = inForce.get(id);
      if (found !== undefined) found.connectionsClosed++;
    });
    await ending;
    return true;
  };

  const known = (record: RevocationRecord): KnownRevocation => {
    const expired = record.untilMs !== undefined && record.untilMs <= clock.now();
    const state = record.lifted !== undefined ? 'lifted' : expired ? 'expired' : 'in_force';
    return {
      ...attempts.added(record),
      state,
      inForce: state === 'in_force' ? copyOf(inForce.get(record.id)) : undefined,
    };
  };
  const find = async (id: string): Promise<KnownRevocation | undefined> => {
    const record = await store.revocations.get(id);
    return record === undefined ? undefined : known(record);
  };
  const found = async (id: string): Promise<KnownRevocation> => {
    const revocation = await find(id);
    if (revocation === undefined) throw new FluxgateError('not_found', 'There is no revocation of this id.');
    return revocation;
  };
  const polling = startVersionPoll({
    what: 'revocations',
    log: parts.log,
    version: () => store.revocations.version(),
    current: () => parts.current().version,
    apply,
  });

  return {
    async revoke(order, request) {
      refuseTooMany(parts);
      const by = request.actor.principal;
      const startedMs = clock.elapsed();
      const id = `rev-${randomBytes(8).toString('hex')}`;
      const createdMs = clock.now();
      await store.revocations.add(
        { ...order, id, createdMs, createdBy: by },
        {
          at: new Date(createdMs).toISOString(),
          event: 'revocation_made',
          ...request,
          object: `revocation/${id}`,
          reason: order.reason,
          details: {
            ...order.target,
            ...(order.untilMs === undefined ? {} : { until: new Date(order.untilMs).toISOString() }),
          },
        },
      );
      await apply();
      const revocation = await found(id);
      parts.log.warn(
        {
          request_id: request.request_id,
          revocation: id,
          ...order.target,
          reason: order.reason,
          by,
          until: order.untilMs === undefined ? undefined : new Date(order.untilMs).toISOString(),
          connections_closed: revocation.inForce?.connectionsClosed,
          duration_ms: Math.round(clock.elapsed() - startedMs),
        },
        'revocation in force',
      );
      return revocation;
    },
    async lift(id, request) {
      const by = request.actor.principal;
      const atMs = clock.now();
      const entry: AuditEntry = {
        at: new Date(atMs).toISOString(),
        event: 'revocation_lifted',
        ...request,
        object: `revocation/${id}`,
      };
      if (!(await store.revocations.lift(id, atMs, by, entry))) {
        await found(id);
        throw new FluxgateError('conflict', 'This revocation is lifted already. Nothing was changed.');
      }
      await apply();
      const lifted = await found(id);
      const { target, reason } = lifted;
      parts.log.warn(
        { request_id: request.request_id, revocation: id, ...target, reason, by },
        'revocation lifted',
      );
      return lifted;
    },
    get: find,
    async list(query) {
      const { items, total } = await store.revocations.list(query);
      return { items: items.map(known), total };
    },
    attempted(id) {
      attempts.count(id);
      const kind = parts.current().kindOf(id);
      if (kind !== undefined) parts.metrics.revocationAttempts.inc({ kind });
    },
    refresh: polling.look,
    async stop() {
      await polling.stop();
      await attempts.stop();
    },
  };
}

const copyOf = (found: InForce | undefined): InForce | undefined => found && Object.freeze({ ...found });

function refuseTooMany({ current, clock }: RevocationsParts): void {
  const counts = Object.values(current().count(clock.now()));
  if (counts.reduce((sum, count) => sum + count, 0) < LIMITS.revocationsMax) return;
  throw new FluxgateError(
    'conflict',
    `${LIMITS.revocationsMax} revocations are in force. Lift those that are over, or take the CA itself out of the bundle.`,
  );
}
