import { randomBytes } from 'node:crypto';
import type { AuditEntry, AuditRequest } from '../core/audit/entry.ts';
import type { StillAdmitted } from '../core/audit/still-admitted.ts';
import { FluxgateError } from '../core/errors.ts';
import type { Page } from '../core/fleet/access.ts';
import { createRevocationList, type RevocationList } from '../core/identity/revocation-list.ts';
import type { RevocationTarget } from '../core/identity/revocation-target.ts';
import { LIMITS } from '../core/limits.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createAttempts } from './revocation-attempts.ts';
import { createRevocationsInForce, type InForce, type InForceParts } from './revocations-in-force.ts';
import type { RevocationRecord } from './store/revocation-records.ts';
import type { Store } from './store/store.ts';
import { startVersionPoll } from './version-poll.ts';

/** A revocation as this process knows it. */
export interface KnownRevocation extends RevocationRecord {
  readonly state: 'in_force' | 'expired' | 'lifted';
  /** Since when this process refuses by it; undefined: it does not. */
  readonly inForce: InForce | undefined;
}

export interface RevocationOrder {
  readonly target: RevocationTarget;
  readonly reason: string;
  readonly untilMs: number | undefined;
}

/** Revocation by API: in force on every connection of this process, kept, and only then answered. */
export interface Revocations {
  revoke(order: RevocationOrder, request: AuditRequest): Promise<KnownRevocation>;
  /** Throws `not_found`, or `conflict` where it is lifted already. */
  lift(id: string, request: AuditRequest, stillAdmitted: StillAdmitted): Promise<KnownRevocation>;
  get(id: string): Promise<KnownRevocation | undefined>;
  list(query: { readonly limit: number; readonly offset: number }): Promise<Page<KnownRevocation>>;
  /** A request was refused by this revocation. Costs the request nothing: written down later. */
  attempted(id: string): void;
  /** Looks at once for what other processes changed; for tests, which do not wait. */
  refresh(): Promise<void>;
  /** Writes down what has been counted, and looks no more. */
  stop(): Promise<void>;
}

export interface RevocationsParts extends InForceParts {
  readonly store: Store;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** What the store holds now, for the first snapshot. Throws where it cannot be read: nobody is served without it. */
export async function loadRevocations(store: Store): Promise<RevocationList> {
  const { version, entries } = await store.revocations.state();
  return createRevocationList(entries, version);
}

export function createRevocations(parts: RevocationsParts): Revocations {
  const { store, clock } = parts;
  const attempts = createAttempts(parts);
  const inForce = createRevocationsInForce(parts);

  const known = (record: RevocationRecord): KnownRevocation => {
    const expired = record.untilMs !== undefined && record.untilMs <= clock.now();
    const state = record.lifted !== undefined ? 'lifted' : expired ? 'expired' : 'in_force';
    return {
      ...attempts.added(record),
      state,
      inForce: state === 'in_force' ? copyOf(inForce.of(record.id)) : undefined,
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
    apply: inForce.apply,
  });

  return {
    async revoke(order, request) {
      refuseTooMany(parts);
      const by = request.actor.principal;
      const startedMs = clock.elapsed();
      const id = `rev-${randomBytes(8).toString('hex')}`;
      const entry = { ...order, id };
      const createdMs = clock.now();
      const audited: AuditEntry = {
        at: new Date(createdMs).toISOString(),
        event: 'revocation_made',
        ...request,
        object: `revocation/${id}`,
        reason: order.reason,
        details: {
          ...order.target,
          ...(order.untilMs === undefined ? {} : { until: new Date(order.untilMs).toISOString() }),
        },
      };
      await inForce.during(entry, () =>
        store.revocations.add({ ...entry, createdMs, createdBy: by }, audited),
      );
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
    async lift(id, request, stillAdmitted) {
      const by = request.actor.principal;
      const atMs = clock.now();
      const entry: AuditEntry = {
        at: new Date(atMs).toISOString(),
        event: 'revocation_lifted',
        ...request,
        object: `revocation/${id}`,
      };
      if (!(await store.revocations.lift(id, atMs, by, entry, stillAdmitted))) {
        await found(id);
        throw new FluxgateError('conflict', 'This revocation is lifted already. Nothing was changed.');
      }
      await inForce.apply();
      await parts.siblings.announce('revocations_changed', id);
      const lifted = await found(id);
      const { target, reason: revoked_for } = lifted;
      parts.log.warn(
        { request_id: request.request_id, revocation: id, ...target, revoked_for, by },
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
