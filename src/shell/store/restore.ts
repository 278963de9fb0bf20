import {
  chmodSync,
  copyFileSync,
  existsSync,
  constants as fs,
  linkSync,
  lstatSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import SqliteDatabase from 'better-sqlite3';
import { StartupError } from '../../core/errors.ts';
import { openStoreFile, readStoreFacts, storeFileError } from './backup.ts';
import { type CarriedOver, carryOver } from './carry-over.ts';
import { freePath, fsyncFile, refuseDamagedCopy } from './copy.ts';
import { isBusy } from './faults.ts';

export interface Restored {
  /** The file that is in place now: where a symlink leads, its target. */
  readonly path: string;
  /** Where the store is kept that was there before; undefined: there was none. */
  readonly aside: string | undefined;
  /** From it; undefined: it cannot be read, or there was none. */
  readonly carriedOver: CarriedOver | undefined;
}

/**
 * Puts a backup in the place of a store; of a symlink, in the place of the file that it leads to. The old file is kept beside it;
 * the swap is one rename, so that at every moment there is one whole store there. Throws StartupError before anything was changed: the backup is not one, or is damaged,
 * or somebody uses the store.
 */
export function restoreStore(store: string, backup: string): Restored {
  if (!existsSync(backup)) throw new StartupError(`${backup} is not there`);
  const [path, from] = [behindSymlinks(store), behindSymlinks(backup)];
  if (!existsSync(dirname(path))) {
    throw new StartupError(
      `there is no directory ${dirname(path)} for the store: mount it or make it first (mkdir -p); nothing was changed`,
    );
  }
  // Its newest commits are not in the file itself: restored alone, it would be a store of an earlier moment, or of none.
  if (existsSync(`${from}-wal`) && statSync(`${from}-wal`).size > 0) {
    throw new StartupError(`${from} has a -wal beside it, so it is a live store: take a backup of it first`);
  }
  const incoming = freePath(`${path}.restoring`);
  try {
    copyFileSync(from, incoming, fs.COPYFILE_EXCL);
    chmodSync(incoming, 0o600);
    fsyncFile(incoming);
    refuseUnusable(incoming, from);
    const aside = existsSync(path) ? putAside(path) : undefined;
    const carriedOver = aside === undefined ? undefined : carryDecisions(incoming, aside);
    renameSync(incoming, path);
    fsyncFile(dirname(path));
    return { path, aside, carriedOver };
  } catch (error) {
    throw storeFileError(from, error);
  } finally {
    for (const file of [incoming, `${incoming}-wal`, `${incoming}-shm`]) rmSync(file, { force: true });
  }
}

/**
 * SQLite keeps what belongs to a file beside that file, and not beside a symlink to it; a rename would put the store in place of the link.
 * Throws StartupError where a link leads nowhere: a volume that is not mounted is no empty one.
 */
function behindSymlinks(path: string): string {
  if (!isSymlink(path)) return path;
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(
      `${path} is a symlink to ${readlinkSync(path)}, where nothing is to be found (${code}): mount what it leads to, or take ` +
        'the link away; nothing was changed',
      error,
    );
  }
}

/** Throws StartupError where nothing can be: a part of the way there is a file, or leads in a circle. */
function isSymlink(path: string): boolean {
  try {
    return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new StartupError(`${path} cannot be a file's name (${code}): nothing was changed`, error);
  }
}

/** Judges the copy that will be in place, not the original, which may still change. */
function refuseUnusable(incoming: string, from: string): void {
  try {
    const copy = openStoreFile(incoming);
    try {
      readStoreFacts(copy, from);
    } finally {
      copy.close();
    }
    refuseDamagedCopy(incoming);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new StartupError(
      `${from} cannot be restored (${reason.replaceAll(incoming, from)}): nothing was changed`,
      error,
    );
  }
}

/** Where the old one is damaged, or newer, there is nothing to take from; the command says so. */
function carryDecisions(incoming: string, aside: string): CarriedOver | undefined {
  try {
    const replaced = openStoreFile(aside);
    try {
      readStoreFacts(replaced, aside);
    } finally {
      replaced.close();
    }
    refuseDamagedCopy(aside);
  } catch {
    return undefined;
  }
  const carriedOver = carryOver(incoming, aside);
  fsyncFile(incoming);
  return carriedOver;
}

/** The old file under another name, with its WAL if one is left: old pages must never meet the restored file. */
function putAside(path: string): string {
  settle(path);
  const aside = freePath(`${path}.replaced`);
  linkOrCopy(path, aside);
  for (const suffix of ['-wal', '-shm']) {
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${aside}${suffix}`);
  }
  return aside;
}

/**
 * Every connection in WAL mode holds a lock on the file, so exclusive access is to be had only when there is none. A sound
 * file takes its WAL in; a damaged one stays as it is.
 */
function settle(path: string): void {
  let database: SqliteDatabase.Database | undefined;
  try {
    database = new SqliteDatabase(path, { fileMustExist: true, timeout: 0 });
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE; COMMIT');
    database.pragma('wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (isBusy(error)) {
      throw new StartupError(`${path} is in use: stop the gateway first; nothing was changed`, error);
    }
  } finally {
    database?.close();
  }
}

function linkOrCopy(path: string, aside: string): void {
  try {
    linkSync(path, aside);
  } catch {
    // Not every file system has hard links.
    copyFileSync(path, aside, fs.COPYFILE_EXCL);
    fsyncFile(aside);
  }
}
