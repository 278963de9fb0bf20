import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { parseDatabaseUrl } from './database-url.ts';
import type { PinPage, StoredPins } from './pin-pages.ts';
import { type FileProblem, REPLACED } from './problem.ts';
import { SEALED_OCTETS_MIN } from './seal.ts';
import { identityOf } from './store-file.ts';

/** A check that goes on. Never rejects: what cannot be checked is a problem. */
export type FileCheck = Promise<CheckedFile>;

export interface CheckedFile {
  /** undefined: nothing is wrong with it, or it is sealed. */
  readonly problem: FileProblem | undefined;
  /** Of a sealed file: checks it now. Never rejects; undefined: nothing is wrong with it. */
  readonly confirm?: (() => Promise<FileProblem | undefined>) | undefined;
  /** Whether it was checked by now, and nothing is wrong with it. */
  isWhole(): boolean;
  /**
   * The pins in it, once, as they were read when it was known to be whole: by far the most that a start reads of a store. undefined: none were, or somebody has written
   * since. To be called before the store closes: until then its file is open for this.
   */
  readonly takePins?: (() => Promise<StoredPins | undefined>) | undefined;
}

/** What check-thread.ts is asked for, once each. */
export type AskedOfThread = 'are the pins still so?' | 'what is wrong with it?';

export interface AnswerOfThread {
  readonly to: AskedOfThread;
  readonly answer: unknown;
}

/** What it tells first: of the pins, the pages in their order, their octets one after the other. */
export interface ToldByThread {
  /** Of a file that is sealed it is told when it is asked for. */
  readonly problem: FileProblem | undefined;
  readonly sealed: boolean;
  readonly pins?: {
    readonly pages: readonly (Omit<PinPage, 'octets'> & { readonly length: number })[];
    readonly octets: ArrayBuffer;
  };
}

/**
 * Begins to check the store's file on a thread of its own, for a store of 100,000 clusters takes as long as all the rest of a start, unless
 * it is sealed. undefined: it is small, not there, or cannot be looked at; whoever opens it checks it, or says why it cannot be used.
 * `environment`: of the thread.
 */
export function startFileCheck(
  databaseUrl: string,
  environment: Readonly<Record<string, string>>,
): FileCheck | undefined {
  const location = parseDatabaseUrl(databaseUrl);
  if (location.memory || octetsOf(location.path) < SEALED_OCTETS_MIN) return undefined;
  const before = identityOf(location.path);
  if (before === undefined) return undefined;
  const thread = new Worker(new URL('./check-thread.ts', import.meta.url), {
    workerData: location.path,
    env: environment,
    // A file that it leaves open for the sake of SQLite's locks stays open when it ends.
    trackUnmanagedFds: false,
  });
  return new Promise((resolve) => {
    thread.once('message', ({ problem, sealed, pins }: ToldByThread) => {
      // What it is asked for later nobody may ever ask for.
      thread.unref();
      const found = problem ?? (identityOf(location.path) === before ? undefined : REPLACED);
      let whole = found === undefined && !sealed;
      const confirm = async (): Promise<FileProblem | undefined> => {
        const late = await asked<FileProblem | null>(thread, 'what is wrong with it?').catch(unfinished);
        whole = late === null;
        return late ?? undefined;
      };
      resolve({
        problem: found,
        confirm: sealed && found === undefined ? confirm : undefined,
        isWhole: () => whole,
        takePins: pins && takenOnce(thread, pins),
      });
    });
    const failed = (why: unknown): void => resolve({ problem: unfinished(why), isWhole: () => false });
    thread.once('error', failed);
    thread.once('exit', () => failed(ENDED));
  });
}

const ENDED = 'its thread ended without an answer';

function unfinished(why: unknown): FileProblem {
  return {
    message: `the check that a start makes of it did not finish (${why}): start again, with more memory if that was missing`,
    code: 'fault',
  };
}

/** Rejects where the thread ends instead of answering. */
function asked<T>(thread: Worker, question: AskedOfThread): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    thread.on('message', ({ to, answer }: AnswerOfThread) => {
      if (to === question) resolve(answer as T);
    });
    thread.once('error', reject);
    thread.once('exit', () => reject(ENDED));
    thread.postMessage(question);
  });
}

function takenOnce(
  thread: Worker,
  { pages, octets }: NonNullable<ToldByThread['pins']>,
): () => Promise<StoredPins | undefined> {
  let taken = false;
  return async () => {
    if (taken) return undefined;
    taken = true;
    // A start may have nothing else that keeps its process from ending.
    thread.ref();
    const areStillSo = await asked<boolean>(thread, 'are the pins still so?').catch(() => false);
    thread.unref();
    if (!areStillSo) return undefined;
    let from = 0;
    return pages.map(({ first, count, length }) => {
      const page = { first, count, octets: Buffer.from(octets, from, length) };
      from += length;
      return page;
    });
  };
}

function octetsOf(path: string): number {
  try {
    return [path, `${path}-wal`].reduce(
      (all, file) => all + (statSync(file, { throwIfNoEntry: false })?.size ?? 0),
      0,
    );
  } catch {
    return 0;
  }
}
