import { createCipheriv, randomBytes } from 'node:crypto';
import {
  constants,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  realpathSync,
  statSync,
  writeSync,
} from 'node:fs';
import SqliteDatabase, { type Database } from 'better-sqlite3';
import { type Clock, systemClock } from '../clock.ts';
import { CHECKED_APART_OCTETS_MIN } from './check-file.ts';

/**
 * What lies beside a store that was closed in order: a digest of what its file then was. A start that finds the very same octets
 * goes on with what was served from until that end, and need not wait for the check of it: see docs/decisions/start.md.
 *
 * The digest is GMAC (NIST SP 800-38D) under a key that was drawn for it, and lies beside it: it takes a quarter of the time of SHA-256,
 * and of damage that did not know the key one in 2^100 goes unnoticed. Whoever can read the key to forge it can write a seal of their own, or a
 * store: no digest without a secret would keep them from that.
 */
const SUFFIX = '-seal';

/** For the digest at the end: a stop has to be over within 10 s, of which a drain may take 8 (`drainTimeoutMs`). 350 MB that are in memory take a tenth. */
export const SEAL_MS_MAX = 1_000;

/** Of this very name: what a link leads to is not emptied, and a pipe is not waited for. */
const EMPTIED =
  constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const KEY_OCTETS = 16;
const NONCE_OCTETS = 12;
const CHUNK_OCTETS = 256 * 1024;
/** More than any seal has; whatever is longer is none. */
const SEAL_OCTETS_MAX = 1_024;

/** Of a store that is open: meanwhile it has no seal. */
export interface SealHolder {
  /**
   * To be called of a store that was checked, when nothing else is done with it any more, right before `writer`, its last connection, closes.
   * Never throws: a store that has other users has no seal, and is checked before it is opened.
   */
  seal(writer: Database): void;
}

/**
 * Whether the store's file is, to the octet, what it was when it was last closed, by this very SQLite, and has nothing beside it that would
 * be read with it. In doubt it is not.
 */
export function isSealed(path: string): boolean {
  try {
    const seal = sealOf(path);
    if (seal === '') return false;
    // Commits that are not in the file yet, or are to be taken back; beside what a link leads to.
    const real = realpathSync(path);
    if (['-wal', '-journal'].some((suffix) => octetsOf(`${real}${suffix}`) > 0)) return false;
    const [, key = ''] = /^key ([0-9a-f]{32})$/m.exec(seal) ?? [];
    return seal === textOf(openForEver(path), octetsOf(path), engineInMemory(), key);
  } catch {
    return false;
  }
}

/** Breaks the seal of a store that is about to be written to. undefined: no file can be made beside it, so it is not sealed again. */
export function breakSeal(path: string, clock: Pick<Clock, 'elapsed'> = systemClock): SealHolder | undefined {
  let file: number;
  let sealFile: number;
  try {
    file = openForEver(path);
    // Emptied now, and filled at the end: by then the process has given up to open files for writing.
    sealFile = openSync(`${path}${SUFFIX}`, EMPTIED, 0o600);
  } catch {
    return undefined;
  }
  return {
    seal(writer) {
      try {
        const endMs = clock.elapsed() + SEAL_MS_MAX;
        const text = lastText(writer, file, () => clock.elapsed() > endMs);
        if (text !== undefined) writeSync(sealFile, text, 0);
      } catch {
        // As if it had never been tried.
      } finally {
        if (writer.inTransaction) writer.exec('ROLLBACK');
      }
    },
  };
}

/** Leaves a transaction open, in which nobody else can write: what is digested is what the store is. */
function lastText(writer: Database, file: number, isLate: () => boolean): string | undefined {
  if (fstatSync(file).size < CHECKED_APART_OCTETS_MIN) return undefined;
  const version = (): unknown => writer.pragma('data_version', { simple: true });
  const before = version();
  const [checkpoint] = writer.pragma('wal_checkpoint(TRUNCATE)') as { busy: number }[];
  if (checkpoint?.busy !== 0) return undefined;
  writer.exec('BEGIN IMMEDIATE');
  if (version() !== before) return undefined;
  const key = randomBytes(KEY_OCTETS).toString('hex');
  return textOf(file, fstatSync(file).size, engineOf(writer), key, isLate);
}

/**
 * Never closed: with any descriptor of a file that a process closes, POSIX takes back all the locks that it holds on it, SQLite's too. So each
 * store that a process opens takes up two of them until it ends.
 */
function openForEver(path: string): number {
  return openSync(path, 'r');
}

/** Throws once it is late. */
function textOf(
  file: number,
  octets: number,
  sqlite: string,
  key: string,
  isLate: () => boolean = () => false,
): string {
  return `fluxgate-seal 1\nsqlite ${sqlite}\noctets ${octets}\nkey ${key}\ngmac ${digestOf(file, key, isLate)}\n`;
}

function digestOf(file: number, key: string, isLate: () => boolean): string {
  // A key is used once, so one nonce will do.
  const digest = createCipheriv('aes-128-gcm', Buffer.from(key, 'hex'), Buffer.alloc(NONCE_OCTETS));
  const chunk = Buffer.allocUnsafe(CHUNK_OCTETS);
  for (let at = 0; ; ) {
    const octets = readSync(file, chunk, 0, chunk.length, at);
    if (octets === 0) break;
    if (isLate()) throw new Error('a stop has no more time for it');
    digest.setAAD(octets === chunk.length ? chunk : chunk.subarray(0, octets));
    at += octets;
  }
  digest.final();
  return digest.getAuthTag().toString('hex');
}

/** Another SQLite may find what this one does not. */
function engineOf(database: Database): string {
  return database.prepare<[], string>('SELECT sqlite_source_id()').pluck().get() ?? '';
}

function engineInMemory(): string {
  const database = new SqliteDatabase(':memory:');
  try {
    return engineOf(database);
  } finally {
    database.close();
  }
}

function sealOf(path: string): string {
  const seal = `${path}${SUFFIX}`;
  const octets = octetsOf(seal);
  return octets === 0 || octets > SEAL_OCTETS_MAX ? '' : readFileSync(seal, 'latin1');
}

function octetsOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
