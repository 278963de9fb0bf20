import { statSync } from 'node:fs';
import { flushCompileCache, getCompileCacheDir } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Where Node keeps what it made of the sources (types stripped, code compiled), so that a start need not make it again: beside the
 * code, since whoever can write there can write code. Never below the data directory. See docs/decisions/compile-cache.md.
 */
export const COMPILE_CACHE = fileURLToPath(new URL('../../node_modules/.cache/fluxgate', import.meta.url));

/** Keeps what this process had to compile by now, as far as it may write there. Whether there was anything that it could keep. */
export function keepCompiled(): boolean {
  const directory = getCompileCacheDir();
  if (directory === undefined) return false;
  const before = changedMs(directory);
  flushCompileCache();
  return changedMs(directory) !== before;
}

function changedMs(directory: string): number | undefined {
  return statSync(directory, { throwIfNoEntry: false })?.mtimeMs;
}
