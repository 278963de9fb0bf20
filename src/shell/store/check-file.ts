import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { parseDatabaseUrl } from './database-url.ts';
import type { PinPage, StoredPins } from './pin-pages.ts';
import { type FileProblem, REPLACED } from './problem.ts';
import { identityOf } from './store-file.ts';

/** To check less than this takes less than to start a thread for it; nor is it sealed, for there is nothing to save. */
export const CHECKED_APART_OCTETS_MIN = 16 * 1024 * 1024;

/** A check that goes on. Never rejects: what cannot be checked is a problem. */
export type FileCheck = Promise<CheckedFile>;

export interface CheckedFile {
  /** undefined: nothing is wrong with it, or it is sealed. */
  readonly problem: FileProblem | undefined;
  /** Of a sealed file: checks it now; may be called again where it could not be checked. Never rejects; undefined: nothing is wrong with it. */
  readonly confirm?: (() => Promise<FileProblem | undefined>) | undefined;
  /** Whether it was checked by now, and nothing is wrong with it. */
  isWhole(): boolean;
  /**
   * The pins in it, once, as they were read when it was known to be whole: by far the most that a start reads of a store. undefined: none were, or somebody has written
   * since. To be called before the store closes, and before `confirm`: until then its file is open for this.
   */
  readonly takePins?: (() => Promise<StoredPins | undefined>) | undefined;
}

export interface GivenToThread {
  readonly path: string;
  readonly trustsSeals: boolean;
}

/** What check-thread.ts tells first: of the pins, the pages in their order, their octets one after the other. */
export interface ToldByThread {
  /** Of a file that is sealed it is told when it is asked for. */
  readonly problem: FileProblem | undefined;
  readonly sealed: boolean;
  readonly pins:
    | {
        readonly pages: readonly (Omit<PinPage, 'octets'> & { readonly length: number })[];
        readonly octets: ArrayBuffer;
      }
    | undefined;
}

/** What it is asked then. */
export type AskedOfThread = 'are the pins still so?' | 'what is wrong with it?' | 'nothing more';

export interface AnswerOfThread {
  readonly to: AskedOfThread;
  readonly answer: unknown;
}

/**
 * Begins to check the store's file on a thread of its own, for a store of 100,000 clusters takes as long as all the rest of a start, unless
 * it is sealed. undefined: it is small, not there, or cannot be looked at; whoever opens it checks it, or says why it cannot be used.
 * `environment`: of the thread. `trustsSeals`: not where several processes use the store: one that begins later finds what others have done to it.
 */
export function startFileCheck(
  databaseUrl: string,
  environment: Readonly<Record<string, string>>,
  { trustsSeals = true } = {},
): FileCheck | undefined {
  const location = parseDatabaseUrl(databaseUrl);
  if (location.memory || octetsOf(location.path) < CHECKED_APART_OCTETS_MIN) return undefined;
  const before = identityOf(location.path);
  if (before === undefined) return undefined;
  const workerData: GivenToThread = { path: location.path, trustsSeals };
  const thread = new Worker(new URL('./check-thread.ts', import.meta.url), {
    workerData,
    env: environment,
    // A file that it leaves open for the sake of SQLite's locks stays open when it ends.
    trackUnmanagedFds: false,
  });
  const ended = new Promise<string>((resolve) => {
    thread.once('error', (error) => resolve(String(error)));
    thread.once('exit', () => resolve('its thread ended without an answer'));
  });
  const first = new Promise<ToldByThread>((resolve) => thread.once('message', resolve));
  return Promise.race([first, ended]).then((told) => {
    if (typeof told === 'string') return { problem: unfinished(told), isWhole: () => false };
    const problem = told.problem ?? (identityOf(location.path) === before ? undefined : REPLACED);
    return checkedFile(thread, ended, { ...told, problem });
  });
}

function checkedFile(
  thread: Worker,
  ended: Promise<string>,
  { problem, sealed, pins }: ToldByThread,
): CheckedFile {
  // What it is asked for later nobody may ever ask for.
  thread.unref();
  const ask = <T>(question: AskedOfThread): Promise<T | string> => {
    const answered = new Promise<T>((resolve) => {
      thread.on('message', ({ to, answer }: AnswerOfThread) => {
        if (to === question) resolve(answer as T);
      });
    });
    thread.postMessage(question);
    return Promise.race([answered, ended]);
  };
  const nothingMore = (): void => thread.postMessage('nothing more' satisfies AskedOfThread);
  if (problem !== undefined) {
    nothingMore();
    return { problem, isWhole: () => false };
  }
  let whole = !sealed;
  let taken = false;
  return {
    problem,
    isWhole: () => whole,
    confirm: sealed
      ? async () => {
          const answer = await ask<FileProblem | undefined>('what is wrong with it?');
          const found = typeof answer === 'string' ? unfinished(answer) : answer;
          whole = found === undefined;
          if (whole) nothingMore();
          return found;
        }
      : undefined,
    async takePins() {
      if (taken) return undefined;
      taken = true;
      // A start may have nothing else that keeps its process from ending.
      thread.ref();
      const areStillSo = (await ask<boolean>('are the pins still so?')) === true;
      thread.unref();
      if (!sealed) nothingMore();
      return areStillSo ? pins && pagesOf(pins) : undefined;
    },
  };
}

function unfinished(why: string): FileProblem {
  return {
    message: `the check that a start makes of it did not finish (${why}): start again, with more memory if that was missing`,
    code: 'fault',
  };
}

function pagesOf({ pages, octets }: NonNullable<ToldByThread['pins']>): StoredPins {
  let from = 0;
  return pages.map(({ first, count, length }) => {
    const page = { first, count, octets: Buffer.from(octets, from, length) };
    from += length;
    return page;
  });
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
