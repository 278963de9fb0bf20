import { cpSync } from 'node:fs';
import { mkdtemp, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { TestContext } from 'node:test';
import { PROJECT } from '../support/spawned.ts';

/** What a fresh clone holds of what runs, without anything that was minted: for commands that write beside the sources. */
const RUNS = ['package.json', 'bin', 'openapi.yaml', 'policy', 'src', 'certs-dev'];

/** A checkout in a directory of its own, with a name that a shell would take apart. */
export async function projectCopy(t: Pick<TestContext, 'after'>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "flux gate's-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const minted = (path: string): boolean =>
    path.includes('/certs-dev/') && !/\.(ts|md)$/.test(basename(path));
  for (const name of RUNS) {
    cpSync(join(PROJECT, name), join(directory, name), { recursive: true, filter: (path) => !minted(path) });
  }
  await symlink(join(PROJECT, 'node_modules'), join(directory, 'node_modules'));
  return directory;
}
