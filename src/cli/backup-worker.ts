import { parentPort, workerData } from 'node:worker_threads';
import { StartupError } from '../core/errors.ts';
import { backUpStore } from '../shell/store/backup.ts';

/** What the worker has to say; errors lose their class on the way. */
export type BackupMessage =
  | { readonly bytes: number; readonly revision: number }
  | { readonly refused: string };

const { path, to } = workerData as { path: string; to: string };
let message: BackupMessage;
try {
  message = backUpStore(path, to);
} catch (error) {
  if (!(error instanceof StartupError)) throw error;
  message = { refused: error.message };
}
parentPort?.postMessage(message);
