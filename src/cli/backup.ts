import { statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { Worker } from 'node:worker_threads';
import { StartupError } from '../core/errors.ts';
import type { BackupMessage } from './backup-worker.ts';
import type { TerminalContext } from './context.ts';
import { databasePath } from './database-option.ts';
import { createProgress } from './output/progress.ts';

const LOOK_MS = 200;

/** A consistent copy of a store, live or not. Throws StartupError (exit code 78). */
export async function backup(
  context: TerminalContext,
  options: { readonly database?: string; readonly to: string },
): Promise<void> {
  const path = databasePath(context, options.database);
  await assertDirectory(options.to);
  const progress = createProgress(context.terminal.errors);
  const total = sizeOf(path);
  const look = setInterval(
    () => progress.at('copying', Math.min(sizeOf(options.to), total), total, 'bytes'),
    LOOK_MS,
  );
  try {
    // SQLite copies in one go: on a thread of its own, so that this one can tell how far it is.
    const { bytes, revision } = await copied(path, options.to);
    progress.end();
    context.print(`backed up to ${options.to}: ${bytes} bytes, checked, up to revision ${revision}`);
  } finally {
    clearInterval(look);
    progress.end();
  }
}

function copied(path: string, to: string): Promise<{ readonly bytes: number; readonly revision: number }> {
  return new Promise((resolvePromise, reject) => {
    const worker = new Worker(new URL('./backup-worker.ts', import.meta.url), { workerData: { path, to } });
    worker.once('error', reject);
    worker.once('message', (message: BackupMessage) => {
      if ('refused' in message) reject(new StartupError(message.refused));
      else resolvePromise(message);
    });
  });
}

/** SQLite only says that it is unable to open a file. */
async function assertDirectory(to: string): Promise<void> {
  const directory = dirname(resolve(to));
  const found = await stat(directory).catch((error: NodeJS.ErrnoException) => {
    throw new StartupError(
      error.code === 'ENOENT'
        ? `--to: there is no directory ${directory}: make it first (mkdir -p), or name a file elsewhere`
        : `--to: ${error.message}`,
      error,
    );
  });
  if (!found.isDirectory()) throw new StartupError(`--to: ${directory} is no directory`);
  const itself = await stat(to).catch(() => undefined);
  if (itself?.isDirectory()) throw new StartupError(`--to: ${to} is a directory: name a file in it`);
}

function sizeOf(path: string): number {
  try {
    return statSync(path).size;
  } catch {
    return 0;
  }
}
