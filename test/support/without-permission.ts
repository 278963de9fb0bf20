import { chmod, readdir } from 'node:fs/promises';
import { join } from 'node:path';

const NOBODY = 65_534;

/**
 * Runs `work` while nobody may read `path`; root, whom file modes do not hold, becomes somebody else for as long, and what is
 * in `directory` besides is opened to all. False: this root may not step down, and nothing was run.
 */
export async function withoutPermission(
  directory: string,
  path: string,
  work: () => Promise<void>,
): Promise<boolean> {
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await openToAll(directory);
  await chmod(path, 0o000);
  try {
    if (isRoot && !becomeNobody()) return false;
    await work();
    return true;
  } finally {
    if (isRoot) process.seteuid?.(0);
    await chmod(path, 0o644);
  }
}

function becomeNobody(): boolean {
  try {
    process.seteuid?.(NOBODY);
    return true;
  } catch {
    return false;
  }
}

async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    if (entry.isFile()) await chmod(join(directory, entry.name), 0o644);
    if (entry.isDirectory()) await openToAll(join(directory, entry.name));
  }
}
