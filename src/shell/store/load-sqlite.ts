import SqliteDatabase from 'better-sqlite3';

/**
 * Loads SQLite's native code, which is otherwise done by who first opens a store. To be called before the store's check begins on a thread: to
 * tell glibc from musl where it may not read /proc/self/maps, better-sqlite3 (13.2) asks Node for its report on the process, and Node
 * (26.10) waits with that until each thread has answered, which one that is inside of SQLite does at the end.
 */
export function loadSqlite(): void {
  new SqliteDatabase(':memory:').close();
}
