import { mkdir, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { StartupError } from '../core/errors.ts';
import { type DirectoryFiles, MARKER, markedRevision } from '../core/fleet/directory.ts';
import { FLEET_KINDS, kindDefinition } from '../core/fleet/registry.ts';
import { readSeedText } from '../core/fleet/seed-text.ts';
import { LIMITS } from '../core/limits.ts';
import { shown } from './output/text.ts';

/** The directory on disk. Whatever else is in it (a README, .git) is nobody's business here. */

const COLLECTIONS = FLEET_KINDS.map((kind) => kindDefinition(kind).collection);
/** As the API takes them; a path from a gateway never leaves the directory. */
const OBJECT_FILE = /^[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?\.yaml$/;

/** How many files of how many are done. */
export type FileProgress = (done: number, total: number) => void;

export async function readFleetFiles(
  directory: string,
  progress: FileProgress = () => undefined,
): Promise<DirectoryFiles> {
  const files: Record<string, string> = {};
  let bytes = 0;
  if (!(await isThere(directory)))
    throw new StartupError(`${shown(resolve(directory))}: there is no such directory`);
  const paths = await fleetPaths(directory);
  let read = 0;
  for (const path of paths) {
    const text = await readFile(join(directory, path), 'utf8');
    bytes += text.length;
    if (bytes > LIMITS.importBytesMax) {
      throw new StartupError(`${directory}: is larger than ${LIMITS.importBytesMax} bytes`);
    }
    files[path] = text;
    progress(++read, paths.length);
  }
  return files;
}

async function isThere(path: string): Promise<boolean> {
  return await stat(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => error.code !== 'ENOENT',
  );
}

export interface PresentExport {
  /** Of the objects, without the marker. */
  readonly objects: readonly string[];
  readonly hasMarker: boolean;
  /** undefined: the marker is not as export writes it. */
  readonly revision: number | undefined;
}

/** What an export into this directory finds there. */
export async function presentExport(directory: string): Promise<PresentExport> {
  const paths = await fleetPaths(directory);
  const hasMarker = paths.includes(MARKER);
  const revision = hasMarker ? revisionOf(await readFile(join(directory, MARKER), 'utf8')) : undefined;
  return { objects: paths.filter((path) => path !== MARKER), hasMarker, revision };
}

function revisionOf(marker: string): number | undefined {
  try {
    return markedRevision(readSeedText(marker, MARKER).value);
  } catch (error) {
    if (error instanceof StartupError) return undefined;
    throw error;
  }
}

/** Writes what is different and removes the objects that are gone; the marker last, so that it never says too much. */
export async function writeFleetFiles(
  directory: string,
  files: DirectoryFiles,
  progress: FileProgress = () => undefined,
): Promise<void> {
  const wanted = Object.entries(files);
  for (const [path] of wanted) {
    const [collection = '', name = '', ...more] = path.split('/');
    const isObject =
      COLLECTIONS.some((known) => known === collection) && OBJECT_FILE.test(name) && more.length === 0;
    if (!isObject && path !== MARKER)
      throw new StartupError(`the gateway sent the path ${JSON.stringify(path)}`);
  }
  await mkdir(directory, { recursive: true });
  const present = await fleetPaths(directory);
  if (present.length > 0 && !present.includes(MARKER)) {
    throw new StartupError(
      `${directory}: has objects but no ${MARKER}: export writes over its own exports only`,
    );
  }
  for (const path of present) if (!(path in files)) await rm(join(directory, path));
  let written = 0;
  for (const [path, text] of wanted) {
    if (path !== MARKER) await writeWhole(join(directory, path), text);
    progress(++written, wanted.length);
  }
  await writeWhole(join(directory, MARKER), files[MARKER] ?? '');
}

async function writeWhole(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true });
  await writeFile(`${path}.part`, text);
  await rename(`${path}.part`, path);
}

/** Every file that is, or is meant to be, an object: a misnamed one is sent, so that the gateway refuses it by name. */
async function fleetPaths(directory: string): Promise<string[]> {
  const entries = async (path: string): Promise<string[]> => {
    try {
      const found = await readdir(path, { withFileTypes: true });
      return found
        .flatMap((entry) => (entry.isFile() && /\.ya?ml$/.test(entry.name) ? [entry.name] : []))
        .sort();
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new StartupError(`${path}: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  };
  const paths: string[] = (await entries(directory)).filter((name) => name === MARKER);
  for (const collection of COLLECTIONS) {
    for (const name of await entries(join(directory, collection))) paths.push(`${collection}/${name}`);
  }
  return paths;
}
