import type { Database } from 'better-sqlite3';
import { FluxgateError } from '../../core/errors.ts';
import { PAGE_LIMITS } from '../../core/page-limits.ts';
import type { EndedSessionStore } from './store.ts';

const PREFIX = 'page-session:';

type Run = <T>(doing: string, act: () => T) => Promise<T>;

/** The SQL of the page's sessions that were signed out before their end. */
export function createEndedSessionStore(
  { writer, reader }: { readonly writer: Database; readonly reader: Database },
  read: Run,
  write: Run,
): EndedSessionStore {
  const find = reader.prepare<[string], number>('SELECT 1 FROM meta WHERE name = ?').pluck();
  const prune = writer.prepare(
    'DELETE FROM meta WHERE substr(name, 1, 13) = ? AND CAST(value AS INTEGER) <= ?',
  );
  const count = writer
    .prepare<[string], number>('SELECT count(*) FROM meta WHERE substr(name, 1, 13) = ?')
    .pluck();
  const add = writer.prepare('INSERT INTO meta (name, value) VALUES (?, ?) ON CONFLICT (name) DO NOTHING');
  return Object.freeze<EndedSessionStore>({
    has: (id) => read('read', () => find.get(`${PREFIX}${id}`) !== undefined),
    add: (id, endsMs, nowMs) =>
      write('sign out', () => {
        prune.run(PREFIX, nowMs);
        if ((count.get(PREFIX) ?? 0) >= PAGE_LIMITS.endedSessionsMax) {
          throw new FluxgateError(
            'unavailable',
            'Too many have signed out within the hour. Try again later.',
            {
              logged: 'endedSessionsMax',
            },
          );
        }
        add.run(`${PREFIX}${id}`, String(endsMs));
      }),
  });
}
