import SqliteDatabase from 'better-sqlite3';
import { openSqliteStore } from '../../src/shell/store/sqlite-store.ts';
import { insertSampleFleet } from './fleet.ts';

const MIB = 1024 * 1024;

/** A store with the sample fleet, of more octets than are checked on a thread. Its path. */
export async function makeLargeStore(url: string): Promise<string> {
  const store = await openSqliteStore(url);
  await store.transact(insertSampleFleet);
  await store.close();
  const path = url.replace('sqlite://', '');
  const database = new SqliteDatabase(path);
  const insert = database.prepare('INSERT INTO meta (name, value) VALUES (?, ?)');
  for (let number = 0; number < 20; number++) insert.run(`padding ${number}`, 'x'.repeat(MIB));
  database.close();
  return path;
}
