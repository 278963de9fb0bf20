import { openSync, readSync } from 'node:fs';
import { LIMITS } from '../../core/limits.ts';
import { type Clock, systemClock } from '../clock.ts';

/**
 * Whether anything was committed, by the header of SQLite's wal-index (sqlite.org/walformat.html, "The WAL-Index Header"), which is what SQLite
 * itself compares when a read begins. To ask it takes two locks and a statement; to read 96 octets of shared memory takes a third of that.
 * Each commit, by whichever process, changes the header before it is over: the number of frames, their checksum and the log's salt.
 */
export interface WalIndex {
  /**
   * True unless the header is, to the octet, what it was at the last call. What cannot be read, or is being written, has moved; and so
   * has, for all that is known, what has not for `walIndexBelievedMs`.
   */
  moved(): boolean;
}

const HEADER_OCTETS = 48;
/** Of iVersion, in the machine's order of octets, since SQLite 3.7.0: with another one, the header may be another. */
const VERSION = 3_007_000;

/**
 * `database`: its file itself and no symlink to it, in WAL mode, of which this process holds a connection for as long as it lives.
 * undefined: there is no such file.
 * It is never closed: with any descriptor that a process closes, POSIX takes back all the locks that it holds on the file, SQLite's too.
 */
export function openWalIndex(
  database: string,
  clock: Pick<Clock, 'elapsed'> = systemClock,
): WalIndex | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(`${database}-shm`, 'r');
  } catch {
    return undefined;
  }
  // The header is there twice, written one after the other: while they differ, a commit is on its way.
  const octets = Buffer.alloc(2 * HEADER_OCTETS);
  const words = new Int32Array(octets.buffer, octets.byteOffset, octets.length / 4);
  const before = new Int32Array(words.length);
  const half = words.length / 2;
  const read = (): boolean => {
    try {
      return readSync(descriptor, octets, 0, octets.length, 0) === octets.length;
    } catch {
      return false;
    }
  };
  let movedAtMs = Number.NEGATIVE_INFINITY;
  return {
    moved() {
      const nowMs = clock.elapsed();
      let moved = !read() || words[0] !== VERSION || nowMs - movedAtMs >= LIMITS.walIndexBelievedMs;
      for (let word = 0; word < words.length; word++) {
        if (words[word] !== before[word] || words[word] !== words[word % half]) moved = true;
        before[word] = words[word] ?? 0;
      }
      if (moved) movedAtMs = nowMs;
      return moved;
    },
  };
}
