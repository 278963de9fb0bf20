import { Lexer, stringify } from 'yaml';
import { type ErrorDetail, FluxgateError, StartupError } from '../errors.ts';
import { LIMITS } from '../limits.ts';
import { isRecord, pointer } from './canonical.ts';
import { inspectObject } from './check-object.ts';
import type { FleetReference } from './kind.ts';
import { mentionsIn } from './mentions.ts';
import type { FleetKind, FleetObject } from './objects.ts';
import type { Pause } from './pause.ts';
import { TELL_NOBODY, type TellProgress } from './progress.ts';
import { FLEET_KINDS, kindDefinition, kindOfCollection, referencesOf } from './registry.ts';
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
  return { path: filePath(kind, object.id), text: yamlOf(object) };
}

const filePath = (kind: FleetKind, id: string): string => `${kindDefinition(kind).collection}/${id}.yaml`;

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

/** Whether the fleet that a directory goes into keeps an object of this kind and id that is not in the directory. */
export type KeepsBeside = (kind: FleetKind, id: string) => Promise<boolean>;

/** Throws `validation_error` naming each file and field that is wrong; among them, what is mentioned in vain. */
export async function readDirectory(
  files: DirectoryFiles,
  schemas: FleetSchemas,
  pause: Pause,
  keepsBeside: KeepsBeside,
  tell: TellProgress = TELL_NOBODY,
): Promise<FleetDirectory> {
  const problems: ErrorDetail[] = [];
  const objects: DirectoryObject[] = [];
  const broken: BrokenFile[] = [];
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
    if ('problems' in found) {
      problems.push(...found.problems);
      broken.push(found);
    } else objects.push(found);
  }
  if (problems.length === 0) return { objects, revision };
  const mentioned = await mentionedInVain(files, objects, broken, keepsBeside, pause);
  throw new FluxgateError(
    'validation_error',
    'The directory is not a fleet: correct the files named in details.',
    {
      details: boundDetails([...problems, ...mentioned]),
    },
  );
}

interface BrokenFile {
  readonly path: string;
  readonly problems: readonly ErrorDetail[];
  readonly mentions: readonly FleetReference[];
}

/** Where nothing else is wrong, the plan's own check finds it, against the fleet of that moment. */
async function mentionedInVain(
  files: DirectoryFiles,
  objects: readonly DirectoryObject[],
  broken: readonly BrokenFile[],
  keepsBeside: KeepsBeside,
  pause: Pause,
): Promise<ErrorDetail[]> {
  const known = new Map<string, boolean>();
  const isKnown = async (kind: FleetKind, id: string): Promise<boolean> => {
    const path = filePath(kind, id);
    const there = known.get(path) ?? (Object.hasOwn(files, path) || (await keepsBeside(kind, id)));
    known.set(path, there);
    return there;
  };
  const problems: ErrorDetail[] = [];
  // Room for all that is told, and a bound for an import of nothing but mentions.
  const isFull = (): boolean => problems.length >= LIMITS.mentionsLookedAtMax;
  const look = async (path: string, mentions: readonly FleetReference[]): Promise<void> => {
    for (const { field, kind, id } of mentions) {
      if (isFull()) return;
      await pause();
      if (await isKnown(kind, id)) continue;
      const problem = `must be the id of a ${kindDefinition(kind).title} that is there; "${id}" would not be`;
      problems.push({ field: `${pointer('files', path)}${field}`, problem });
    }
  };
  for (const { path, mentions } of broken) await look(path, mentions);
  for (const { kind, object } of objects) await look(filePath(kind, object.id), referencesOf(kind, object));
  return problems;
}

function readFile(path: string, value: unknown, schemas: FleetSchemas): DirectoryObject | BrokenFile {
  const at = pointer('files', path);
  const { collection = '', id = '' } =
    /^(?<collection>[a-z_]+)\/(?<id>[^/]+)\.yaml$/.exec(path)?.groups ?? {};
  const kind = kindOfCollection(collection);
  if (kind === undefined) {
    const known = FLEET_KINDS.map((name) => kindDefinition(name).collection).join(', ');
    return { path, problems: [{ field: at, problem: `must be ID.yaml in one of ${known}` }], mentions: [] };
  }
  const checked = inspectObject(kind, schemas, value);
  if (!checked.ok) {
    const problems = checked.problems.map(({ field, problem }) => ({ field: `${at}${field}`, problem }));
    return { path, problems, mentions: mentionsIn(kind, value, checked.problems) };
  }
  if (checked.object.id === id) return { kind, object: checked.object };
  return {
    path,
    problems: [{ field: `${at}/id`, problem: `must be "${id}", as the file is named` }],
    mentions: referencesOf(kind, checked.object),
  };
}

/** A character is two of them at most: `:,` in a list is an entry with a key and a value. */
const TOKENS_PER_CHARACTER = 2;

/** The parser holds the event loop from a file's first token to its last; taking them apart costs a tenth of that. */
function hasTooManyTokens(text: string): boolean {
  if (text.length * TOKENS_PER_CHARACTER < LIMITS.fileTokensMax) return false;
  const tokens = new Lexer().lex(text);
  for (let count = 0; count <= LIMITS.fileTokensMax; count++) if (tokens.next().done) return false;
  return true;
}

/** In one reading only: no repeated keys, no aliases, no tags. */
function readYaml(path: string, text: string, problems: ErrorDetail[]): unknown {
  if (hasTooManyTokens(text)) {
    const problem = `has more than ${LIMITS.fileTokensMax} words and signs, which no object has`;
    problems.push({ field: pointer('files', path), problem });
    return undefined;
  }
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
