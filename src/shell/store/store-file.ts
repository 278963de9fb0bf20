import { accessSync, closeSync, constants, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartupError } from '../../core/errors.ts';

/**
 * Makes the store's file, and its directory, where they are not there, for their owner only. Before SQLite opens it, so that
 * nobody can read it in between; its -wal and -shm get the same mode from SQLite. Throws StartupError.
 */
export function makeStoreFile(path: string): void {
  const touch = (): void => {
    // What is there is not opened: to close it would take back all locks that SQLite holds on it in this process (fcntl(2)).
    const isThere = statSync(path, { throwIfNoEntry: false })?.isFile() === true;
    if (isThere) accessSync(path, constants.R_OK | constants.W_OK);
    else closeSync(openSync(path, 'a', 0o600));
  };
  try {
    try {
      touch();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      touch();
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(`DATABASE_URL: ${path} cannot be made or written: ${reason}`, error);
  }
}

/**
 * Of the file that a path leads to now, whatever is written into it: another one in its place has another. undefined: there is none, or
 * it cannot be looked at.
 */
export function identityOf(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path, { bigint: true });
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
