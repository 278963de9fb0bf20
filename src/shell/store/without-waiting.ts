import type { Database } from 'better-sqlite3';

/** SQLite waits for a lock by stopping the whole process, polls and all; what is written here can wait for the next time. */
export function withoutWaiting<T>(database: Database, act: () => T): T {
  const before = database.pragma('busy_timeout', { simple: true }) as number;
  database.pragma('busy_timeout = 0');
  try {
    return act();
  } finally {
    database.pragma(`busy_timeout = ${before}`);
  }
}
