import type { Database } from 'better-sqlite3';
import { FluxgateError } from '../../core/errors.ts';
import { PAGE_LIMITS } from '../../core/page-limits.ts';
import type { EndedSessionStore } from './store.ts';

/** Of a row's name; then the session's id or, where all of a token's sessions up to a moment have ended, ALL and the token. */
const PREFIX = 'page-session:';
const ALL = 'all:';

type Run = <T>(doing: string, act: () => T) => Promise<T>;

/** Which token it is, among those of the last hour: the start of its hash. */
const keyOf = (tokenSha256: string): string => tokenSha256.slice(0, 16);

/**
 * The SQL of the page's sessions that were signed out before their end. A row's value is when it can be forgotten, and then the token;
 * of ALL it is the moment. Nobody can use up the room of others: a token that signs out too often, or when there is no room, has all
 * of its rows replaced by one, which ends every session that was begun with it so far.
 */
export function createEndedSessionStore(
  { writer, reader }: { readonly writer: Database; readonly reader: Database },
  read: Run,
  write: Run,
): EndedSessionStore {
  const find = reader.prepare<[string], string>('SELECT value FROM meta WHERE name = ?').pluck();
  const prune = writer.prepare(
    'DELETE FROM meta WHERE substr(name, 1, 13) = ? AND CAST(value AS INTEGER) <= ?',
  );
  const count = writer
    .prepare<[string], number>('SELECT count(*) FROM meta WHERE substr(name, 1, 13) = ?')
    .pluck();
  const countOfToken = writer
    .prepare<[string, string], number>(
      "SELECT count(*) FROM meta WHERE substr(name, 1, 13) = ? AND value LIKE '% ' || ?",
    )
    .pluck();
  const forgetToken = writer.prepare(
    "DELETE FROM meta WHERE substr(name, 1, 13) = ? AND value LIKE '% ' || ?",
  );
  const put = writer.prepare(
    'INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value',
  );
  const isFull = (): boolean => (count.get(PREFIX) ?? 0) >= PAGE_LIMITS.endedSessionsMax;
  const endAll = (token: string, nowMs: number): void => {
    forgetToken.run(PREFIX, token);
    const name = `${PREFIX}${ALL}${token}`;
    if (isFull() && find.get(name) === undefined) {
      throw new FluxgateError('unavailable', 'Too many have signed out within the hour. Try again later.', {
        logged: 'endedSessionsMax',
      });
    }
    put.run(name, `${nowMs + PAGE_LIMITS.sessionMs} ${nowMs}`);
  };

  return Object.freeze<EndedSessionStore>({
    has: ({ id, tokenSha256, startedMs }) =>
      read('read', () => {
        if (find.get(`${PREFIX}${id}`) !== undefined) return true;
        const [, upToMs] = find.get(`${PREFIX}${ALL}${keyOf(tokenSha256)}`)?.split(' ') ?? [];
        return upToMs !== undefined && startedMs <= Number(upToMs);
      }),
    add: ({ id, tokenSha256, endsMs }, nowMs) =>
      write('sign out', () => {
        const token = keyOf(tokenSha256);
        prune.run(PREFIX, nowMs);
        const many = (countOfToken.get(PREFIX, token) ?? 0) >= PAGE_LIMITS.endedSessionsPerTokenMax;
        if (many || isFull()) endAll(token, nowMs);
        else put.run(`${PREFIX}${id}`, `${endsMs} ${token}`);
      }),
  });
}
