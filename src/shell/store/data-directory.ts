import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { StartupError } from '../../core/errors.ts';

/** Makes the directory of the store's file, for its owner only, where it is not there. Throws StartupError. */
export function makeDataDirectory(path: string): void {
  const directory = dirname(path);
  try {
    // What is there is left alone: in the sandbox it could not be made.
    if (!existsSync(directory)) mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannotBeMade(path, error);
  }
}

export function cannotBeMade(path: string, error: unknown): StartupError {
  const reason = error instanceof Error ? error.message : String(error);
  return new StartupError(`DATABASE_URL: ${path} cannot be made or written: ${reason}`, error);
}
