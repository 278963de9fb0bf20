import { randomBytes } from 'node:crypto';
import type { AuditEntry, AuditRequest } from '../core/audit/entry.ts';
import type { StillAdmitted } from '../core/audit/still-admitted.ts';
import { FluxgateError } from '../core/errors.ts';
import type { Page } from '../core/fleet/access.ts';
import {
  createTokenList,
  hashOfToken,
  type TokenGrant,
  type TokenList,
} from '../core/identity/token-list.ts';
import { makeToken, TOKEN_SECRET_OCTETS } from '../core/identity/token-text.ts';
import { LIMITS } from '../core/limits.ts';
import type { Clock } from './clock.ts';
import type { Log } from './log.ts';
import type { Store } from './store/store.ts';
import type { TokenRecord, TokenUse } from './store/token-records.ts';
import { startVersionPoll } from './version-poll.ts';
import type { Siblings } from './workers/siblings.ts';
import { createWriteBehind } from './write-behind.ts';

/** A token as this process knows it. */
export interface KnownToken extends TokenRecord {
  readonly state: 'live' | 'expired' | 'revoked';
}

export interface TokenOrder extends TokenGrant {
  readonly name: string;
  readonly expiresMs: number;
}

/** Token records: kept first, then in force for every request of this process, then answered. */
export interface Tokens {
  /** `token` is handed out this once. Throws `conflict`. */
  make(
    order: TokenOrder,
    request: AuditRequest,
    stillAdmitted: StillAdmitted,
  ): Promise<{ readonly token: string; readonly record: KnownToken }>;
  /** Throws `not_found`, or `conflict` where it is revoked already. */
  revoke(id: string, request: AuditRequest, stillAdmitted: StillAdmitted): Promise<KnownToken>;
  get(id: string): Promise<KnownToken | undefined>;
  list(query: { readonly limit: number; readonly offset: number }): Promise<Page<KnownToken>>;
  /** A request came with it. Costs the request nothing: written down later. */
  used(id: string, source: string): void;
  /** Looks at once for what other processes changed; for tests, which do not wait. */
  refresh(): Promise<void>;
  /** Writes down the uses that are not yet, and looks no more. */
  stop(): Promise<void>;
}

export interface TokensParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly log: Log;
  readonly siblings: Siblings;
  current(): TokenList;
  /** In one step, for every request from now on, those whose body is still coming included. */
  enforce(list: TokenList): void;
}

/** What the store holds now, for the first snapshot. Throws where it cannot be read: nobody is served without it. */
export async function loadTokens(store: Store, nowMs: number): Promise<TokenList> {
  const { version, entries } = await store.tokens.state(nowMs);
  return createTokenList(entries, version);
}

export function createTokens(parts: TokensParts): Tokens {
  const { store, clock, log, siblings } = parts;
  const uses = createUses(parts);
  /**
   * Being revoked and not kept yet: refused at once, for the store may be busy, not least with what their holder sends. By which worker;
   * undefined: this one.
   */
  const ending = new Map<string, number | undefined>();
  const load = async (): Promise<TokenList> => {
    const { version, entries } = await store.tokens.state(clock.now());
    return createTokenList(
      entries.map((entry) => (ending.has(entry.id) ? { ...entry, revoked: true } : entry)),
      version,
    );
  };
  const inForceWhile = async (id: string, keep: () => Promise<boolean>): Promise<boolean> => {
    ending.set(id, undefined);
    const told = siblings.announce('token_ending', id);
    try {
      parts.enforce(await load());
      const kept = await keep();
      await told;
      return kept;
    } finally {
      ending.delete(id);
      // What was not kept is good again.
      parts.enforce(await load());
      await siblings.announce('tokens_changed', id);
    }
  };
  const settle = async (ids: readonly string[]): Promise<void> => {
    for (const id of ids) ending.delete(id);
    parts.enforce(await load());
  };
  siblings.onShared<string>('token_ending', async (ids, by) => {
    for (const id of ids) ending.set(id, by);
    parts.enforce(await load());
  });
  siblings.onShared<string>('tokens_changed', settle);
  siblings.onGone((worker) => {
    const left = [...ending].filter(([, by]) => by === worker).map(([id]) => id);
    // The store cannot be read: they stay refused.
    if (left.length > 0) settle(left).catch(() => undefined);
  });
  /** Whoever reads the later state may be the earlier to come here, so versions decide. */
  const apply = async (): Promise<boolean> => {
    const list = await load();
    if (list.version <= parts.current().version) return false;
    parts.enforce(list);
    return true;
  };
  const known = (record: TokenRecord): KnownToken => {
    const expired = clock.now() >= record.expiresMs;
    const state = record.revoked !== undefined ? 'revoked' : expired ? 'expired' : 'live';
    return { ...uses.added(record), state };
  };
  const found = async (id: string): Promise<KnownToken> => {
    const record = await store.tokens.get(id);
    if (record === undefined) throw new FluxgateError('not_found', 'There is no token of this id.');
    return known(record);
  };
  const poll = startVersionPoll({
    what: 'tokens',
    log,
    version: () => store.tokens.version(),
    current: () => parts.current().version,
    apply,
  });

  return {
    async make(order, request, stillAdmitted) {
      const by = request.actor.principal;
      const token = makeToken(order.kind, randomBytes(TOKEN_SECRET_OCTETS));
      const id = `tok-${randomBytes(8).toString('hex')}`;
      const sha256 = hashOfToken(token);
      const createdMs = clock.now();
      const { name, kind, clusterDns, grants, expiresMs } = order;
      await store.tokens.add(
        { ...order, id, sha256, createdMs, createdBy: by },
        {
          at: new Date(createdMs).toISOString(),
          event: 'token_made',
          ...request,
          object: `token/${id}`,
          details: {
            name,
            kind,
            cluster_dns: clusterDns,
            grants,
            expires_at: new Date(expiresMs).toISOString(),
          },
        },
        stillAdmitted,
      );
      await apply();
      await siblings.announce('tokens_changed', id);
      const record = await found(id);
      log.warn({ token: id, ...logged(record), by }, 'token made');
      return { token, record };
    },
    async revoke(id, request, stillAdmitted) {
      const by = request.actor.principal;
      const atMs = clock.now();
      const at = new Date(atMs).toISOString();
      const entry: AuditEntry = { at, event: 'token_revoked', ...request, object: `token/${id}` };
      // Who revokes what they came with is refused from then on, and means it.
      const guard = request.actor.token_id === id ? undefined : stillAdmitted;
      const keep = (): Promise<boolean> => store.tokens.revoke(id, atMs, by, entry, guard);
      if (!(await inForceWhile(id, keep))) {
        await found(id);
        throw new FluxgateError('conflict', 'This token is revoked already. Nothing was changed.');
      }
      const record = await found(id);
      log.warn({ token: id, ...logged(record), by }, 'token revoked');
      return record;
    },
    async get(id) {
      const record = await store.tokens.get(id);
      return record === undefined ? undefined : known(record);
    },
    async list(query) {
      const { items, total } = await store.tokens.list(query);
      return { items: items.map(known), total };
    },
    used: uses.note,
    refresh: poll.look,
    async stop() {
      await poll.stop();
      await uses.stop();
    },
  };
}

function logged({ name, kind, clusterDns, grants, expiresMs }: KnownToken): object {
  return { name, kind, cluster: clusterDns, grants, expires: new Date(expiresMs).toISOString() };
}

interface Uses {
  note(id: string, source: string): void;
  /** The record, with what has not been written down yet. */
  added(record: TokenRecord): TokenRecord;
  stop(): Promise<void>;
}

/** Only the last use of each token is kept, so a million polls between two flushes cost one row. */
function createUses({ store, clock, log }: TokensParts): Uses {
  const latest = new Map<string, TokenUse>();
  const changed = new Set<string>();
  const write = async (): Promise<void> => {
    const ids = [...changed];
    changed.clear();
    const batch = ids.flatMap((id) => {
      const use = latest.get(id);
      return use === undefined ? [] : [{ id, ...use }];
    });
    try {
      await store.tokens.noteUses(batch);
    } catch (error) {
      for (const id of ids) changed.add(id);
      throw error;
    }
  };
  const behind = createWriteBehind('last uses of tokens', LIMITS.tokenUsesFlushMs, write, log);
  return {
    note(id, source) {
      latest.set(id, { lastMs: clock.now(), source });
      changed.add(id);
      behind.wake();
    },
    added(record) {
      const use = latest.get(record.id);
      if (use === undefined || use.lastMs <= (record.lastUse?.lastMs ?? 0)) return record;
      return { ...record, lastUse: use };
    },
    stop: () => behind.stop(),
  };
}
