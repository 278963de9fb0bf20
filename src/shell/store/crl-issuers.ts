import type { Database } from 'better-sqlite3';
import type { CrlIssuerStore } from './store.ts';

const PREFIX = 'crl-issuer:';

type Run = <T>(doing: string, act: () => T) => Promise<T>;

/** The SQL of which CAs have had CRLs. */
export function createCrlIssuerStore(
  { writer, reader }: { readonly writer: Database; readonly reader: Database },
  read: Run,
  write: Run,
): CrlIssuerStore {
  const all = prepareCrlIssuers(reader);
  const add = writer.prepare(
    "INSERT INTO meta (name, value) VALUES (?, 'yes') ON CONFLICT (name) DO NOTHING",
  );
  const clear = writer.prepare('DELETE FROM meta WHERE substr(name, 1, 11) = ?');
  return Object.freeze<CrlIssuerStore>({
    all: () => read('read', all),
    add: (keys) =>
      write('remember', () => {
        for (const key of keys) add.run(`${PREFIX}${key}`);
      }),
    clear: () => write('forget', () => void clear.run(PREFIX)),
  });
}

export function prepareCrlIssuers(database: Database): () => ReadonlySet<string> {
  const all = database
    .prepare<[string], string>('SELECT name FROM meta WHERE substr(name, 1, 11) = ?')
    .pluck();
  return () => new Set(all.all(PREFIX).map((name) => name.slice(PREFIX.length)));
}
