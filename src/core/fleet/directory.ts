import { stringify } from 'yaml';
import { type ErrorDetail, FluxgateError, StartupError } from '../errors.ts';
import { isRecord, pointer } from './canonical.ts';
import { inspectObject } from './check-object.ts';
import type { FleetKind, FleetObject } from './objects.ts';
import type { Pause } from './pause.ts';
import { TELL_NOBODY, type TellProgress } from './progress.ts';
import { FLEET_KINDS, kindDefinition, kindOfCollection } from './registry.ts';
import { boundDetails, type FleetSchemas } from './schemas.ts';
import { readSeedText } from './seed-text.ts';

/**
 * The fleet as a directory of YAML, one object a file: `clusters/us-east.yaml`. The same object gives the same bytes, so that
 * in Git only what changed is different; and what is read back is the same object.
 */

/** In the directory's root: which revision it was exported at. */
export const MARKER = '.fluxgate.yaml';
const FORMAT = 1;

/** Path → text. */
export type DirectoryFiles = Readonly<Record<string, string>>;

export interface DirectoryObject {
  readonly kind: FleetKind;
  readonly object: FleetObject;
}

export interface FleetDirectory {
  readonly objects: readonly DirectoryObject[];
  /** Of the marker; undefined: there is none. */
  readonly revision: number | undefined;
}

export function fileOf(
  kind: FleetKind,
  object: FleetObject,
): { readonly path: string; readonly text: string } {
  return { path: `${kindDefinition(kind).collection}/${object.id}.yaml`, text: yamlOf(object) };
}

export function markerText(revision: number): string {
  return `# Written by fluxgate export. fluxgate import takes it for the state that the edits here began from.\n${yamlOf({ format: FORMAT, revision })}`;
}

/** undefined: it is not as markerText writes it. */
export function markedRevision(marker: unknown): number | undefined {
  const marked = isRecord(marker) && marker['format'] === FORMAT ? marker['revision'] : undefined;
  return Number.isSafeInteger(marked) ? (marked as number) : undefined;
}

/** Quotes only where YAML needs them, never folds, never refers back. */
function yamlOf(value: object): string {
  return stringify(value, {
    lineWidth: 0,
    aliasDuplicateObjects: false,
    sortMapEntries: false,
    version: '1.2',
  });
}

/** Throws `validation_error` naming each file and field that is wrong. */
export async function readDirectory(
  files: DirectoryFiles,
  schemas: FleetSchemas,
  pause: Pause,
  tell: TellProgress = TELL_NOBODY,
): Promise<FleetDirectory> {
  const problems: ErrorDetail[] = [];
  const objects: DirectoryObject[] = [];
  let revision: number | undefined;
  const entries = Object.entries(files);
  for (const [index, [path, text]] of entries.entries()) {
    tell('reading', index, entries.length);
    await pause();
    const value = readYaml(path, text, problems);
    if (value === undefined) continue;
    if (path === MARKER) {
      revision = markedRevision(value);
      if (revision === undefined)
        problems.push({ field: pointer('files', path), problem: 'must be as fluxgate export wrote it' });
      continue;
    }
    const found = readFile(path, value, schemas);
    if ('problems' in found) problems.push(...found.problems);
    else objects.push(found);
  }
  if (problems.length === 0) return { objects, revision };
  throw new FluxgateError(
    'validation_error',
    'The directory is not a fleet: correct the files named in details.',
    {
      details: boundDetails(problems),
    },
  );
}

function readFile(
  path: string,
  value: unknown,
  schemas: FleetSchemas,
): DirectoryObject | { readonly problems: readonly ErrorDetail[] } {
  const at = pointer('files', path);
  const { collection = '', id = '' } =
    /^(?<collection>[a-z_]+)\/(?<id>[^/]+)\.yaml$/.exec(path)?.groups ?? {};
  const kind = kindOfCollection(collection);
  if (kind === undefined) {
    const known = FLEET_KINDS.map((name) => kindDefinition(name).collection).join(', ');
    return { problems: [{ field: at, problem: `must be ID.yaml in one of ${known}` }] };
  }
  const checked = inspectObject(kind, schemas, value);
  if (!checked.ok) {
    return { problems: checked.problems.map(({ field, problem }) => ({ field: `${at}${field}`, problem })) };
  }
  if (checked.object.id === id) return { kind, object: checked.object };
  return { problems: [{ field: `${at}/id`, problem: `must be "${id}", as the file is named` }] };
}

/** In one reading only: no repeated keys, no aliases, no tags. */
function readYaml(path: string, text: string, problems: ErrorDetail[]): unknown {
  try {
    return readSeedText(text, path).value;
  } catch (error) {
    if (!(error instanceof StartupError)) throw error;
    problems.push({
      field: pointer('files', path),
      problem: (error.message.split('\n')[0] ?? '').replace(`seed ${path}: `, ''),
    });
    return undefined;
  }
}
