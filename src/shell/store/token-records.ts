import type { Database } from 'better-sqlite3';
import type { AuditEntry } from '../../core/audit/entry.ts';
import type { StillAdmitted } from '../../core/audit/still-admitted.ts';
import { FluxgateError } from '../../core/errors.ts';
import type { Page } from '../../core/fleet/access.ts';
import type { TokenEntry } from '../../core/identity/token-list.ts';
import { LIMITS } from '../../core/limits.ts';
import type { Grants } from '../../core/policy/roles.ts';

/** One token with its history, as it is kept; the token itself is not. */
export interface TokenRecord extends Omit<TokenEntry, 'revoked'> {
  readonly createdMs: number;
  readonly createdBy: string;
  readonly revoked: { readonly atMs: number; readonly by: string } | undefined;
  /** As far as it has been written down. */
  readonly lastUse: TokenUse | undefined;
}

export interface TokenUse {
  readonly lastMs: number;
  /** IP address. */
  readonly source: string;
}

export type NewToken = Omit<TokenRecord, 'revoked' | 'lastUse'>;

/** What has not expired, revoked or not, and the version of the store's state that this is. */
export interface TokenState {
  readonly version: number;
  readonly entries: readonly TokenEntry[];
}

/** The tokens' part of the store. A write that has resolved survives kill -9. */
export interface TokenStore {
  /** Grows with each change by whatever process; cheap enough to ask several times a second. */
  version(): Promise<number>;
  state(nowMs: number): Promise<TokenState>;
  get(id: string): Promise<TokenRecord | undefined>;
  /** Newest first. */
  list(query: { readonly limit: number; readonly offset: number }): Promise<Page<TokenRecord>>;
  /** Throws `conflict`: two live tokens have the name already, or one that is for something else, or there are too many. */
  add(token: NewToken, entry: AuditEntry, stillAdmitted?: StillAdmitted): Promise<void>;
  /** False: it is not there, or revoked already; nothing was changed. */
  revoke(
    id: string,
    atMs: number,
    by: string,
    entry: AuditEntry,
    stillAdmitted?: StillAdmitted,
  ): Promise<boolean>;
  noteUses(uses: readonly (TokenUse & { readonly id: string })[]): Promise<void>;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly kind: TokenEntry['kind'];
  readonly cluster_dns: string | null;
  readonly grants: string | null;
  readonly sha256: string;
  readonly created_ms: number;
  readonly created_by: string;
  readonly expires_ms: number;
  readonly revoked_ms: number | null;
  readonly revoked_by: string | null;
  readonly last_ms: number | null;
  readonly source: string | null;
}

const SELECT = `SELECT tokens.id, name, kind, cluster_dns, grants, sha256, created_ms, created_by, expires_ms, revoked_ms,
  revoked_by, last_ms, source FROM tokens LEFT JOIN token_uses ON token_uses.id = tokens.id`;

export interface TokenQueries {
  version(): number;
  state(nowMs: number): TokenState;
  get(id: string): TokenRecord | undefined;
  list(limit: number, offset: number): Page<TokenRecord>;
}

/** The reading SQL, on one connection. */
export function createTokenQueries(database: Database): TokenQueries {
  const version = database.prepare<[], number>('SELECT version FROM token_version').pluck();
  const byId = database.prepare<[string], Row>(`${SELECT} WHERE tokens.id = ?`);
  const page = database.prepare<[number, number], Row>(`${SELECT} ORDER BY sequence DESC LIMIT ? OFFSET ?`);
  const total = database.prepare<[], number>('SELECT count(*) FROM tokens').pluck();
  const unexpired = database.prepare<[number], Row>(`${SELECT} WHERE expires_ms > ? ORDER BY sequence`);
  const readVersion = (): number => version.get() ?? 0;
  return {
    version: readVersion,
    // One transaction, so that the version is that of the entries.
    state: database.transaction((nowMs: number) => ({
      version: readVersion(),
      entries: unexpired.all(nowMs).map(entryOf),
    })),
    get(id) {
      const row = byId.get(id);
      return row === undefined ? undefined : recordOf(row);
    },
    list: database.transaction((limit: number, offset: number) => ({
      items: page.all(limit, offset).map(recordOf),
      total: total.get() ?? 0,
    })),
  };
}

export interface TokenWrites {
  add(token: NewToken): void;
  revoke(id: string, atMs: number, by: string): boolean;
  noteUses(uses: readonly (TokenUse & { readonly id: string })[]): void;
}

/** The writing SQL, on the writer's connection, inside its transaction. */
export function createTokenWrites(database: Database): TokenWrites {
  const insert = database.prepare(
    `INSERT INTO tokens (id, name, kind, cluster_dns, grants, sha256, created_ms, created_by, expires_ms)
     VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
  );
  const live = database.prepare<[string, number], Row>(
    `${SELECT} WHERE name = ? AND revoked_ms IS NULL AND expires_ms > ?`,
  );
  const count = database
    .prepare<[number], number>('SELECT count(*) FROM tokens WHERE expires_ms > ?')
    .pluck();
  const revoke = database.prepare(
    'UPDATE tokens SET revoked_ms = ?, revoked_by = ? WHERE id = ? AND revoked_ms IS NULL',
  );
  const use = database.prepare(`INSERT INTO token_uses (id, last_ms, source) VALUES (?, ?, ?)
    ON CONFLICT (id) DO UPDATE SET last_ms = excluded.last_ms, source = excluded.source WHERE excluded.last_ms > last_ms`);
  return {
    add(token) {
      const { id, name, kind, clusterDns, grants, sha256, createdMs, createdBy, expiresMs } = token;
      const document = grants === undefined ? null : JSON.stringify(grants);
      checkName(live.all(name, createdMs), token, document);
      if ((count.get(createdMs) ?? 0) >= LIMITS.tokensMax) throw tooMany();
      insert.run(id, name, kind, clusterDns ?? null, document, sha256, createdMs, createdBy, expiresMs);
    },
    revoke: (id, atMs, by) => revoke.run(atMs, by, id).changes > 0,
    noteUses(uses) {
      for (const { id, lastMs, source } of uses) use.run(id, lastMs, source);
    },
  };
}

/** A name has one meaning at a time, and two tokens while the one takes over from the other. */
function checkName(sameName: readonly Row[], token: NewToken, grants: string | null): void {
  const differs = sameName.find(
    (row) =>
      row.kind !== token.kind || row.cluster_dns !== (token.clusterDns ?? null) || row.grants !== grants,
  );
  if (differs !== undefined) {
    throw new FluxgateError(
      'conflict',
      'A live token of this name is for something else. Choose another name, or revoke that one first.',
    );
  }
  if (sameName.length >= LIMITS.tokensPerNameMax) {
    throw new FluxgateError(
      'conflict',
      'Two live tokens have this name already: one in use and one to take over. Revoke the older one first.',
    );
  }
}

function tooMany(): FluxgateError {
  return new FluxgateError(
    'conflict',
    `${LIMITS.tokensMax} tokens have not expired. Give tokens shorter lives; those that are revoked count until they expire.`,
  );
}

function entryOf(row: Row): TokenEntry {
  return Object.freeze<TokenEntry>({
    id: row.id,
    name: row.name,
    kind: row.kind,
    clusterDns: row.cluster_dns ?? undefined,
    grants: row.grants === null ? undefined : Object.freeze(JSON.parse(row.grants) as Grants),
    sha256: row.sha256,
    expiresMs: row.expires_ms,
    revoked: row.revoked_ms !== null,
  });
}

function recordOf(row: Row): TokenRecord {
  const { revoked_ms: atMs, revoked_by: by, last_ms: lastMs, source } = row;
  return Object.freeze<TokenRecord>({
    ...entryOf(row),
    createdMs: row.created_ms,
    createdBy: row.created_by,
    revoked: atMs === null || by === null ? undefined : Object.freeze({ atMs, by }),
    lastUse: lastMs === null || source === null ? undefined : Object.freeze({ lastMs, source }),
  });
}
