import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

/** A file system of a few MiB, gone with the test; undefined where this process may not mount one. */
export function smallDisk(t: Pick<TestContext, 'after'>, size = '2m'): string | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'fluxgate-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', directory]);
  t.after(() => {
    if (mounted.status === 0) spawnSync('umount', ['-l', directory]);
    rmSync(directory, { recursive: true, force: true });
  });
  if (mounted.status !== 0) return undefined;
  return statfsSync(directory).blocks > 0 ? directory : undefined;
}

export interface Immutable {
  /** From now on nothing in the directory can be written, not even through files that are open. */
  set(on: boolean): void;
}

/**
 * The kernel refuses to remount a file system read-only while a file of it is open for writing, but ext4 heeds the immutable
 * attribute on files that are open already. undefined: not here (another file system, or not root).
 */
export function immutableFiles(directory: string): Immutable | undefined {
  const change = (flag: '+i' | '-i', path: string): boolean =>
    spawnSync('chattr', ['-R', flag, path]).status === 0;
  const probe = join(directory, 'probe');
  writeFileSync(probe, '');
  if (!change('+i', probe)) return undefined;
  let heeded = false;
  try {
    writeFileSync(probe, 'x');
  } catch {
    heeded = true;
  }
  change('-i', probe);
  rmSync(probe);
  if (!heeded) return undefined;
  return {
    set(on) {
      if (!change(on ? '+i' : '-i', directory)) throw new Error(`chattr of ${directory}`);
    },
  };
}
