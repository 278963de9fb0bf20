import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { reasonOf } from '../core/file-reason.ts';

/** Why a file cannot be taken: words that go behind its name. */
export class UnreadableFile extends Error {
  readonly kind: 'directory' | 'too_large' | 'other';

  constructor(why: string, kind: UnreadableFile['kind'], cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.name = 'UnreadableFile';
    this.kind = kind;
  }
}

/**
 * The octets of a regular file of at most `octetsMax`, as they were at one moment. Throws UnreadableFile.
 *
 * Opened without waiting: a pipe that nobody writes into would be waited for without end, and with it every later reload and
 * the end of the process. One that changes while it is read may be half of one state and half of another.
 */
export async function readRegularFile(path: string, octetsMax: number): Promise<Buffer> {
  try {
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    return await readWhole(file, octetsMax);
  } catch (error) {
    if (error instanceof UnreadableFile) throw error;
    throw new UnreadableFile(reasonOf(error), 'other', error);
  }
}

async function readWhole(file: FileHandle, octetsMax: number): Promise<Buffer> {
  const before = await file.stat({ bigint: true });
  if (before.isDirectory()) throw new UnreadableFile('is a directory', 'directory');
  if (!before.isFile()) throw new UnreadableFile('is no regular file', 'other');
  if (before.size > octetsMax) throw new UnreadableFile(`is larger than ${octetsMax} octets`, 'too_large');
  const octets = await file.readFile();
  const after = await file.stat({ bigint: true });
  if (BigInt(octets.length) !== before.size || stateOf(before) !== stateOf(after)) {
    throw new UnreadableFile('was changed while it was read', 'other');
  }
  return octets;
}

const stateOf = ({ size, mtimeNs, ctimeNs }: BigIntStats): string => `${size} ${mtimeNs} ${ctimeNs}`;
