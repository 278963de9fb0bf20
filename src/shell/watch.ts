import { type FSWatcher, watch } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** Polling alone notices a change within this; watching usually sooner. The contract promises 5 s. */
const POLL_INTERVAL_MS = 1_000;
/** A file that still changes is half written; two looks this far apart must be equal. */
const SETTLE_MS = 250;
/** Something that never settles is read all the same: a broken read leaves the last good state in force. */
const SETTLE_LOOKS_MAX = 10;

export interface WatchedPaths {
  readonly files: readonly string[];
  readonly directories: readonly string[];
}

export interface Watch {
  stop(): void;
}

/**
 * Calls `changed` after any of the paths changed and has settled. Watching is a hint only, for it fails on some file systems
 * and on replaced directories; what counts is the state of the files as they resolve, so that Kubernetes' atomic symlink swaps
 * are seen like every other change.
 */
export function watchPaths(paths: WatchedPaths, changed: () => Promise<void>): Watch {
  let known: string | undefined;
  let stopped = false;
  let looking = false;
  const look = async (): Promise<void> => {
    if (looking || stopped) return;
    looking = true;
    try {
      const state = await stateOf(paths);
      known ??= state;
      if (state !== known) {
        known = await settled(paths, state);
        if (!stopped) await changed();
      }
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), POLL_INTERVAL_MS);
  timer.unref();
  const watchers = watchParents(paths, () => void look());
  void look();
  return {
    stop() {
      stopped = true;
      clearInterval(timer);
      for (const watcher of watchers) watcher.close();
    },
  };
}

async function settled(paths: WatchedPaths, first: string): Promise<string> {
  let state = first;
  for (let looks = 0; looks < SETTLE_LOOKS_MAX; looks++) {
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
    const next = await stateOf(paths);
    if (next === state) break;
    state = next;
  }
  return state;
}

/** Identity, size and times of every file behind the paths, symlinks followed; a missing file is a state, too. */
async function stateOf(paths: WatchedPaths): Promise<string> {
  const listed = await Promise.all(
    paths.directories.map(async (directory) => {
      try {
        return (await readdir(directory)).sort().map((name) => join(directory, name));
      } catch {
        return [directory];
      }
    }),
  );
  const states = await Promise.all(
    [...paths.files, ...listed.flat()].map(async (path) => {
      try {
        const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
        return `${path} ${dev} ${ino} ${size} ${mtimeNs} ${ctimeNs}`;
      } catch (error) {
        return `${path} ${(error as NodeJS.ErrnoException).code}`;
      }
    }),
  );
  return states.join('\n');
}

function watchParents(paths: WatchedPaths, nudge: () => void): readonly FSWatcher[] {
  const parents = new Set([...paths.files.map((file) => dirname(file)), ...paths.directories]);
  const watchers: FSWatcher[] = [];
  for (const parent of parents) {
    try {
      const watcher = watch(parent, { persistent: false }, nudge);
      watcher.on('error', () => watcher.close());
      watchers.push(watcher);
    } catch {
      // Polling notices the change a little later.
    }
  }
  return watchers;
}
