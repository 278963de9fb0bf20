import { statSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { parseDatabaseUrl } from './database-url.ts';
import { type FileProblem, REPLACED } from './problem.ts';
import { SEALED_OCTETS_MIN } from './seal.ts';
import { identityOf } from './store-file.ts';

/** A check that goes on: what is wrong with the store's file, or undefined. Never rejects: what cannot be checked is a problem. */
export type FileCheck = Promise<FileProblem | undefined>;

/**
 * Begins to check the store's file on a thread of its own, unless it has a seal, for a store of 100,000 clusters takes as long as all the rest of a start.
 * undefined: it is small, not there, or cannot be looked at; whoever opens it checks it, or says why it cannot be used. `environment`: of
 * the thread.
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
    thread.once('message', (problem: FileProblem | null) =>
      resolve(problem ?? (identityOf(location.path) === before ? undefined : REPLACED)),
    );
    const failed = (why: string): void =>
      resolve({
        message: `the check that a start makes of it did not finish (${why}): start again, with more memory if that was missing`,
        code: 'fault',
      });
    thread.once('error', (error) => failed(String(error)));
    thread.once('exit', () => failed('its thread ended without an answer'));
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
