import type { KeyObject } from 'node:crypto';
import type { AuditEntry, AuditEvent, AuditRequest } from '../core/audit/entry.ts';
import { OURSELVES } from '../core/audit/entry.ts';
import { type AuditHead, signHead } from '../core/audit/head.ts';
import type { AuditStore } from '../core/audit/trail.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import { createWriteBehind } from './write-behind.ts';

/**
 * The audit trail of what changes nothing in the fleet: refusals, sessions of the page, reloads, start and stop. Changes write their own entry, in
 * their own transaction. Refusals and sessions are gathered and written a few at a time: one row for many alike, and a bound on how many
 * different ones a period has, so that nobody fills the disk by being refused.
 */
export interface Audit {
  /** A request was refused for who asked. */
  refused(event: RefusalEvent, request: AuditRequest, object: string | undefined, reason: string): void;
  /** Somebody signed in to the status page, or out; gathered as refusals are, for whoever has a token may do so without end. */
  session(event: SessionEvent, request: AuditRequest): void;
  /** Of the gateway itself: soon, in order. */
  told(event: AuditEvent, details: object, reason?: string): void;
  /** The newest row, signed where there is a key. */
  head(): Promise<AuditHead>;
  /** Writes down what was gathered. */
  flush(): Promise<void>;
  stop(): Promise<void>;
}

export type RefusalEvent = Extract<AuditEvent, 'denied' | 'unauthenticated' | 'certificate_refused'>;

export type SessionEvent = Extract<AuditEvent, 'signed_in' | 'signed_out'>;

export interface AuditParts {
  readonly store: AuditStore;
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly signingKey: KeyObject | undefined;
}

interface Gathered {
  readonly entry: AuditEntry;
  count: number;
  lastMs: number;
}

export function createAudit(parts: AuditParts): Audit {
  const { store, clock, log, metrics } = parts;
  let gathered = new Map<string, Gathered>();
  let pending: AuditEntry[] = [];

  const writing = createWriteBehind(
    'the audit trail',
    LIMITS.auditFlushMs,
    async () => {
      const refusals = [...gathered.values()].map(summed);
      const entries = [...pending, ...refusals];
      if (entries.length === 0) return;
      const [keptPending, keptGathered] = [pending, gathered];
      pending = [];
      gathered = new Map();
      try {
        await store.append(entries);
      } catch (error) {
        pending = [...keptPending, ...pending];
        gathered = merged(keptGathered, gathered);
        throw error;
      }
    },
    log,
  );
  const headLine = setInterval(() => void tellHead(), LIMITS.auditHeadLogMs);
  headLine.unref();
  let told = 0;
  const tellHead = async (): Promise<void> => {
    try {
      const head = await signedHead();
      if (head.sequence !== told)
        log.info({ audit_head: head }, 'the end of the audit trail, to be kept elsewhere');
      told = head.sequence;
    } catch {
      // /ready and the next write say that the store cannot be read.
    }
  };
  const signedHead = async (): Promise<AuditHead> =>
    signHead(await store.end(), new Date(clock.now()).toISOString(), parts.signingKey);

  const gather = (
    event: RefusalEvent | SessionEvent,
    request: AuditRequest,
    object?: string,
    reason?: string,
  ): void => {
    metrics.auditEvents.inc({ event });
    const nowMs = clock.now();
    const crowded = [...gathered.values()].filter(({ entry }) => entry.event === event).length;
    const { actor, source, operation, policies = [] } = request;
    let key = JSON.stringify([
      event,
      actor.principal,
      actor.sha256,
      source,
      operation,
      object,
      reason,
      policies,
    ]);
    const overflows = !gathered.has(key) && crowded >= LIMITS.auditRefusalsPerFlush;
    if (overflows) key = event;
    const known = gathered.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastMs = nowMs;
      return;
    }
    const at = new Date(nowMs).toISOString();
    const entry: AuditEntry = overflows
      ? { at, event, reason: 'more of these than are written down one by one; the log has each' }
      : {
          at,
          event,
          ...request,
          ...(object === undefined ? {} : { object }),
          ...(reason === undefined ? {} : { reason: reason.slice(0, REASON_MAX) }),
        };
    gathered.set(key, { entry, count: 1, lastMs: nowMs });
    writing.wake();
  };

  return {
    refused: gather,
    session: (event, request) => gather(event, request),
    told(event, details, reason) {
      metrics.auditEvents.inc({ event });
      pending.push({
        at: new Date(clock.now()).toISOString(),
        event,
        actor: OURSELVES,
        ...(reason === undefined ? {} : { reason: reason.slice(0, REASON_MAX) }),
        details,
      });
      // A store that cannot be written is no reason to grow without end; the log has each.
      if (pending.length > LIMITS.auditPendingMax) pending.shift();
      writing.flush().catch(writing.wake);
    },
    head: signedHead,
    flush: () => writing.flush(),
    async stop() {
      clearInterval(headLine);
      await writing.stop();
      await tellHead();
    },
  };
}

const REASON_MAX = 1_000;

/** The last of them is when it was; the first, since when. */
function summed({ entry, count, lastMs }: Gathered): AuditEntry {
  if (count === 1) return entry;
  return { ...entry, at: new Date(lastMs).toISOString(), count, since: entry.at };
}

function merged(earlier: Map<string, Gathered>, later: ReadonlyMap<string, Gathered>): Map<string, Gathered> {
  for (const [key, { entry, count, lastMs }] of later) {
    const known = earlier.get(key);
    if (known === undefined) earlier.set(key, { entry, count, lastMs });
    else {
      known.count += count;
      known.lastMs = lastMs;
    }
  }
  return earlier;
}
